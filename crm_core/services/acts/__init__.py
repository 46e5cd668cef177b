"""What people of the office do that reaches through several rooms, and what they see of it at once."""
