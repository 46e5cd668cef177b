"""Reports of mail servers: tied to the message they are about, in the words of the server; nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import EmailConfig
from channels.email.bounces import NO_REASON
from channels.email.inbound import read, with_return_path
from channels.email.message_ids import own_id
from crm_core.messages import Delivery, DeliveryChanged, Ignored, InboundEvent, MessageReceived, OutboundMessage

CONFIG = EmailConfig("sales", "sales@example.org", token_key=b"key")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OURS = own_id(CONFIG, OutboundMessage(CONFIG.key, "anna@client.example", "hi", "message:17"))
REFS = ("message:17", OURS)
RETURNED = f"From: sales@example.org\nTo: anna@client.example\nSubject: offer\nMessage-ID: {OURS}\n\nour words\n"


def event(text: str) -> InboundEvent:
    return read(CONFIG, with_return_path(text.replace("\n", "\r\n").encode(), ""), NOW).event


def report(status: str, returned: str = RETURNED, kind: str = "message/rfc822", words: str = "Sorry.") -> str:
    return f"""From: MAILER-DAEMON@mx.example.org
To: sales@example.org
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=utf-8

{words}

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Mon, 2 Mar 2026 10:00:00 +0300

{status}

--b
Content-Type: {kind}

{returned}
--b--
"""


FAILED = """Final-Recipient: rfc822; anna@client.example
Original-Recipient: rfc822;anna@client.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.client.example
Diagnostic-Code: smtp; 550 5.1.1 <anna@client.example>: Recipient address
    rejected: User unknown"""


def changed(text: str) -> DeliveryChanged:
    payload = event(text).payload
    assert isinstance(payload, DeliveryChanged)
    return payload


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers", "message/global"])
def test_a_bounce_is_of_the_message_that_bounced(kind: str) -> None:
    found = event(report(FAILED, kind=kind))
    assert found.payload == DeliveryChanged(
        Delivery.FAILED, REFS, detail="550 5.1.1 <anna@client.example>: Recipient address rejected: User unknown"
    )
    assert found.conversation == "anna@client.example"
    assert found.sender.identities == ()


def test_a_bounce_without_the_mail_is_tied_by_its_references() -> None:
    text = report(FAILED, returned="Subject: x\n\n").replace("Auto-Submitted", f"In-Reply-To: {OURS}\nAuto-Submitted")
    assert changed(text).refs == REFS
    assert changed(report(FAILED, returned="Subject: x\n\n", words=f"Your message {OURS} failed.")).refs == REFS


def test_a_bounce_by_its_status_alone() -> None:
    assert changed(report("Final-Recipient: rfc822; anna@client.example\nStatus: 5.7.1 (policy)")).detail == "5.7.1"
    assert changed(report("Final-Recipient: rfc822; anna@client.example\nAction: failed")).detail == NO_REASON
    worst = "Final-Recipient: rfc822; a@c.example\nAction: delivered\nStatus: 2.0.0\n\n" + FAILED
    assert changed(report(worst)).state is Delivery.FAILED
    bare = "Final-Recipient: rfc822; anna@client.example\nAction: Failed (unknown)"
    assert (
        changed(report(bare, words="host said: 552 5.2.2 mailbox is full")).detail
        == "host said: 552 5.2.2 mailbox is full"
    )


def test_a_bounce_by_the_envelope_alone() -> None:
    """As Exim reports where the sender asked for it: an id of the envelope, and the reason in the words alone."""
    words = "The following address(es) failed:\n\n  anna@client.example\n    no such mailbox"
    status = "Action: failed\nFinal-Recipient: rfc822;anna@client.example\nStatus: 5.0.0"
    text = report(status, returned="Subject: x\n\n", words=words).replace(
        "Arrival-Date", f"Original-Envelope-ID: {OURS.strip('<>')}\nArrival-Date"
    )
    assert changed(text) == DeliveryChanged(Delivery.FAILED, REFS, detail="5.0.0 no such mailbox")


def test_good_news_moves_the_delivery_on() -> None:
    assert (
        changed(report("Final-Recipient: rfc822; a@c.example\nAction: delivered\nStatus: 2.0.0")).state
        is Delivery.DELIVERED
    )
    for action in ("delayed", "relayed", "expanded", "unheard-of"):
        status = f"Final-Recipient: rfc822; a@c.example\nAction: {action}\nStatus: 4.4.1"
        assert isinstance(event(report(status)).payload, Ignored)


@pytest.mark.parametrize(("done", "state"), [("displayed", Delivery.READ), ("deleted", None), ("", None)])
def test_a_notice_of_reading(done: str, state: Delivery | None) -> None:
    text = f"""From: anna@client.example
To: sales@example.org
Subject: Прочитано: Цена
Content-Type: multipart/report; report-type=disposition-notification; boundary=b

--b

Прочитано
--b
Content-Type: message/disposition-notification

