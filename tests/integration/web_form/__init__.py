"""Forms over real sockets."""
