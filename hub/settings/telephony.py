"""What [[line]], [[group]] and [robot] hold, and what they demand of other tables."""

from __future__ import annotations

import re
from collections.abc import Callable

from crm_core.model.calendar import ANY_HOURS
from crm_core.model.line import (
    AT_NIGHT,
    NAMED_GOALS,
    Anonymous,
    Audience,
    Goal,
    Group,
    Line,
    Menu,
    RingStrategy,
    Target,
)
from crm_core.wording import Sentence
from hub.settings import hours, values
from hub.settings.errors import BadValueError, Fault
from hub.settings.model import RobotSettings, Settings
from hub.settings.nearest import nearest
from hub.settings.policies import policy
from hub.settings.reader import Section, Source
from hub.settings.toml_lines import KeyPath
from hub.settings.values import Parser, shown, wrong_type

KEYS = "0123456789*"
MENU_GOALS = frozenset(Goal) - {Goal.RING}
NIGHT_GOALS = frozenset(Goal) - {Goal.MANAGER}

# What may stand in a Dial() string; a bare extension gets the technology of its PBX.
_ENDPOINT = re.compile(r"([A-Za-z0-9]+/[A-Za-z0-9_/@:.+*#-]{1,80}|[0-9]{1,20})\Z")
_SOUND = re.compile(r"[A-Za-z0-9_/.-]{1,120}\Z")
_ENDING = re.compile(r"\.(wav|gsm|ulaw|alaw|mp3|g722|sln\d*|ogg)\Z", re.IGNORECASE)
_LONGEST_RING_S = 600


def line(region: str) -> Callable[[Section], Line]:
    """[[line]]; numbers without a country code are the region's."""

    def read(section: Section) -> Line:
        return Line(
            number=section.need("number", values.line_number(region), ""),
            pbx=section.take("pbx", values.text, None),
            policy=policy(section),
            hours=section.take("hours", calendar_name, None),
            greeting=section.take("greeting", sound, ""),
            menu=_menu(section),
            night=section.take("night", target(NIGHT_GOALS), AT_NIGHT),
            night_sound=section.take("night_sound", sound, ""),
            anonymous=section.take("anonymous", _anonymous, Anonymous.RING),
            record=section.take("record", values.flag, None),
            silence=section.take("silence", values.flag, True),
        )

    return read


def group(section: Section) -> Group:
    """[[group]]"""
    return Group(
        name=section.need("name", values.text, ""),
        strategy=section.take("strategy", values.one_of(RingStrategy), RingStrategy.ALL),
        ring_s=section.take("ring_s", values.whole(1, _LONGEST_RING_S), None),
        hours=section.take("hours", calendar_name, None),
    )


def _anonymous(value: object) -> Anonymous:
    if value == "callback":
        raise BadValueError(
            Sentence('"callback": nobody can ring back a hidden number'), Sentence('Write "ring" or "reject"')
        )
    return values.one_of(Anonymous)(value)


def calendar_name(value: object) -> str | None:
    """The name of a calendar; None for round the clock. Whether there is one is checked when all tables are read."""
    name = values.text(value)
    return None if name == ANY_HOURS else name


def sound(value: object) -> str:
    """A sound of Asterisk's by its name, without ending; several are joined by `&`."""
    found = values.text(value).strip()
    for part in found.split("&"):
        if not _SOUND.match(part):
            raise BadValueError(
                Sentence("{value} is not the name of a sound", value=shown(value)),
                Sentence(
                    'Write it as Asterisk knows it, like "{example}", in Latin letters, digits and the marks _ / . -',
                    example="custom/greeting",
                ),
            )
        ending = _ENDING.search(part)
        if ending is not None:
            raise BadValueError(
                Sentence("{value} has the ending {ending}", value=shown(value), ending=ending[0]),
                Sentence("Leave it out: Asterisk picks the format by itself"),
            )
    return found


def target(allowed: frozenset[Goal]) -> Parser[Target]:
    """Where a call goes: `callback`, `reject`, `ring`, `manager`, `group:NAME`, `user:LOGIN`, or an endpoint."""
    words = {goal.value: goal for goal in Goal if goal in allowed and goal not in NAMED_GOALS | {Goal.ENDPOINT}}
    mend = Sentence("It may be {words}, group:NAME, user:LOGIN or a telephone like PJSIP/150", words=", ".join(words))

    def parse(value: object) -> Target:
        found = values.text(value).strip()
        if found in words:
            return Target(words[found])
        word, colon, name = found.partition(":")
        if colon and word in {goal.value for goal in NAMED_GOALS}:
            if not name.strip():
                raise BadValueError(Sentence("{value} names nobody", value=shown(value)), mend)
            return Target(Goal(word), name.strip())
        if _ENDPOINT.match(found):
            return Target(Goal.ENDPOINT, found)
        close = nearest(word, (*words, *NAMED_GOALS))
        guess = Sentence('Did you mean "{close}"? {mend}', close=close, mend=mend) if close else mend
        raise BadValueError(Sentence("{value} leads nowhere", value=shown(value)), guess)

    return parse