Reporting-UA: mail; client
Final-Recipient: rfc822;anna@client.example
Original-Message-ID: {OURS}
Disposition: manual-action/MDN-sent-manually; {done}

--b--
"""
    if state is None:
        assert isinstance(event(text).payload, Ignored)
    else:
        assert changed(text) == DeliveryChanged(state, REFS)


EXIM = f"""X-Failed-Recipients: anna@client.example
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@relay.example>
To: sales@example.org
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  anna@client.example
    host mx.client.example [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<anna@client.example>:
    550 5.1.1 Message was not accepted -- invalid mailbox

------ This is a copy of the message, including all the headers. ------

{RETURNED}"""
MAILRU = f"""From: mailer-daemon@corp.mail.example
To: sales@example.org
Subject: =?utf-8?B?0J/QuNGB0YzQvNC+INC90LUg0LTQvtGB0YLQsNCy0LvQtdC90L4=?=
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Это письмо создано автоматически почтовой системой.

К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:

anna@client.example
    user not found: ящик не существует

--b
Content-Type: message/rfc822

{RETURNED}
--b--
"""
YANDEX = f"""From: mailer-daemon@yandex.example
To: sales@example.org
Subject: =?utf-8?B?0J3QtdC00L7RgdGC0LDQstC70LXQvdC90L7QtSDRgdC+0L7QsdGJ0LXQvdC40LU=?=
Content-Type: text/plain; charset=utf-8

Это письмо отправлено почтовым сервером yandex.example.

К сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не может
быть отправлено одному или нескольким адресатам. Технические подробности можно найти ниже.

<anna@client.example>: host mx.client.example[192.0.2.1] said: 554 5.7.1 Spam message rejected

Message-ID: {OURS}
"""
QMAIL = f"""From: MAILER-DAEMON@old.example
To: sales@example.org
Subject: failure notice

Hi. This is the qmail-send program at old.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<anna@client.example>:
192.0.2.1 does not like recipient.
Remote host said: 550 No such user here

--- Below this line is a copy of the message.

{RETURNED}"""


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (EXIM, "550 5.1.1 Message was not accepted -- invalid mailbox"),
        (MAILRU, "user not found: ящик не существует"),
        (YANDEX, "<anna@client.example>: host mx.client.example[192.0.2.1] said: 554 5.7.1 Spam message rejected"),
        (QMAIL, "Remote host said: 550 No such user here"),
    ],
)
def test_bounces_in_forms_of_their_own(text: str, detail: str) -> None:
    assert changed(text) == DeliveryChanged(Delivery.FAILED, REFS, detail=detail)
    assert event(text).conversation == "anna@client.example"


def test_a_warning_of_delay_changes_nothing() -> None:
    text = EXIM.replace("X-Failed-Recipients: anna@client.example\n", "").replace(
        "Mail delivery failed: returning message to sender", "Warning: message 1abc delayed 24 hours"
    )
    assert isinstance(event(text).payload, Ignored)


def test_a_bounce_of_nobodys_mail_is_just_automatic() -> None:
    for text in (
        report(FAILED, returned="Message-ID: <x@other.example>\n\n"),
        report(FAILED, returned=""),
        EXIM.replace(OURS, "<x@other.example>"),
        report(FAILED).replace("example.org>", "example.net>"),
    ):
        payload = event(text).payload
        assert isinstance(payload, MessageReceived)
        assert payload.automatic


def test_a_vacation_notice_is_no_bounce() -> None:
    text = f"""From: anna@client.example
To: sales@example.org
Subject: Автоответ: Цена
In-Reply-To: {OURS}
Auto-Submitted: auto-replied

Я в отпуске, письмо не будет доставлено никому.
"""
    payload = event(text).payload
    assert isinstance(payload, MessageReceived)
    assert payload.automatic
    assert payload.thread is not None
    assert payload.thread.answers == REFS


def test_a_client_who_answers_our_mail_writes_a_message() -> None:
    text = f"From: anna@client.example\nIn-Reply-To: {OURS}\nSubject: Re: offer\n\nDelivery failed: undelivered window"
    payload = read(CONFIG, text.encode(), NOW).event.payload
    assert isinstance(payload, MessageReceived)
    assert not payload.automatic


_lines = st.lists(
    st.sampled_from(
        ["Action: failed", "Action:", "Status: 5.1.1", "", "Final-Recipient: rfc822;", "Diagnostic-Code: ;;", ":",
         "  x", "Final-Recipient: x@y.example", "Original-Message-ID: <",
         f"Message-ID: {OURS}", "Disposition: ;displayed"]
    ),
    max_size=20,
)  # fmt: skip


@given(_lines, st.sampled_from(["message/delivery-status", "message/disposition-notification", "text/rfc822-headers"]))
def test_any_report_may_come(lines: list[str], kind: str) -> None:
    text = report("\n".join(lines)).replace("message/delivery-status", kind)
    assert isinstance(event(text).payload, DeliveryChanged | MessageReceived | Ignored)
