"""Bringing in tables of contacts, companies, leads, deals, products, sales and tasks.

What columns mean, and lines taken in by the batch, each batch in one transaction with a fixed number of statements.
"""
