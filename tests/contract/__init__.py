"""One suite per port, run by the fake and by the real thing."""
