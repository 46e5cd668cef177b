"""Plain rules, no sockets."""
