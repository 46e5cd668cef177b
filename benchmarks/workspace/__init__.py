"""The workspace: how soon pages begin to come, what they weigh, how soon a fact is in two hundred browsers."""
