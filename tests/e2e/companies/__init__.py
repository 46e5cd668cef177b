"""Weeks of five companies' lives, played through the hub's ports with a driven clock."""
