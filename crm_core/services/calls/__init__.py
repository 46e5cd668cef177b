"""Calls that the hub places, and recordings of those that were."""
