"""What clients are given without an account of their own: their conversation on the site, a way out of mailings."""
