"""What the filters of all lists share: filters kept under a name, and what is asked of own fields."""
