"""Templates, segments, and mailings to them."""
