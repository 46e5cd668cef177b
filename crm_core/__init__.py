"""The record: clients, what happened with them, what is sold. No network, no framework."""
