"""Whose fact it is: identities to clients, rows of other programs to records, texts made storable."""
