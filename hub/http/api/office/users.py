"""The people of the office."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from crm_core.errors import NotFound
from crm_core.model.office import Office
from crm_core.model.user import Absence, Role, User
from crm_core.services.desk import Desk
from crm_core.storage import users as people
from crm_core.storage.queries.pages import Reading
from crm_core.storage.users import NewUser, UserChange
from crm_core.wording import Sentence
from hub.http.operations import Call, Operation, act, read
from hub.http.problems import Problem
from hub.http.rights import Right
from hub.http.types import Given, Login, Moment, Named, NoBody, Paged, Query, Short, Taken

_TAG = "users"


class AbsenceBody(Taken):
    """From when to when somebody is away; without `from` as of now, without `until` until further notice."""

    since: Moment | None = Field(default=None, validation_alias="from")
    until: Moment | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> AbsenceBody:
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ValueError(Sentence("«until» lies after «from»"))
        return self


def _not_null(value: Any, info: ValidationInfo) -> Any:
    if value is None:
        raise ValueError(Sentence("«{field_name}» can't be empty", field_name=info.field_name))
    return value


class UserBody(Taken):
    """What is to be changed of somebody; null clears what may be empty."""

    name: Annotated[Named | None, AfterValidator(_not_null)] = None
    role: Annotated[Role | None, AfterValidator(_not_null)] = None
    extension: Short | None = None
    telegram_id: Annotated[int, Field(strict=True, ge=1, lt=2**52)] | None = None
    email: Short | None = None
    group: Short | None = None
    deputy: Login | None = None
    controller: Login | None = None
    absence: AbsenceBody | None = None
    do_not_disturb: Annotated[bool | None, AfterValidator(_not_null)] = None
    hours: Short | None = None
    active: Annotated[bool | None, AfterValidator(_not_null)] = None


class NewUserBody(Taken):
    """Somebody to be added; they log in to the pages once `hub user` or an administrator gave them a password."""

    login: Login
    name: Named
    role: Role
    extension: Short | None = None
    telegram_id: Annotated[int, Field(strict=True, ge=1, lt=2**52)] | None = None
    email: Short | None = None
    group: Short | None = None
    deputy: Login | None = None
    controller: Login | None = None
    hours: Short | None = None


class AwayTime(Given):
    """From when to when somebody is away; null as `until`: until further notice."""

    since: datetime = Field(serialization_alias="from")
    until: datetime | None


class Person(Given):
    """Somebody of the office. `hours` names the calendar they work in, null: their group's. `present`: new work may be
    given to them now; `working`: it is their working time."""

    id: int
    login: str
    name: str
    role: Role
    extension: str | None
    telegram_id: int | None
    email: str | None
    group: str | None
    deputy: str | None
    controller: str | None
    absence: AwayTime | None
    do_not_disturb: bool
    hours: str | None
    active: bool
    present: bool
    working: bool


class People(Paged[Person]):
    """Everybody, by login."""


def person_json(user: User, at: datetime, office: Office) -> Person:
    """A person on the wire, present and at work or not at this moment."""
    away = user.absence
    same = set(Person.model_fields) - {"absence", "present", "working"}
    return Person(
        **{name: getattr(user, name) for name in same},
        absence=AwayTime(since=away.since, until=away.until) if away is not None else None,
        present=user.present(at),
        working=office.works(user, at),
    )


def _listed(conn: Reading, call: Call[Query, NoBody]) -> People:
    now = call.hub.clock.now()
    return People(
        items=[person_json(user, now, call.hub.store.office) for user in people.list_users(conn, call.access)],
        next=None,
    )


def _one(conn: Reading, call: Call[Query, NoBody]) -> Person:
    user = people.find_user(conn, call.access, call.path["login"])
    if user is None:
        raise NotFound("there is no user «{user}»", user=call.path["login"])
    return person_json(user, call.hub.clock.now(), call.hub.store.office)


def _made(desk: Desk, call: Call[Any, NewUserBody]) -> Person:
    new = NewUser(**{name: getattr(call.body, name) for name in NewUserBody.model_fields})
    return person_json(people.add_user(desk, new), desk.now, desk.office)


def _corrected(desk: Desk, call: Call[Any, UserBody]) -> Person:
    login, body = call.path["login"], call.body
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if body.absence is not None:
        given["absence"] = Absence(body.absence.since or desk.now, body.absence.until)
    changed = people.update_user(desk, login, UserChange(**given))
    if login == call.user.login and not (changed.active and changed.role is call.user.role):
        raise Problem(409, Sentence("nobody takes their own access away: ask another administrator"), kind="conflict")
    return person_json(changed, desk.now, desk.office)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/users",
        _listed,
        tag=_TAG,
        summary="The people of the office, the disabled included",
        right=Right.SEE_STAFF,
        response=People,
    ),
    act(
        "POST",
        "/users",
        _made,
        tag=_TAG,
        summary="Add somebody, and their group where it is new",
        right=Right.KEEP_STAFF,
        body=NewUserBody,
        response=Person,
        status=201,
        decides_calls=True,
    ),
    read("/users/{login}", _one, tag=_TAG, summary="One person", right=Right.SEE_STAFF, response=Person),
    act(
        "PATCH",
        "/users/{login}",
        _corrected,
        tag=_TAG,
        summary="Change somebody; of themselves everybody sets absence, deputy and do-not-disturb",
        right=Right.SEE_STAFF,
        body=UserBody,
        response=Person,
        decides_calls=True,
    ),
)
