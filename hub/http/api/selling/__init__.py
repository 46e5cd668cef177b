"""Leads, deals and their boards, products and money, documents, tasks."""
