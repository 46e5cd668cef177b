"""What people and machines read: pages of records, each in a fixed number of statements whatever the page holds."""
