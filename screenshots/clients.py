"""The company's clients as `clients.toml` tells of them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_FILE = Path(__file__).with_name("clients.toml")


class Way(Enum):
    """How a client came."""

    CALL = "call"
    TELEGRAM = "telegram"
    VK = "vk"
    FORM = "form"
    MAIL = "mail"


class Stage(Enum):
    """How far a client came: an enquiry that somebody took, or a stage of the pipeline by its name."""

    TAKEN = ""
    DATA = "Сбор данных"
    OFFER = "Коммерческое предложение отправлено"
    PLANNED = "Замер запланирован"
    SURVEY = "Замерщик назначен"
    MEASURED = "Замер выполнен"
    CONTRACT = "Договор подписан"
    WON = "Успешная продажа"
    LOST = "Не реализовано"


@dataclass(frozen=True, slots=True)
class Client:
    """A client. `number` is a telephone number, else a mail address or an id of a messenger; `days` is how many days
    ago they first came; `windows`, `amount` (roubles) and `address` what they order."""

    name: str
    number: str
    way: Way
    stage: Stage
    days: int
    manager: str
    first: str
    windows: int = 0
    amount: int = 0
    address: str = ""
    reason: str = ""
    tags: tuple[str, ...] = ()

    @property
    def ident(self) -> str:
        """Their id at a messenger."""
        return "".join(each for each in self.number if each.isdigit())[-9:]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who waits for an answer when the pictures are taken: they wrote, or rang in vain, `minutes` ago."""

    number: str
    way: Way
    minutes: int
    name: str = ""
    manager: str | None = None
    first: str = ""

    @property
    def ident(self) -> str:
        """Their id at a messenger."""
        return "".join(each for each in self.number if each.isdigit())[-9:]


def clients() -> tuple[tuple[Client, ...], tuple[Waiting, ...]]:
    """Everybody, and who waits now."""
    tables = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    known = (
        Client(
            **{
                **each,
                "way": Way(each["way"]),
                "stage": Stage[each["stage"].upper()],
                "tags": tuple(each.get("tags", ())),
            }
        )
        for each in tables["client"]
    )
    return tuple(known), tuple(Waiting(**{**each, "way": Way(each["way"])}) for each in tables["waiting"])
