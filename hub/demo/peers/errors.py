"""What can go wrong with a peer, told in one sentence to whoever started it."""


class PeerError(Exception):
    """A peer did not do what was asked of it."""


class PeerUnavailableError(PeerError):
    """A peer can't be had on this machine; everything that does not need it may go on."""
