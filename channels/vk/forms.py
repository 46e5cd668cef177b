"""Events that are enquiries by themselves: lead forms, orders of goods, joining the community."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from channels.vk.conversation import Peer
from channels.vk.facts import About, Fact
from channels.vk.fields import Fields, clean
from crm_core.messages import FormSubmitted, Ignored, Noted
from crm_core.services.wording import Phrase, say
from crm_core.wording import plain

_MOST = 200
_NAME_PARTS = ("first_name", "patronymic_name", "last_name")
_JOINED = say("ru", Phrase.VK_JOINED)


def lead_form(event: Fields, about: About, _: datetime) -> Fact:
    """A filled-in form of lead ads: every answer is a field, name, number and address have places of their own."""
    user = event.maybe_number("user_id") or 0
    answers = [
        (each.text("key"), clean(each.text("question") or each.text("key")), _answer(each.values.get("answer")))
        for each in event.children("answers")
    ]
    by_key = dict.fromkeys(key for key, _, _ in answers)
    values = {key: next(answer for other, _, answer in answers if other == key) for key in by_key}
    name = " ".join(part for part in (values.get(each, "") for each in _NAME_PARTS) if part)
    placed = {*_NAME_PARTS, "phone_number", "email"}
    form_name = event.text("form_name")
    fields = [(question, answer) for key, question, answer in answers if key not in placed and answer]
    advert = event.maybe_number("ad_id")
    form = FormSubmitted(
        name=name or (about.name_of(user) if user > 0 else ""),
        phone=values.get("phone_number", ""),
        email=values.get("email", ""),
        fields=_unique([*([("Форма", form_name)] if form_name else []), *fields, *_advert(advert)]),
        source=form_name,
    )
    return Fact(form, Peer(user), about.sender(user)) if user > 0 else Fact(form)


def market_order(event: Fields, about: About, _: datetime) -> Fact:
    """An order of goods."""
    user = event.number("user_id")
    recipient = event.maybe_child("recipient")
    price = event.maybe_child("total_price")
    items = [_ordered(each) for each in event.children("preview_order_items")]
    fields = [
        ("Заказ", event.text("display_order_id") or str(event.number("id"))),
        ("Товары", "\n".join(items)),
        ("Сумма", price.text("text") if price is not None else ""),
    ]
    form = FormSubmitted(
        name=(recipient.text("name") if recipient is not None else "") or about.name_of(user),
        phone=recipient.text("phone") if recipient is not None else "",
        message=event.text("comment"),
        fields=_unique([each for each in fields if each[1]]),
        source="Товары ВКонтакте",
    )
    return Fact(form, Peer(user), about.sender(user), event.moment("date"))


def group_join(event: Fields, about: About, _: datetime) -> Fact:
    """Somebody joined: an enquiry, where the office wants it so."""
    user = event.number("user_id")
    if not about.joins or user <= 0:
        return Fact(Ignored("group_join"), Peer(user))
    return Fact(Noted(_JOINED, source=plain(_JOINED), enquiry=True), Peer(user), about.sender(user))


def _ordered(item: Fields) -> str:
    title = item.text("title") or f"№ {item.maybe_number('item_id') or '?'}"
    return f"{title} × {item.maybe_number('quantity') or 1}"


def _answer(value: object) -> str:
    """An answer as text: VK gives a text, and of several choices a list, sometimes of objects."""
    match value:
        case None:
            return ""
        case str():
            return clean(value).strip()
        case bool() | int() | float():
            return str(value)
        case list():
            return ", ".join(part for part in (_answer(each) for each in value[:_MOST]) if part)
        case dict() if isinstance(value.get("value"), str | int):
            return _answer(value["value"])
        case _:
            return clean(json.dumps(value, ensure_ascii=False))


def _advert(number: int | None) -> Sequence[tuple[str, str]]:
    return [("Объявление", str(number))] if number else []


def _unique(fields: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Fields under names of their own: two questions may read the same."""
    seen: dict[str, int] = {}
    named = []
    for name, value in fields[:_MOST]:
        seen[name] = seen.get(name, 0) + 1
        named.append((name if seen[name] == 1 else f"{name} ({seen[name]})", value))
    return tuple(named)
