"""Small pictures of large ones, for where they are listed."""
