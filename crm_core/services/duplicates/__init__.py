"""Two contacts of one person: guessed, made one, parted again."""
