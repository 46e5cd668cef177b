"""Rules of the VK connector: sockets are blocked."""
