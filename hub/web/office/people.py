"""The people of the office: who they are and what they may, passwords, absence, and what is theirs given to others."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, ValidationError

from crm_core.errors import Conflict, CoreError, Forbidden, InvalidIdentity, InvalidInput, NotFound, StorageUnavailable
from crm_core.model.access import Access
from crm_core.model.definitions import Body
from crm_core.model.definitions.base import Line, Name
from crm_core.model.rights import Right
from crm_core.model.user import Absence, Role, User
from crm_core.services.desk import Desk
from crm_core.storage import users as storage
from crm_core.storage.entering import Factor, factor_of
from crm_core.storage.queries.within import connection_of
from crm_core.storage.sessions import OpenSession, list_sessions
from crm_core.storage.users import NewUser, UserChange, add_user, update_user
from hub.access.others_keys import end_one_session, end_sessions, take_factor_off
from hub.access.remote import remote_of
from hub.access.security import LONGEST_PASSWORD, SHORTEST_PASSWORD
from hub.exchange.handing_over import hand_over
from hub.web.doing import part, settled
from hub.web.moments import moment_of
from hub.web.office.forms.filled import Faults, Sent, Values, fault_in, faults_of, values_of
from hub.web.office.forms.inputs import drawn
from hub.web.office.forms.offers import offers_of
from hub.web.office.forms.seals import demand_same, seal
from hub.web.pages import Answer, Pages, access_here, number_in, user_here
from hub.web.routes import Route, does, shows
from hub.web.tongues import _, ngettext

_HOME = "/office/people"


class PersonForm(Body):
    """Somebody as the page takes them; `absent_from` and `absent_until` are local times."""

    name: Name
    role: Role = Role.MANAGER
    group: Line | None = None
    extension: Line | None = None
    telegram_id: Annotated[int, Field(ge=1, lt=2**52)] | None = None
    email: Line | None = None
    deputy: Line | None = None
    controller: Line | None = None
    hours: Line | None = None
    do_not_disturb: bool = False


_PLAIN = tuple(PersonForm.model_fields)


class People:
    """The pages of people."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def routes(self) -> tuple[Route, ...]:
        """The routes of people."""
        one = rf"{_HOME}/{{login:[\w.@+-]{{1,64}}}}"
        return (
            shows(_HOME, self.show_all, Right.KEEP_STAFF),
            shows("/office/new-person", self.show_new, Right.KEEP_STAFF),
            does("/office/new-person", self.add, Right.KEEP_STAFF),
            shows(one, self.show, Right.KEEP_STAFF),
            does(one, self.change, Right.KEEP_STAFF),
            does(f"{one}/password", self.set_password, Right.KEEP_STAFF),
            does(f"{one}/active", self.set_active, Right.KEEP_STAFF),
            does(f"{one}/factor", self.take_factor, Right.KEEP_STAFF),
            does(f"{one}/sessions", self.end_sessions, Right.KEEP_STAFF),
            does(rf"{one}/sessions/{{id:\d+}}/end", self.end_one_session, Right.KEEP_STAFF),
            does(f"{one}/hand-over", self.hand_over, Right.HAND_OVER),
        )

    async def show_all(self, request: web.Request) -> Answer:
        """Everybody, the disabled below."""
        hub, access = self.pages.hub, access_here(request)
        users = await hub.store.read(lambda conn: storage.list_users(conn, access))
        now, office = hub.clock.now(), hub.store.office
        groups: dict[str, int] = {}
        for user in users:
            if user.active and user.group:
                groups[user.group] = groups.get(user.group, 0) + 1
        return self.pages.render(
            request,
            "office/people.html",
            people=sorted((each for each in users if each.active), key=_by_name),
            gone=sorted((each for each in users if not each.active), key=_by_name),
            present={each.login for each in users if each.present(now)},
            working={each.login for each in users if office.works(each, now)},
            groups=sorted(groups.items()),
            staff={each.login: each.name for each in users},
        )

    async def show_new(self, request: web.Request) -> Answer:
        """A form for somebody new."""
        return await self._drawn(request, None, {"role": Role.MANAGER.value}, {})

    async def show(self, request: web.Request) -> Answer:
        """One person."""
        user = await self._person(request)
        return await self._drawn(request, user, _values(user), {})

    async def add(self, request: web.Request) -> Answer:
        """Add somebody, with their first password where one is given."""
        sent = Sent((await request.post()).items())
        login, values = sent.one("login").strip(), values_of(PersonForm, sent)
        form, faults = _form(values)
        password = sent.one("password")
        if password and not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            faults = {**faults, "password": [_too_short()]}
        if form is None or faults:
            return await self._drawn(request, None, values, faults, login=login, typed=bool(password), status=400)
        hashed = await self.pages.passwords.hash(password) if password else None
        known = {each.name for each in fields(NewUser)}
        given = {key: getattr(form, key) for key in _PLAIN if key in known}
        new = NewUser(login=login, password_hash=hashed, **given)
        try:
            await self._act(request, lambda desk: add_user(desk, new))
        except (StorageUnavailable, Forbidden):
            raise
        except CoreError as err:
            faults = _fault(err)
            return await self._drawn(request, None, values, faults, login=login, typed=bool(password), status=400)
        raise self.pages.redirect(request, _HOME, _("{name} is added.").format(name=form.name))

    async def change(self, request: web.Request) -> Answer:
        """Change somebody."""
        user = await self._person(request)
        sent = Sent((await request.post()).items())
        values = values_of(PersonForm, sent)
        form, faults = _form(values)
        absence: Absence | None = None
        try:
            absence = self._absence(sent)
        except InvalidInput as err:
            faults = {**faults, "absence": [str(err)]}
        if user.login == user_here(request).login and form is not None and form.role is not user.role:
            faults = {**faults, "role": [_("Nobody takes their own access away: ask another administrator.")]}
        if form is None or faults:
            return await self._drawn(request, user, values, faults, away=_away(sent), seen=sent.one("seen"), status=400)
        change = UserChange(absence=absence, **{key: getattr(form, key) for key in _PLAIN})

        def service(desk: Desk) -> User:
            now = storage.find_user(connection_of(desk), desk.access, user.login)
            demand_same(sent.one("seen"), _sealed(now or user))
            return update_user(desk, user.login, change)

        try:
            await self._act(request, service)
        except (StorageUnavailable, Forbidden):
            raise
        except CoreError as err:
            outdated = isinstance(err, Conflict)
            seen = "" if outdated else sent.one("seen")  # whoever saves again has been told
            user, status = (await self._person(request), 409) if outdated else (user, 400)
            return await self._drawn(request, user, values, _fault(err), away=_away(sent), seen=seen, status=status)
        raise self.pages.redirect(request, _HOME, _("«{name}» is saved.").format(name=form.name))

    async def set_password(self, request: web.Request) -> Answer:
        """Give somebody another password."""
        user = await self._person(request)
        password = Sent((await request.post()).items()).one("password")
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            return await self._drawn(request, user, _values(user), {"password": [_too_short()]}, status=400)
        hashed = await self.pages.passwords.hash(password)
        await self._act(request, lambda desk: update_user(desk, user.login, UserChange(password_hash=hashed)))
        raise self.pages.redirect(request, _at(user), _("The password is changed: tell it to them in person."))

    async def set_active(self, request: web.Request) -> Answer:
        """Take somebody's access away, or give it back."""
        user = await self._person(request)
        active = Sent((await request.post()).items()).one("active") == "1"
        if user.login == user_here(request).login:
            said = _("Nobody takes their own access away: ask another administrator.")
            raise self.pages.redirect(request, _at(user), said)
        await self._act(request, lambda desk: update_user(desk, user.login, UserChange(active=active)))
        raise self.pages.redirect(
            request, _at(user), _("Access is given back.") if active else _("Access is taken away.")
        )

    async def take_factor(self, request: web.Request) -> Answer:
        """Take off the second factor of somebody who lost it; one's own is taken off with a code, on one's own page."""
        user = await self._person(request)
        if user.login == user_here(request).login:
            raise self.pages.redirect(request, _at(user), _("Your own second factor is taken off on your own page."))
        by, remote = user_here(request).login, remote_of(request)
        taken = await self.pages.act(request, lambda desk: take_factor_off(desk, user.login, by=by, remote=remote))
        if not taken:
            raise self.pages.redirect(request, _at(user), _("There is no second factor any more."))
        said = _("The second factor is off, and {name} is logged out everywhere. A password alone opens now.")
        raise self.pages.redirect(request, _at(user), said.format(name=user.name))

    async def end_sessions(self, request: web.Request) -> Answer:
        """Log somebody out of every browser."""
        user = await self._person(request)
        if user.login == user_here(request).login:
            raise self.pages.redirect(request, _at(user), _("Your own sessions are ended on your own page."))
        by, remote = user_here(request).login, remote_of(request)
        await self.pages.act(request, lambda desk: end_sessions(desk, user.login, by=by, remote=remote))
        raise self.pages.redirect(request, _at(user), _("{name} is logged out everywhere.").format(name=user.name))

    async def end_one_session(self, request: web.Request) -> Answer:
        """Log somebody out of one browser."""
        user, ident = await self._person(request), number_in(request)
        by, remote = user_here(request).login, remote_of(request)
        ended = await self.pages.act(
            request, lambda desk: end_one_session(desk, user.login, ident, by=by, remote=remote)
        )
        said = _("The session is ended.") if ended else _("The session had ended already.")
        raise self.pages.redirect(request, _at(user), said)

    async def hand_over(self, request: web.Request) -> Answer:
        """Give all that is somebody's to others."""
        login = request.match_info["login"]
        sent = Sent((await request.post()).items())
        disable = sent.has("disable")
        back = f"{_HOME}/{login}"
        if disable and login == user_here(request).login:
            said = _("Nobody takes their own access away: ask another administrator.")
            raise self.pages.redirect(request, back, said)
        try:
            act = await hand_over(
                self.pages.hub.store,
                login,
                author=user_here(request).login,
                to=sent.all("to"),
                group=sent.one("group") or None,
                disable=disable,
                access=access_here(request),
                remote=request.remote or "",
            )
        except (StorageUnavailable, Forbidden):
            raise
        except CoreError as err:
            raise self.pages.redirect(request, back, str(err)) from err
        count = sum(sum(each.values()) for each in act.given.values())
        said = ngettext("{count} record was handed over.", "{count} records were handed over.", count)
        raise self.pages.redirect(request, back, said.format(count=count))

    # ------------------------------------------------------------ inside

    async def _person(self, request: web.Request) -> User:
        access, login = access_here(request), request.match_info["login"]
        user = await self.pages.hub.store.read(lambda conn: storage.find_user(conn, access, login))
        if user is None:
            raise NotFound("there is no user «{user}»", user=login)
        return user

    async def _keys_of(self, access: Access, user: User | None) -> tuple[Factor | None, tuple[OpenSession, ...]]:
        """The second factor and the sessions of somebody."""
        if user is None:
            return None, ()
        login, now = user.login, self.pages.hub.clock.now()
        return await self.pages.hub.store.read(
            lambda conn: (factor_of(conn, access, login), list_sessions(conn, access, login, now))
        )

    async def _act(self, request: web.Request, service: Any) -> None:
        await settled(self.pages, request, service)

    def _absence(self, sent: Sent) -> Absence | None:
        zone, now = self.pages.hub.settings.time_zone, self.pages.hub.clock.now()

        since, until = (moment_of(sent.one(name).strip(), zone) for name in ("absent_from", "absent_until"))
        if since is None and until is None:
            return None
        since = since or now
        if until is not None and until <= since:
            raise InvalidInput(_("The absence ends before it begins."))
        return Absence(since, until)

    async def _drawn(
        self,
        request: web.Request,
        user: User | None,
        values: Values,
        faults: Faults,
        *,
        login: str = "",
        typed: bool = False,
        seen: str = "",
        away: tuple[str, str] | None = None,
        status: int = 200,
    ) -> Answer:
        store = self.pages.hub.store
        offers, people = await store.look(
            lambda desk: (offers_of(desk), tuple(each for each in desk.work.staff.by_login.values() if each.active))
        )
        kept, sessions = await self._keys_of(access_here(request), user)
        usual, more = drawn(PersonForm, values, faults, offers)
        known = {*PersonForm.model_fields, *(("password",) if user is None else ())}
        answer = self.pages.render(
            request,
            "office/person.html",
            status=status,
            person=user,
            login=login,
            seen=seen or (seal(_sealed(user)) if user is not None else ""),
            typed_password=typed and "password" not in faults,
            away=away,
            inputs=[*usual, *more],
            faults=faults,
            others=[text for path, texts in faults.items() if path not in known for text in texts],
            takers=[each for each in people if user is None or each.login != user.login],
            groups=offers.of("PersonForm", "group"),
            shortest=SHORTEST_PASSWORD,
            factor=kept,
            sessions=sessions,
            demanded=user is not None and user.role in self.pages.hub.settings.access.second_factor,
            oneself=user is not None and user.login == user_here(request).login,
            may_hand_over=access_here(request).may(Right.HAND_OVER),
        )
        return part(answer)


def _fault(err: CoreError) -> Faults:
    """What the record refuses, beside its input."""
    if isinstance(err, InvalidIdentity):
        return {"email": [str(err)]}
    return fault_in(PersonForm, str(err))


def _form(values: Values) -> tuple[PersonForm | None, Faults]:
    try:
        return PersonForm.model_validate(values), {}
    except ValidationError as err:
        return None, faults_of(PersonForm, err)


def _values(user: User) -> Values:
    found = {key: getattr(user, key) for key in _PLAIN}
    return {**found, "role": user.role.value}


def _sealed(user: User) -> Values:
    """What the form is drawn with."""
    away = user.absence
    since, until = (away.since, away.until) if away is not None else (None, None)
    return {**_values(user), "away": [each.isoformat() if each is not None else None for each in (since, until)]}


def _away(sent: Sent) -> tuple[str, str]:
    """The absence as it was typed."""
    return sent.one("absent_from"), sent.one("absent_until")


def _by_name(user: User) -> tuple[str, str]:
    return user.name.casefold(), user.login


def _at(user: User) -> str:
    return f"{_HOME}/{user.login}"


def _too_short() -> str:
    return _("A password has at least {count} characters.").format(count=SHORTEST_PASSWORD)
