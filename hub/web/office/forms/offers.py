"""What there is in this office that fields of the configuration may name."""

from __future__ import annotations

from crm_core.model.calendar import ANY_HOURS
from crm_core.model.definitions import RecordTypeBody, Section
from crm_core.model.definitions.rules import PLAIN_KINDS
from crm_core.model.fields import fields_of
from crm_core.model.user import Role
from crm_core.services.desk import Desk
from hub.web.office.forms.inputs import Choice, Offers
from hub.web.office.forms.labels import value_word
from hub.web.words import channel_word

_CHANNELS = ("telegram", "vk", "email", "web", "gateway")


def offers_of(desk: Desk, of: str = "deal") -> Offers:
    """What is proposed by the forms; `of` is the kind of records whose fields are meant."""
    catalogue, office = desk.catalogue, desk.office
    people = [user for user in desk.work.staff.by_login.values() if user.active]
    logins = sorted(user.login for user in people)
    groups = sorted({user.group for user in people if user.group} | {*office.groups, *catalogue.section(Section.GROUP)})
    hours = [*dict.fromkeys([*office.calendars, *catalogue.section(Section.HOURS)]), ANY_HOURS]
    pipelines = [each for each in catalogue.pipelines if not each.record.archived]
    stages = list(dict.fromkeys(stage.name for each in pipelines for stage in each.in_use))
    roles = [each.value for each in Role]
    who = ["manager", "responsible", *roles, *(f"group:{name}" for name in groups), *logins]
    keys = list(fields_of(catalogue, of).by_key)
    named = {
        "pbx": sorted({*office.dial, *office.naming}),
        "LineBody.night": ["callback", "reject", "ring", *(f"group:{name}" for name in groups)],
        "template": list(catalogue.section(Section.TEMPLATE)),
        "chain": list(catalogue.section(Section.CHAIN)),
        "segment": list(catalogue.section(Section.SEGMENT)),
        "pipeline": [each.name for each in pipelines],
        "pipelines": [each.name for each in pipelines],
        "stage": stages,
        "stages": stages,
        "hours": hours,
        "group": groups,
        "groups": groups,
        "roles": roles,
        "owner": logins,
        "login": logins,
        "deputy": logins,
        "controller": logins,
        "managers": logins,
        "assignee": ["owner", "manager", "head", "controller", "director", *logins],
        "required": keys,
        "channels": list(_CHANNELS),
        "MakeTask.to": who,
        "FieldBody.group": sorted(
            {each.body.group for each in fields_of(catalogue, of).by_key.values() if each.body.group}
        ),
        "field": [*(f"fields.{key}" for key in keys)],
        "Part.field": keys,
    }
    types = [Choice(each.name, body.titles) for each, body in catalogue.bodies(Section.RECORD_TYPE, RecordTypeBody)]
    kinds = [Choice(each, value_word("of", each)) for each in ("deal", *sorted(PLAIN_KINDS))]
    fields = fields_of(catalogue, of).by_key.items()
    titles = {("required", key): each.title for key, each in fields}
    titles |= {("channels", each): channel_word(each) for each in _CHANNELS}
    return Offers(named, (*kinds, *types), titles)
