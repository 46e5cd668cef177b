"""What is sold and what is paid for it."""
