"""What the sales of a client tell of them, in words."""

from __future__ import annotations

from enum import StrEnum


class ClientStatus(StrEnum):
    """How a client stands by their orders; what exactly each means, `ClientsBody` says."""

    POTENTIAL = "потенциальный"
    NEW = "разовый свежий"
    REGULAR = "постоянный"
    OLD = "разовый старый"
    GONE = "ушедший"
