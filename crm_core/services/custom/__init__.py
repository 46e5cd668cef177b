"""Custom fields, grades and statuses of records."""
