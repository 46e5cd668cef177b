"""The words of imports: what lines are, what columns mean, what becomes of a record that is there already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from crm_core.model.exchange import ImportState
from crm_core.model.fields import FieldSet
from crm_core.model.importing import Became, ImportKind, Policy
from hub.web.tongues import NP_, gettext, pgettext

KINDS: Final[Mapping[str, str]] = {
    ImportKind.CONTACTS: NP_("import", "Clients"),
    ImportKind.COMPANIES: NP_("import", "Companies"),
    ImportKind.LEADS: NP_("import", "Leads"),
    ImportKind.DEALS: NP_("import", "Deals"),
    ImportKind.PRODUCTS: NP_("import", "Products"),
    ImportKind.SALES: NP_("import", "Sales"),
    ImportKind.PAYMENTS: NP_("import", "Payments"),
    ImportKind.TASKS: NP_("import", "Tasks"),
}
POLICIES: Final[Mapping[str, str]] = {
    Policy.FILL: NP_("import", "fill its gaps only"),
    Policy.OVERWRITE: NP_("import", "the file wins"),
    Policy.SKIP: NP_("import", "leave it as it is"),
}
BECAME: Final[Mapping[str, str]] = {
    Became.CREATED: NP_("import", "new"),
    Became.UPDATED: NP_("import", "changed"),
    Became.UNCHANGED: NP_("import", "as it was"),
    Became.FAILED: NP_("import", "not taken in"),
}
TARGETS: Final[Mapping[str, str]] = {
    "amount": NP_("column", "amount"),
    "archived": NP_("column", "out of use"),
    "at": NP_("column", "date"),
    "city": NP_("column", "city"),
    "closed_at": NP_("column", "closed on"),
    "company": NP_("column", "company"),
    "company_id": NP_("column", "number of the company"),
    "contact_id": NP_("column", "number of the client"),
    "created_at": NP_("column", "made on"),
    "currency": NP_("column", "currency"),
    "deal_id": NP_("column", "number of the deal"),
    "due_at": NP_("column", "until"),
    "email": NP_("column", "mail address"),
    "external_id": NP_("column", "number in the other program"),
    "fields": NP_("column", "custom fields together"),
    "first_name": NP_("column", "first name"),
    "hub_id": NP_("column", "number in the hub"),
    "identifier": NP_("column", "identifier"),
    "kind": NP_("column", "kind"),
    "last_name": NP_("column", "last name"),
    "list": NP_("column", "special list"),
    "manager": NP_("column", "manager"),
    "middle_name": NP_("column", "middle name"),
    "name": NP_("column", "name"),
    "note": NP_("column", "note"),
    "phone": NP_("column", "telephone"),
    "pipeline": NP_("column", "pipeline"),
    "price": NP_("column", "price"),
    "product": NP_("column", "product"),
    "quantity": NP_("column", "quantity"),
    "reason": NP_("column", "reason"),
    "record_type": NP_("column", "type"),
    "result": NP_("column", "result"),
    "sku": NP_("column", "article number"),
    "source": NP_("column", "source"),
    "stage": NP_("column", "stage"),
    "stage_reason": NP_("column", "reason of the stage"),
    "state": NP_("column", "state"),
    "status": NP_("column", "status"),
    "tags": NP_("column", "tags"),
    "tax_id": NP_("column", "tax number"),
    "telegram": NP_("column", "Telegram"),
    "text": NP_("column", "text"),
    "title": NP_("column", "title"),
    "unit": NP_("column", "unit"),
    "vk": NP_("column", "VK"),
}


STATES: Final[Mapping[str, str]] = {
    ImportState.READY: NP_("import", "waits for its turn"),
    ImportState.RUNNING: NP_("import", "goes on"),
    ImportState.DONE: NP_("import", "done"),
    ImportState.FAILED: NP_("import", "failed"),
    ImportState.CANCELLED: NP_("import", "stopped"),
}


class TargetWord(NamedTuple):
    """A meaning that a column may have, and its words."""

    value: str
    word: str


def kind_word(kind: str) -> str:
    """What the lines of a file are."""
    return pgettext("import", KINDS[kind]) if kind in KINDS else kind


def import_word(state: str) -> str:
    """Where an import stands."""
    return pgettext("import", STATES[state]) if state in STATES else state


def policy_word(policy: Policy) -> str:
    """What becomes of a record that is there already."""
    return pgettext("import", POLICIES[policy])


def became_word(became: str) -> str:
    """What became of a line."""
    return pgettext("import", BECAME[became]) if became in BECAME else became


def target_word(target: str) -> str:
    """What a column is."""
    return pgettext("column", TARGETS[target]) if target in TARGETS else target.removeprefix("fields.")


def target_words(plain: Iterable[str], fields: FieldSet, used: Sequence[str]) -> tuple[TargetWord, ...]:
    """Everything that a column may mean: what the hub knows, the office's fields, and what is said of some column."""
    own = [TargetWord(each, pgettext("column", TARGETS[each]) if each in TARGETS else each) for each in plain]
    found = sorted((each for each in own if each.value != "skip"), key=lambda each: each.word)
    found += [TargetWord(f"fields.{key}", field.title) for key, field in fields.by_key.items()]
    known = {each.value for each in found}
    new = gettext("new field «{name}»")
    found += [
        TargetWord(each, new.format(name=each.removeprefix("fields.")))
        for each in dict.fromkeys(used)
        if each and each not in known
    ]
    return tuple(found)
