"""Calls that other telephone systems push."""
