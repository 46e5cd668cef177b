"""What the pages of the workspace read: each page by one function, in a fixed number of statements."""
