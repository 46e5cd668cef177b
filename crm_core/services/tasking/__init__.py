"""Tasks: given by people, stages and rules, and what follows when they are not done."""
