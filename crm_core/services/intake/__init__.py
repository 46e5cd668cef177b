"""What facts change: everything that comes from outside is taken in here."""
