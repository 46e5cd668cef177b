"""Recordings and a real object storage."""
