"""How cards are told of: sums, values of fields, columns of the history, payments, runs of rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from crm_core.model import amounts, written
from crm_core.model.automation import RuleRunRecord, RunOutcome
from crm_core.model.fields import Field, shown
from crm_core.model.selling import PaymentKind
from crm_core.storage.queries.boards import Sum
from hub.web.office.forms.labels import field_word
from hub.web.office.summaries import occasion_said
from hub.web.shown import author_word, money
from hub.web.tongues import N_, NP_, gettext, pgettext, told

COLUMNS: Mapping[str, str] = {
    "title": N_("Title"),
    "amount": N_("Sum"),
    "currency": N_("Currency"),
    "manager": N_("Manager"),
    "source": N_("Source"),
    "due_at": N_("Deadline"),
    "contact_id": N_("Client"),
    "company_id": N_("Company"),
    "pipeline_id": N_("Pipeline"),
    "stage_id": N_("Stage"),
    "tags": N_("Tags"),
    "grade": N_("Grade"),
    "paid": N_("Paid"),
    "reason": N_("Reason"),
    "closed_at": N_("Closed"),
    "deleted_at": N_("Deleted"),
    "checklist": N_("Checklist"),
    "pay_by": N_("To be paid by"),
    "overdue_since": N_("Payment overdue since"),
    "type": N_("Type"),
    "utm": N_("Campaign"),
    "lead_id": N_("Lead"),
    "source_id": N_("Copied from"),
    "stage_since": N_("On the stage since"),
    "created_at": N_("Created"),
    "updated_at": N_("Changed"),
}
MOMENTS = frozenset(
    {"due_at", "closed_at", "deleted_at", "pay_by", "overdue_since", "stage_since", "created_at", "updated_at"}
)
"""Columns that hold a moment."""
PAYMENTS: Mapping[str, str] = {
    PaymentKind.RECEIVED: NP_("payment", "received"),
    PaymentKind.PLANNED: NP_("payment", "planned"),
    PaymentKind.PROMISED: NP_("payment", "promised"),
}
KINDS: Mapping[str, str] = {
    "deal": NP_("record", "Deal"),
    "contact": NP_("record", "Client"),
    "company": NP_("record", "Company"),
    "lead": NP_("record", "Lead"),
    "task": NP_("record", "Task"),
    "product": NP_("record", "Product"),
}
OUTCOMES: Mapping[str, str] = {
    RunOutcome.DONE: NP_("rule", "done"),
    RunOutcome.FAILED: NP_("rule", "failed"),
    RunOutcome.HELD_BACK: NP_("rule", "held back"),
    RunOutcome.UNMET: NP_("rule", "conditions did not hold"),
}


def major(amount: int, currency: str) -> Decimal:
    """Minor units in units of the currency."""
    return Decimal(amount).scaleb(-written.places_of(currency))


def plain(amount: int, currency: str) -> str:
    """A sum as it stands in an input: `1234.50`."""
    exact = major(amount, currency)
    return str(exact.to_integral_value()) if exact == exact.to_integral_value() else str(exact)


def sums(several: Iterable[Sum]) -> str:
    """Sums of several currencies in a line."""
    return " + ".join(money(each.amount, each.currency) for each in several if each.amount)


def column_word(name: str) -> str:
    """What people call a column of a card."""
    return gettext(COLUMNS[name]) if name in COLUMNS else name


def payment_word(kind: PaymentKind) -> str:
    """What a payment is."""
    return pgettext("payment", PAYMENTS[kind])


def outcome_word(outcome: RunOutcome) -> str:
    """How a rule's run ended."""
    return pgettext("rule", OUTCOMES[outcome])


def why_word(run: RuleRunRecord) -> str:
    """Why a rule failed, was held back, or which of its conditions did not hold."""
    return field_word("Only", run.error) if run.outcome is RunOutcome.UNMET else told(run.error)


def value_text(field: Field, value: Any) -> str:
    """A field's value for people, yes and no in the language of the request."""
    if isinstance(value, bool):
        return pgettext("flag", "yes") if value else pgettext("flag", "no")
    return shown(field, value)


def input_text(value: Any) -> str:
    """A field's value as it stands in an input."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Mapping) and isinstance(value.get("amount"), int):
        return plain(value["amount"], str(value.get("currency", "RUB")))
    return str(value)


def quantity(thousandths: int) -> str:
    """A quantity for people."""
    return amounts.grouped(Decimal(thousandths).scaleb(-3))


def day_text(day: str) -> str:
    """A day `YYYY-MM-DD` for people."""
    return ".".join(reversed(day.split("-")))


def kind_word(kind: str) -> str:
    """What a kind of records is called."""
    return pgettext("record", KINDS[kind]) if kind in KINDS else kind


WORDS: Mapping[str, Any] = {
    "money": money,
    "plain_sum": plain,
    "sums": sums,
    "column_word": column_word,
    "payment_word": payment_word,
    "outcome_word": outcome_word,
    "occasion_said": occasion_said,
    "value_text": value_text,
    "why_word": why_word,
    "author_word": author_word,
    "input_text": input_text,
    "quantity": quantity,
    "day_text": day_text,
    "kind_word": kind_word,
}
"""What the templates of the room call."""
