"""Nobody is forgotten: cases, their ladders, alarms, and who of the staff is told."""
