"""Mails that no person wrote say so."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes

import pytest

from channels.email.config import EmailConfig
from channels.email.outbound import composed
from crm_core.messages import ChannelKey, OutboundMessage


@pytest.mark.parametrize(("automatic", "marked"), [(True, "auto-replied"), (False, None)])
def test_an_automatic_mail_tells_robots_not_to_answer(automatic: bool, marked: str | None) -> None:
    config = EmailConfig(name="sales", address="sales@example.org")
    message = OutboundMessage(
        ChannelKey("email", "sales"), "anna@a.example", "Мы закрыты", "message:1", subject="Re: Окна",
        reply_to="<one@a.example>", automatic=automatic,
    )  # fmt: skip
    mail = message_from_bytes(composed(config, message, "anna@a.example", [], datetime(2026, 11, 22, tzinfo=UTC)))
    assert mail["Auto-Submitted"] == marked
    assert (mail["X-Auto-Response-Suppress"] is not None) == automatic
    assert mail["In-Reply-To"] == "<one@a.example>"


def test_ids_longer_than_a_line_stay_ids() -> None:
    config = EmailConfig(name="sales", address="sales@example.org")
    first, last = f"<{'a' * 60}@eurprd05.prod.outlook.example>", f"<{'b' * 200}@client.example>"
    message = OutboundMessage(
        ChannelKey("email", "sales"), "anna@a.example", "Да", "message:1", subject="Re: Окна",
        reply_to=last, references=("<c@c.example>", first, "<не\x00то@c.example>"),
    )  # fmt: skip
    raw = composed(config, message, "anna@a.example", [], datetime(2026, 11, 22, tzinfo=UTC))
    mail = message_from_bytes(raw)
    assert mail["In-Reply-To"] == last
    assert mail["References"].split() == ["<c@c.example>", first, last]
    assert max(len(line) for line in raw.splitlines()) < 998


def test_a_mail_to_many_says_how_to_leave_in_one_click() -> None:
    config = EmailConfig(name="sales", address="sales@example.org")
    link = "https://crm.example/u/17.AbC_d-9"
    message = OutboundMessage(
        ChannelKey("email", "sales"), "anna@a.example", "Весна", "message:1", subject="Весна", automatic=True,
        unsubscribe=link,
    )  # fmt: skip
    mail = message_from_bytes(composed(config, message, "anna@a.example", [], datetime(2026, 11, 22, tzinfo=UTC)))
    assert mail["List-Unsubscribe"] == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (mail["Precedence"], mail["Auto-Submitted"]) == ("bulk", "auto-generated")
    hostile = OutboundMessage(
        ChannelKey("email", "sales"), "anna@a.example", "a", "message:1",
        unsubscribe="https://a.example/>\r\nBcc: all@a.example",
    )  # fmt: skip
    raw = composed(config, hostile, "anna@a.example", [], datetime(2026, 11, 22, tzinfo=UTC))
    assert message_from_bytes(raw)["Bcc"] is None
