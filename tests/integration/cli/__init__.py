"""The `hub` command on real databases."""
