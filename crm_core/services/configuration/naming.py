"""Whether what stages, scorings, ladders, groups and lines name is there: people, calendars, fields and their options.
Else words that say what is missing, where, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from crm_core.errors import InvalidInput
from crm_core.model.calendar import ANY_HOURS
from crm_core.model.definitions import (
    FieldBody,
    GroupBody,
    LadderBody,
    LineBody,
    PipelineSettings,
    RecordTypeBody,
    ScoringBody,
    Section,
    StageSettings,
    TagGroupBody,
)
from crm_core.model.definitions.rules import PLAIN_KINDS
from crm_core.model.definitions.scoring import WORKED_OUT, Part
from crm_core.model.expressions import Program, compiled
from crm_core.model.fields import fields_of
from crm_core.model.user import Role
from crm_core.services.cards.criteria import VARIABLES
from crm_core.services.cards.pipelines import OWN_COLUMNS
from crm_core.services.desk import Desk
from crm_core.services.scope import nearest, unknown_names
from crm_core.wording import Sentence

_DEAL = "deal"
_DOERS = ("owner", "manager", "head", "controller", "director")


def check_pipeline(desk: Desk, of_type: str, settings: PipelineSettings) -> None:
    """Raise InvalidInput for the first thing that a pipeline of cards of a type names and that is not there."""
    if of_type != _DEAL and desk.catalogue.body(Section.RECORD_TYPE, of_type, RecordTypeBody) is None:
        raise InvalidInput("type: there is no type of records «{of_type}»", of_type=of_type)
    roles = [each.value for each in Role]
    for name in settings.roles:
        if name not in roles:
            raise InvalidInput(
                "roles: there is no role «{role}», only {roles}", role=name, roles=", ".join(sorted(roles))
            )
    people = (each.group for each in desk.work.staff.by_login.values() if each.group)
    groups = {*people, *desk.office.groups, *desk.catalogue.section(Section.GROUP)}
    for name in settings.groups if groups else ():
        _demand(Sentence("groups: there is no group"), name, groups)


def check_stage(desk: Desk, settings: StageSettings, of_type: str) -> None:
    """Raise InvalidInput for the first thing that a stage names and that is not there."""
    logins = desk.work.staff.by_login
    if settings.owner is not None and settings.owner not in logins:
        raise InvalidInput(
            "owner: there is no user «{user}»{meant}", user=settings.owner, meant=nearest(settings.owner, logins)
        )
    _check_hours(desk, settings.hours, "hours")
    if settings.enter_when:
        _check_names(desk, "enter_when", settings.enter_when, of_type, criteria=True)
    declared = fields_of(desk.catalogue, of_type)
    for key in settings.required if declared.by_key else ():
        _demand(Sentence("required: a {kind} has no field", kind=of_type), key, (*declared.by_key, *OWN_COLUMNS))
    for number, task in enumerate(settings.tasks):
        if task.assignee not in logins:
            _demand(
                Sentence("tasks.{number}.assignee: there is nobody", number=number), task.assignee, (*_DOERS, *logins)
            )
        _check_hours(desk, task.hours, f"tasks.{number}.hours")


def check_scoring(desk: Desk, scoring: ScoringBody) -> None:
    """Raise InvalidInput for the first field or option that a scoring names and that is not there."""
    grade, clients = scoring.grade, scoring.clients
    if grade is not None:
        _check_kind(desk, "grade.of", grade.of)
        if grade.formula:
            _check_names(desk, "grade.formula", grade.formula, grade.of)
        _check_parts(desk, "grade.parts", grade.of, grade.parts, ())
    if clients is not None:
        _check_parts(desk, "clients.relation", "contact", clients.relation, WORKED_OUT)
        _check_parts(desk, "clients.attraction", "contact", clients.attraction, WORKED_OUT)


def check_ladder(desk: Desk, ladder: LadderBody) -> None:
    """Raise InvalidInput where a ladder's calendar is not there."""
    _check_hours(desk, ladder.hours, "hours")


