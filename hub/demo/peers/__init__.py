"""The real programs at the other end of the line, found or unpacked, started and stopped."""
