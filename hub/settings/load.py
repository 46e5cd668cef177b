"""Putting the configuration together: HUB_* variables over hub.toml over the defaults.

Every relative path, wherever it was given, starts at the folder of hub.toml (without one: at the current folder).
An empty variable counts as not set, except where emptiness says something: HUB_REDIS_URL (stay in process).
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from crm_core.model.user import Language
from hub.settings import entering, sections, telephony, urls, values
from hub.settings.checks import check
from hub.settings.errors import Problem, SettingsError
from hub.settings.model import DEFAULT_HTTP, LOOPBACK, LogFormat, Settings
from hub.settings.reader import Section, Source
from hub.settings.toml_lines import KeyPath, key_lines
from hub.settings.values import Filled, Parser

T = TypeVar("T")
U = TypeVar("U")

PREFIX = "HUB_"
CONFIG = "HUB_CONFIG"
DEFAULT_FILE = "hub.toml"
DEFAULT_DATABASE = "sqlite+aiosqlite:///var/hub.sqlite3"
# Left alone: what belongs to the tests, to the demo, to the unpacked peers and to docker compose.
_OTHERS = ("HUB_TEST_", "HUB_DEMO_", "HUB_PEERS", "HUB_PUBLISH")
# What Kubernetes puts into every container beside a service called "hub".
_SERVICE_LINKS = re.compile(r"HUB_(SERVICE_(HOST|PORT)|PORT($|_\d))")
_EMPTY_COUNTS = {"redis_url"}
_ENVIRONMENT = "environment"


def load_settings(
    environ: Mapping[str, str] | None = None, *, folder: Path | None = None, today: date | None = None
) -> Settings:
    """The configuration of this process; raises SettingsError naming everything that is wrong.

    `environ` stands for the process's environment, `folder` for the current one; `today` is where holidays start.
    """
    environ = os.environ if environ is None else environ
    folder = (folder or Path.cwd()).absolute()
    named = environ.get(CONFIG, "").strip()
    file = folder / (named or DEFAULT_FILE)
    text = _read(file, named or DEFAULT_FILE, optional=not named)
    if text is None:
        return _build("", None, environ, folder, today)
    return _build(text, file, environ, file.parent, today, named=named or DEFAULT_FILE)


def parse_settings(
    text: str, *, environ: Mapping[str, str] | None = None, folder: Path | None = None, today: date | None = None
) -> Settings:
    """The configuration that a hub.toml with this text would make in `folder`; `environ` is empty unless given."""
    folder = (folder or Path.cwd()).absolute()
    return _build(text, folder / DEFAULT_FILE, environ or {}, folder, today)


def _read(file: Path, named: str, *, optional: bool) -> str | None:
    try:
        content = file.read_bytes()
    except OSError as err:
        if optional and isinstance(err, FileNotFoundError):
            return None
        reason = err.strerror or type(err).__name__
        raise SettingsError((Problem(named, None, "", f"the file can't be read: {reason}", f"See {CONFIG}"),)) from err
    except ValueError as err:  # a NUL in the name
        raise SettingsError((Problem(_ENVIRONMENT, None, CONFIG, "is not the name of a file"),)) from err
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = content.count(b"\n", 0, err.start) + 1
        raise SettingsError((Problem(named, line, "", "the text is not UTF-8", "Save the file as UTF-8"),)) from err


def _parse(text: str, named: str) -> tuple[dict[str, object], dict[KeyPath, int]]:
    try:
        return tomllib.loads(text), key_lines(text.replace("\r\n", "\n"))
    except RecursionError as err:
        problem = Problem(named, None, "", "lists or tables are nested too deep")
        raise SettingsError((problem,)) from err
    except ValueError as err:
        what = str(err)
        at = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", what)
        if at is None:
            line = None
        elif at[1] is None:
            line = text.count("\n", 0, len(text.rstrip())) + 1
        else:
            line = int(at[1])
        column = f" (column {at[2]})" if at and at[2] else ""
        what = what.replace(at[0], "") if at else what
        problem = Problem(named, line, "", f"not valid TOML{column}: {what}", "Look at this line and the one above it")
        raise SettingsError((problem,)) from err


def _build(
    text: str,
    file: Path | None,
    environ: Mapping[str, str],
    folder: Path,
    today: date | None,
    *,
    named: str = DEFAULT_FILE,
) -> Settings:
    tree, lines = _parse(text, named)
    source = Source(named, lines, environ)
    scalars = _Scalars(Section(tree, (), source), environ)
    settings = _settings(scalars, file, folder, today or datetime.now(UTC).date())
    scalars.finish(used=set(re.findall(r"\$\{(\w+)\}", text)))
    check(settings, source)
    problems = (*scalars.problems, *sorted(source.problems, key=lambda each: each.line or 0))
    if problems:
        raise SettingsError(problems)
    return settings


class _Scalars:
    """The top-level keys, each of which a variable overrides."""

    def __init__(self, root: Section, environ: Mapping[str, str]) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self._variables = {key: value for key, value in environ.items() if key.startswith(PREFIX)}
        source = Source(_ENVIRONMENT, problems=self.problems)
        # A variable is always a text: numbers and flags are read from it as from what is filled in from the environment
        given = {key: Filled(value, value) if value else value for key, value in self._variables.items()}
        self._environment = Section(given, (), source)
        self._environment.skip(CONFIG)

    def take(self, key: str, parse: Parser[T], default: U) -> T | U:
        variable = PREFIX + key.upper()
        given = self._variables.get(variable)
        if given is None or (not given.strip() and key not in _EMPTY_COUNTS):
            self._environment.skip(variable)
            return self.root.take(key, parse, default)
        self.root.skip(key)
        return self._environment.take(variable, parse, default)

    def finish(self, used: set[str]) -> None:
        """Report unknown keys and variables; a variable that the file fills in with `${…}` is known."""
        linked = "HUB_SERVICE_HOST" in self._variables
        others = {key for key in self._variables if key.startswith(_OTHERS) or (linked and _SERVICE_LINKS.match(key))}
        self.root.finish()
        self._environment.finish(ignore=frozenset(used | others))


def _settings(top: _Scalars, file: Path | None, folder: Path, today: date) -> Settings:
    database = urls.database(folder)
    zone = top.take("time_zone", values.time_zone, ZoneInfo("Europe/Moscow"))
    region = top.take("region", values.region, "RU")
    calendars = top.root.tables("hours", sections.calendar(zone, today))
    settings = Settings(
        folder=folder,
        file=file,
        database_url=top.take("database_url", database, database(DEFAULT_DATABASE)),
        database_connections=top.take("database_connections", values.whole(3, 100), 15),
        redis_url=top.take("redis_url", urls.redis, None),
        http=top.take("http", urls.endpoint, DEFAULT_HTTP),
        public_url=top.take("public_url", values.or_nothing(urls.base_address), None),
        time_zone=zone,
        region=region,
        language=top.take("language", values.one_of(Language), Language.RU),
        secret_key=top.take("secret_key", values.or_nothing(values.secret), None),
        files=top.take("files", sections.path(folder), folder / "var" / "files"),
        log=top.take("log", values.one_of(LogFormat), LogFormat.TEXT),
        trusted_proxies=top.take("trusted_proxies", entering.networks, LOOPBACK),
        telegram=top.root.tables("telegram", sections.telegram),
        vk=top.root.tables("vk", sections.vk),
        email=top.root.tables("email", sections.email(folder)),
        pbx=top.root.tables("pbx", sections.pbx(folder)),
        web=top.root.tables("web", sections.web),
        cti=top.root.tables("cti", sections.cti),
        gateways=top.root.tables("gateway", sections.gateway),
        lines=top.root.tables("line", telephony.line(region)),
        groups=top.root.tables("group", telephony.group),
        lists=top.root.tables("list", sections.special_list),
        hours=calendars,
        ladders=top.root.tables("ladder", sections.ladder({each.name: each for each in calendars})),
        webhooks=top.root.tables("webhook", sections.webhook),
        webhook_private=top.take("webhook_private", values.flag, False),
        routing=top.root.table("routing", sections.routing),
        robot=top.root.table("robot", telephony.robot),
        recordings=top.root.table("recordings", sections.recordings),
        alarms=top.root.table("alarms", sections.alarms),
        imports=top.root.table("imports", sections.imports),
        access=top.root.table("access", entering.access),
        oidc=top.root.optional_table("oidc", entering.oidc),
    )
    return with_staff_bot(settings)


def with_staff_bot(settings: Settings) -> Settings:
    """Where no bot is named for telling the office, the first one does."""
    if not settings.telegram or settings.staff_telegram is not None:
        return settings
    first, *rest = settings.telegram
    return dataclasses.replace(settings, telegram=(dataclasses.replace(first, staff=True), *rest))
