"""Who takes this contact now, and who is told when nobody did: plain functions."""
