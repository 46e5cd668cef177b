"""Who a mail is really from, by the word of servers that are believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import EmailConfig
from channels.email.inbound import read
from crm_core.messages import Authenticity, InboundEvent, MessageReceived, Trust
from crm_core.model.identity import IdentityKind

CONFIG = EmailConfig("sales", "sales@example.org", authserv=("mx.example.org", "*.yandex.net"))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BORDER = "Received: from client.example (client.example [192.0.2.1]) by mx.example.org (Postfix) with ESMTPS id 1"
FAR = "Received: from laptop by mail.client.example with ESMTP id 2"
PASS = "Authentication-Results: mx.example.org; dmarc=pass (p=reject) header.from=client.example"
FAIL = "Authentication-Results: mx.example.org; dmarc=fail (p=reject) header.from=client.example"


def event(*headers: str, sender: str = "Анна <anna@client.example>", config: EmailConfig = CONFIG) -> InboundEvent:
    raw = "\r\n".join((*headers, f"From: {sender}", "Subject: x", "", "hi")).encode()
    return read(config, raw, NOW).event


def found(
    *headers: str, sender: str = "Анна <anna@client.example>", config: EmailConfig = CONFIG
) -> Authenticity | None:
    payload = event(*headers, sender=sender, config=config).payload
    assert isinstance(payload, MessageReceived)
    return payload.authenticity


def results(text: str) -> str:
    return f"Authentication-Results: mx.example.org; {text}"


@pytest.mark.parametrize(
    ("text", "trust"),
    [
        ("dmarc=pass header.from=client.example", Trust.PROVEN),
        ("spf=fail smtp.mailfrom=x@forwarder.example; dkim=pass header.d=client.example; dmarc=pass", Trust.PROVEN),
        ("dmarc=pass header.from=other.example", Trust.UNKNOWN),
        ("dmarc=fail (p=none dis=none) header.from=client.example", Trust.FORGED),
        ("spf=pass smtp.mailfrom=x@client.example; dkim=none; dmarc=fail", Trust.FORGED),
        ("dkim=pass header.d=client.example", Trust.PROVEN),
        ("dkim=pass header.i=@mail.client.example", Trust.PROVEN),
        ("dkim=pass header.d=sender.example", Trust.UNKNOWN),
        ("spf=pass smtp.mailfrom=anna@client.example", Trust.PROVEN),
        ("spf=pass (mx.example.org: domain of anna@client.example) smtp.mailfrom=bounce@list.example", Trust.UNKNOWN),
        ("spf=fail smtp.mailfrom=anna@client.example; dkim=none", Trust.FORGED),
        ("spf=fail smtp.mailfrom=anna@client.example; dkim=fail header.d=client.example", Trust.FORGED),
        ("spf=softfail smtp.mailfrom=anna@client.example; dkim=none", Trust.UNKNOWN),
        ("spf=none; dkim=none", Trust.UNKNOWN),
        ("spf=temperror; dkim=temperror; dmarc=temperror", Trust.UNKNOWN),
        ("none", Trust.UNKNOWN),
        ("auth=pass smtp.auth=anna", Trust.UNKNOWN),
    ],
)
def test_results_become_trust(text: str, trust: Trust) -> None:
    for place in ((results(text), BORDER), (BORDER, results(text))):
        answer = found(*place)
        assert answer is not None
        assert answer.trust is trust


def test_the_detail_keeps_the_results() -> None:
    answer = found(results("spf=pass smtp.mailfrom=x@y.example; dkim=fail reason=bad; dmarc=fail"))
    assert answer == Authenticity(Trust.FORGED, "spf=pass dkim=fail dmarc=fail")


def test_a_forged_sender_only_claims_the_address() -> None:
    forged = event(FAIL, BORDER)
    assert [(each.kind, each.value) for each in forged.sender.identities] == [
        (IdentityKind.CLAIMED, "anna@client.example")
    ]
    assert forged.sender.name == "Анна"
    proven = event(PASS, BORDER)
    assert [each.kind for each in proven.sender.identities] == [IdentityKind.MAILTO]


def test_what_the_sender_wrote_themselves_counts_for_nothing() -> None:
    real = found(FAIL, BORDER, PASS, FAR)
    assert real is not None
    assert real.trust is Trust.FORGED
    for headers in (
        (BORDER, FAR, PASS),  # below the border
        (FAR, PASS),  # the first server is none of ours
        (BORDER, "Received: from x by mx.example.org", PASS),  # the border again, but below itself
        ("Authentication-Results: evil.example; dmarc=pass", BORDER),
        ("Authentication-Results: mx.example.org.evil.example; dmarc=pass", BORDER),
        ("X-Authentication-Results: mx.example.org; dmarc=pass", BORDER),
        ("Received: nonsense", PASS),
    ):
        answer = found(*headers)
        assert answer is not None
        assert answer.trust is Trust.UNKNOWN, headers


def test_servers_of_one_house_may_hand_the_mail_on() -> None:
    within = "Received: from mx7.yandex.net (mx7.yandex.net [10.0.0.1]) by store3.mail.yandex.net with LMTP id 3"
    border = "Received: from client.example by mx7.yandex.net with ESMTPS"
    said = "Authentication-Results: mx7.yandex.net; spf=pass smtp.mail=x@c.example; dkim=pass header.i=@client.example"
    local = "Received: from localhost (localhost [127.0.0.1]) by mx7.yandex.net"
    for headers in ((within, said, border), (within, border, said), (local, border, said)):
        answer = found(*headers)
        assert answer is not None
        assert answer.trust is Trust.PROVEN


def test_several_lines_of_one_server_are_read_together() -> None:
    answer = found(results("dmarc=pass header.from=client.example"), results("spf=fail; dmarc=fail"), BORDER)
    assert answer == Authenticity(Trust.PROVEN, "dmarc=pass spf=fail")


@pytest.mark.parametrize("sender", ["a@client.example, b@other.example", "a@other.example"])
def test_nothing_is_proven_of_another_sender(sender: str) -> None:
    answer = found(PASS, sender=sender)
    assert answer is not None
    assert answer.trust is Trust.UNKNOWN
    twice = found(PASS, "From: boss@example.net")
    assert twice is not None
    assert twice.trust is Trust.UNKNOWN


def test_without_trusted_servers_nothing_is_said() -> None:
    config = replace(CONFIG, authserv=())
    assert found(FAIL, config=config) is None
    assert event(FAIL, config=config).sender.identities[0].kind is IdentityKind.MAILTO
    assert found("Subject: y") == Authenticity(Trust.UNKNOWN)


@given(
    st.lists(
        st.sampled_from([BORDER, FAR, PASS, FAIL, "Received: by", "Authentication-Results: ;;=", "X: y"]), max_size=8
    )
)
def test_proof_comes_from_above_the_border_only(headers: list[str]) -> None:
    answer = found(*headers)
    assert answer is not None
    if answer.trust is not Trust.UNKNOWN:
        first = next(index for index, each in enumerate(headers) if each in {PASS, FAIL})
        assert FAR not in headers[:first]


@given(st.text(max_size=200))
def test_any_result_may_come(text: str) -> None:
    flat = text.encode("utf-8", "replace").decode().replace("\r", " ").replace("\n", " ")
    assert found(f"Authentication-Results: mx.example.org; {flat}") is not None
