"""Clients and companies: their cards, timelines, suggestions of duplicates, and what is known of them."""
