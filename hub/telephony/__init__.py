"""What calls ask for: who calls, who can be rung, what Asterisk keeps and plays, and that no call is missing."""
