"""Calls and recordings, the robot's dials, cases of whoever waits, lists of numbers, why a call goes where it goes."""
