"""Whether something can listen at an address."""

from __future__ import annotations

import os
import socket

from hub.settings import Endpoint


def why_not(where: Endpoint) -> str | None:
    """Why nothing can listen there; None where it can. Quick, but it asks the resolver: not on the loop's thread."""
    try:
        found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as err:
        return f"{err.strerror or err}"
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as err:
            return f"{err.strerror or err}"
    return None
