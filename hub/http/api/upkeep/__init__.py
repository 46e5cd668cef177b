"""Data coming in and going out, the journal of facts, and who did what."""
