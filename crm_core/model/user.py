"""The people of the office: who they are, how they are rung, who stands in for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person may see and what they are told."""

    ADMIN = "admin"
    DIRECTOR = "director"
    HEAD = "head"
    CONTROLLER = "controller"
    MANAGER = "manager"
    MARKETER = "marketer"


class Language(StrEnum):
    """The languages of the interface."""

    RU = "ru"
    EN = "en"


class Theme(StrEnum):
    """How pages are coloured; `auto` as the browser's own system is."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Tastes:
    """How a person likes the pages. `language` None: the office's; `sound` and `notifications` (those of the desktop)
    are made when something concerns them."""

    language: Language | None = None
    theme: Theme = Theme.AUTO
    sound: bool = True
    notifications: bool = False

    @classmethod
    def of(cls, kept: object) -> Tastes:
        """The tastes in plain data as it is kept; what is not understood is as usual."""
        plain = kept if isinstance(kept, Mapping) else {}
        usual, language, theme = cls(), plain.get("language"), plain.get("theme")
        sound, notifications = plain.get("sound"), plain.get("notifications")
        return cls(
            language=Language(language) if language in list(Language) else usual.language,
            theme=Theme(theme) if theme in list(Theme) else usual.theme,
            sound=sound if isinstance(sound, bool) else usual.sound,
            notifications=notifications if isinstance(notifications, bool) else usual.notifications,
        )

    def plain(self) -> dict[str, str | bool | None]:
        """As it is kept."""
        return asdict(self)


PLAIN_TASTES = Tastes()


@dataclass(frozen=True, slots=True)
class Absence:
    """From when to when a person is away; None as `until` means until further notice."""

    since: datetime
    until: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether the person is away at this moment."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class User:
    """A person of the office. `extension` is a dialable endpoint such as `PJSIP/101` or a bare `101`; `hours` names the
    calendar in which they work, None the one of their group."""

    id: int
    login: str
    name: str
    role: Role
    extension: str | None = None
    telegram_id: int | None = None
    email: str | None = None
    group: str | None = None
    deputy: str | None = None
    controller: str | None = None
    absence: Absence | None = None
    do_not_disturb: bool = False
    active: bool = True
    hours: str | None = None
    tastes: Tastes = PLAIN_TASTES

    def present(self, at: datetime) -> bool:
        """Whether new work may be given to this person now."""
        return self.active and not (self.absence is not None and self.absence.covers(at))


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody of the office at one moment, by login. Who is in a group or has a role is found out once."""

    by_login: dict[str, User]
    _of_group: dict[str, tuple[User, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _of_role: dict[Role, tuple[User, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, users: tuple[User, ...]) -> Staff:
        """The staff made of these people."""
        return cls({user.login: user for user in users})

    def get(self, login: str | None) -> User | None:
        """The person with this login, if there is one."""
        return self.by_login.get(login) if login is not None else None

    def members(self, group: str | None) -> tuple[User, ...]:
        """The active people of a group, by id."""
        if group is None:
            return ()
        known = self._of_group.get(group)
        if known is None:
            known = self._of_group[group] = self._active(lambda user: user.group == group)
        return known

    def with_role(self, role: Role) -> tuple[User, ...]:
        """The active people with a role, by id."""
        known = self._of_role.get(role)
        if known is None:
            known = self._of_role[role] = self._active(lambda user: user.role is role)
        return known

    def by_telegram(self, telegram_id: int) -> User | None:
        """The active person with this Telegram id, if there is one."""
        return next((user for user in self.by_login.values() if user.active and user.telegram_id == telegram_id), None)

    def _active(self, wanted: Callable[[User], bool]) -> tuple[User, ...]:
        found = (user for user in self.by_login.values() if user.active and wanted(user))
        return tuple(sorted(found, key=lambda user: user.id))
