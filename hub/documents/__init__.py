"""Filling in documents: Word files and pages printed to PDF, in a process of their own that is bounded in time and
memory and knows nothing but what it is given."""
