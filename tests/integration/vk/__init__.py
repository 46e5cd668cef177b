"""The VK connector beside a strict server, over real sockets."""
