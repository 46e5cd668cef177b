"""Connectors to the outside world, a folder each, none knowing another."""
