"""Leads, deals and cards of other types, and the pipelines that they move in."""
