"""What goes out to clients: answers of people and what the hub writes by itself."""
