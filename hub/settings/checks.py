"""What the tables of a configuration demand of each other: names that are unique, names that exist."""

from __future__ import annotations

from collections.abc import Iterable

from crm_core.model.office import Line
from crm_core.wording import Sentence
from hub.settings.answers import check_answers
from hub.settings.errors import Problem
from hub.settings.model import MailProtocol, Settings
from hub.settings.nearest import nearest
from hub.settings.reader import Source
from hub.settings.secret import Endpoint, Secret
from hub.settings.telephony import check_telephony
from hub.settings.values import shown


def check(settings: Settings, source: Source) -> None:
    """Report every contradiction. Empty values are stand-ins whose own problem is told already."""
    _unique(source, "telegram", "name", (bot.name for bot in settings.telegram))
    _unique(source, "telegram", "token", (bot.token for bot in settings.telegram), secret=True)
    _unique(source, "vk", "name", (group.name for group in settings.vk))
    _unique(source, "vk", "group_id", (group.group_id for group in settings.vk))
    _unique(source, "email", "name", (mailbox.name for mailbox in settings.email))
    _unique(source, "email", "address", (mailbox.address for mailbox in settings.email))
    _unique(source, "pbx", "name", (pbx.name for pbx in settings.pbx))
    _unique(source, "web", "name", (site.name for site in settings.web))
    _unique(source, "cti", "name", (cti.name for cti in settings.cti))
    _unique(source, "cti", "token", (cti.token for cti in settings.cti), secret=True)
    _unique(source, "gateway", "name", (each.name for each in settings.gateways))
    _telephone_names(settings, source)
    _unique(source, "list", "name", (each.name for each in settings.lists))
    _unique(source, "hours", "name", (each.name for each in settings.hours))
    _unique(source, "group", "name", (each.name for each in settings.groups))
    _unique(source, "ladder", "on", (each.on.value for each in settings.ladders))
    _one_staff_bot(settings, source)
    _lines(settings, source)
    check_telephony(settings, source)
    check_answers(settings, source)
    _listeners(settings, source)


def _unique(source: Source, table: str, key: str, found: Iterable[str | int | Secret], *, secret: bool = False) -> None:
    first: dict[str | int | Secret, int] = {}
    for position, value in enumerate(found):
        if not value:
            continue
        if value in first:
            twice = Sentence("the same") if secret else shown(value)
            source.report(
                (table, position, key),
                Sentence(
                    "{value} stands in {table}[{number}] already", value=twice, table=table, number=first[value] + 1
                ),
                Sentence("Change one"),
            )
        else:
            first[value] = position


def _telephone_names(settings: Settings, source: Source) -> None:
    """A call is known by the account's name and its id there, whichever way the account brings its calls."""
    taken = {pbx.name for pbx in settings.pbx if pbx.name}
    for position, cti in enumerate(settings.cti):
        if cti.name in taken:
            source.report(
                ("cti", position, "name"),
                Sentence("{name} is a [[pbx]] already", name=shown(cti.name)),
                Sentence("Choose another name"),
            )


def _one_staff_bot(settings: Settings, source: Source) -> None:
    staff = [position for position, bot in enumerate(settings.telegram) if bot.staff]
    for position in staff[1:]:
        what = Sentence("telegram[{number}] is the bot that tells the office already", number=staff[0] + 1)
        source.report(("telegram", position, "staff"), what, Sentence("Leave staff = true in one of them"))


def _lines(settings: Settings, source: Source) -> None:
    seen: dict[tuple[str, str | None], int] = {}
    for position, line in enumerate(settings.lines):
        _line_repeats(line, position, seen, source)


def lines_without_pbx(settings: Settings, own: int | None = None) -> tuple[Problem, ...]:
    """Lines of a PBX that there is not. It is asked of the settings in force, for a PBX may be one of the record; those
    behind the first `own` lines are of the record, too."""
    known = {pbx.name for pbx in settings.pbx} | {cti.name for cti in settings.cti}
    where = str(settings.file) if settings.file is not None else "hub.toml"
    found: list[Problem] = []
    for position, line in enumerate(settings.lines, start=1):
        if line.pbx is not None and line.pbx not in known:
            close = nearest(line.pbx, known)
            guess = (
                Sentence('Did you mean "{close}"?', close=close)
                if close
                else Sentence("Connect it on the page «Channels», or add it to hub.toml")
            )
            what = Sentence("there is no PBX named {pbx}: no call comes to this line", pbx=shown(line.pbx))
            kept = own is not None and position > own
            place = f"the record: line «{line.number}»" if kept else where
            found.append(Problem(place, None, "pbx" if kept else f"line[{position}].pbx", what, guess))
    return tuple(found)


def _line_repeats(line: Line, position: int, seen: dict[tuple[str, str | None], int], source: Source) -> None:
    if not line.number:
        return
    first = seen.setdefault((line.number, line.pbx), position)
    if first != position:
        what = Sentence("{line} stands in line[{number}] already", line=shown(line.number), number=first + 1)
        source.report(("line", position, "number"), what, Sentence("Remove one, or name different PBXs"))


def _listeners(settings: Settings, source: Source) -> None:
    """Mailboxes may share a listener among themselves, PBXs too; different protocols may not."""
    spoken: dict[Endpoint, MailProtocol] = {}
    for position, mailbox in enumerate(settings.email):
        if mailbox.listen is not None and mailbox.listen.port:
            first = spoken.setdefault(mailbox.listen, mailbox.protocol)
            if first is not mailbox.protocol:
                what = Sentence(
                    "{place} speaks {protocol} for another mailbox", place=mailbox.listen, protocol=first.value
                )
                source.report(
                    ("email", position, "protocol"), what, Sentence("Choose another port, or the same protocol")
                )
    taken = {settings.http: "http"} if settings.http.port else {}
    by_protocol = (
        ("email", "listen", [mailbox.listen for mailbox in settings.email]),
        ("pbx", "agi", [pbx.agi for pbx in settings.pbx]),
    )
    for table, key, endpoints in by_protocol:
        for position, endpoint in enumerate(endpoints):
            if endpoint is None or not endpoint.port:
                continue
            owner = taken.setdefault(endpoint, f"{table}.{key}")
            if owner != f"{table}.{key}":
                source.report(
                    (table, position, key),
                    Sentence("{place} is taken by {taken_by}", place=endpoint, taken_by=owner),
                    Sentence("Choose another port"),
                )
