"""What the pages of the workspace read, for other programs: the inbox, the wall, control, reports, what changes."""
