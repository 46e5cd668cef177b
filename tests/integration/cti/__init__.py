"""Calls that other telephone systems push, up to the record and the answer on the wire."""