def check_group(desk: Desk, group: GroupBody) -> None:
    """Raise InvalidInput where a group's calendar is not there."""
    _check_hours(desk, group.hours, "hours")


def check_line(desk: Desk, line: LineBody) -> None:
    """Raise InvalidInput for the first thing that a line names and that is not there."""
    _check_hours(desk, line.hours, "hours")
    if line.pbx is not None:
        _demand(Sentence("pbx: there is no PBX"), line.pbx, sorted({*desk.office.dial, *desk.office.naming}))
    if line.pipeline is not None:
        pipelines = [each.name for each in desk.catalogue.pipelines if not each.record.archived]
        _demand(Sentence("pipeline: there is no pipeline"), line.pipeline, pipelines)
    active = [each for each in desk.work.staff.by_login.values() if each.active]
    groups = {each.group for each in active if each.group}
    groups |= {*desk.office.groups, *desk.catalogue.section(Section.GROUP)}
    for where, goal in (("night", line.night), *((f"menu.{key}", each) for key, each in line.menu.items())):
        kind, _colon, name = goal.partition(":")
        if kind == "group":
            _demand(Sentence("{where}: there is no group", where=where), name.strip(), sorted(groups))
        elif kind == "user":
            _demand(Sentence("{where}: there is no user", where=where), name.strip(), [each.login for each in active])


def check_role(name: str) -> None:
    """Raise InvalidInput where a definition of rights is of no role, or of the one that keeps all of them."""
    roles = sorted(each.value for each in Role if each is not Role.ADMIN)
    if name not in roles:
        raise InvalidInput(
            "name: there is no role «{role}» whose rights can be changed, only {roles}",
            role=name,
            roles=", ".join(roles),
        )


def check_tags(desk: Desk, group: TagGroupBody) -> None:
    """Raise InvalidInput where a group of tags stands on records that there are none of."""
    for kind in group.on:
        _check_kind(desk, "on", kind)


def check_field(desk: Desk, field: FieldBody) -> None:
    """Raise InvalidInput where a field stands on records that there are none of."""
    _check_kind(desk, "of", field.of)


def _check_parts(desk: Desk, where: str, kind: str, parts: Iterable[Part], more: Iterable[str]) -> None:
    declared = fields_of(desk.catalogue, kind).by_key
    for number, part in enumerate(parts):
        if part.field in more or not declared:
            continue
        _demand(
            Sentence("{where}: a {kind} has no field", where=f"{where}.{number}.field", kind=kind),
            part.field,
            (*declared, *more),
        )
        options = declared[part.field].body.options
        for chosen in (*part.letters, *part.points) if options else ():
            _demand(
                Sentence("{where}: «{field}» has no option", where=f"{where}.{number}", field=part.field),
                chosen,
                options,
            )


def _check_kind(desk: Desk, where: str, kind: str) -> None:
    _demand(
        Sentence("{where}: there is no kind of records", where=where),
        kind,
        (*sorted(PLAIN_KINDS), _DEAL, *desk.catalogue.section(Section.RECORD_TYPE)),
    )


def _check_hours(desk: Desk, name: str | None, where: str) -> None:
    known = {*desk.office.calendars, *desk.catalogue.section(Section.HOURS)}
    if name is not None and name != ANY_HOURS and name not in known:
        words = ", ".join(f"«{each}»" for each in sorted(known)) or Sentence("none is configured")
        raise InvalidInput(
            "{where}: there is no calendar «{calendar}» ({words})", where=where, calendar=name, words=words
        )


def _check_names(desk: Desk, where: str, text: str, kind: str, *, criteria: bool = False) -> None:
    try:
        program: Program = compiled(text)
    except ValueError as err:
        raise InvalidInput("{where}: {why}", where=where, why=err) from err
    unknown = unknown_names(desk.catalogue, program, kind, VARIABLES if criteria else None)
    if unknown:
        raise InvalidInput("{where}: {why}", where=where, why=unknown[0])


def _demand(what: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise InvalidInput("{what} «{name}»{meant}", what=what, name=name, meant=nearest(name, names))
