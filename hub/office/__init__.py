"""The office as people configure it: what is in force, given out and read in, tried and taken out of use."""