def menu_keys(value: object) -> tuple[tuple[str, Target], ...]:
    """A table of keys and where they lead: `{ "1" = "group:sales", "2" = "callback" }`."""
    mend = Sentence("Write it like {example}", example='{ "1" = "group:sales", "2" = "callback" }')
    if not isinstance(value, dict):
        raise wrong_type("a table of keys", value, mend)
    if not value:
        raise BadValueError(Sentence("no key leads anywhere"), mend)
    found: list[tuple[str, Target]] = []
    faults: list[Fault] = []
    where = target(MENU_GOALS)
    for key, goal in value.items():
        if len(key) != 1 or key not in KEYS:
            # `#` ends the input of Asterisk's Read() before anything is read
            what = Sentence("{value} is no key of a menu", value=shown(key))
            faults.append(Fault(what, Sentence("Keys are 0 to 9 and *"), (key,)))
            continue
        try:
            found.append((key, where(goal)))
        except BadValueError as err:
            faults.extend(Fault(each.what, each.mend, (key, *each.at)) for each in err.faults)
    if faults:
        raise BadValueError("the menu has faults", faults=tuple(faults))
    return tuple(found)


def _menu(section: Section) -> Menu | None:
    keys = section.take("menu", menu_keys, None)
    spoken = section.take("menu_sound", sound, "")
    audience = section.take("menu_for", values.one_of(Audience), Audience.STRANGERS)
    if not section.has("menu"):
        for key in ("menu_sound", "menu_for"):
            if section.has(key):
                section.wrong(
                    key,
                    Sentence("means nothing without a menu"),
                    Sentence("Add {example}", example='menu = { "1" = "group:sales" }'),
                )
        return None
    return Menu(keys, spoken, audience) if keys is not None else None


# ---------------------------------------------------------------- what the tables demand of each other


def check_telephony(settings: Settings, source: Source) -> None:
    """Report calendars and groups that lines and groups name and nobody configured. People are in the record, not in
    the configuration: those are `hub check`'s."""
    for position, each in enumerate(settings.groups):
        _calendar(settings, source, ("group", position, "hours"), each.hours)
    for position, line_ in enumerate(settings.lines):
        _calendar(settings, source, ("line", position, "hours"), line_.hours)
        if line_.menu is not None:
            for key, goal in line_.menu.keys:
                _group(settings, source, ("line", position, "menu", key), goal)
        _group(settings, source, ("line", position, "night"), line_.night)


def _calendar(settings: Settings, source: Source, path: KeyPath, name: str | None) -> None:
    known = [each.name for each in settings.hours]
    if name is not None and name not in known:
        close = nearest(name, (*known, ANY_HOURS))
        guess = f'Did you mean "{close}"?' if close else f'Add one, or write "{ANY_HOURS}"'
        source.report(path, f"there is no [[hours]] named {shown(name)}", guess)


def _group(settings: Settings, source: Source, path: KeyPath, goal: Target) -> None:
    if goal.goal is not Goal.GROUP:
        return
    known = group_names(settings)
    if goal.name not in known:
        close = nearest(goal.name, known)
        add = f'add [[group]] name = "{goal.name}"'
        guess = f'Did you mean "group:{close}"? Else {add}' if close else f"{add[0].upper()}{add[1:]}"
        source.report(path, f"there is no group named {shown(goal.name)}", guess)


def group_names(settings: Settings) -> frozenset[str]:
    """Every group that the configuration names: in [[group]], and as `group` of accounts and lines."""
    policies = [line_.policy for line_ in settings.lines]
    policies += [bot.policy for bot in settings.telegram] + [each.policy for each in settings.vk]
    policies += [box.policy for box in settings.email] + [site.policy for site in settings.web]
    policies += [each.policy for each in settings.cti] + [each.policy for each in settings.gateways]
    named = {each.group for each in policies if each.group is not None}
    return frozenset(named | {each.name for each in settings.groups if each.name})


def robot(section: Section) -> RobotSettings:
    """[robot]"""
    plain = RobotSettings()
    return RobotSettings(
        on_take=section.take("on_take", values.flag, plain.on_take),
        on_missed=section.take("on_missed", values.flag, plain.on_missed),
        on_order=section.take("on_order", values.flag, plain.on_order),
        client_hours=section.take("client_hours", hours.span, plain.client_hours),
        attempts=section.take("attempts", values.whole(1, 100), plain.attempts),
        spacing=section.take("spacing", values.positive_duration, plain.spacing),
        announce=section.take("announce", values.flag, plain.announce),
        sound=section.take("sound", sound, plain.sound),
        ring_s=section.take("ring_s", values.whole(5, 120), plain.ring_s),
    )
