"""Tables that come in and go out, hand-over, erasure: on both engines."""
