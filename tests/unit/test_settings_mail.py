"""The keys of `[[email]]` that say whom to believe and which mails are a site's forms."""

from __future__ import annotations

import pytest

from hub.settings import SettingsError, parse_settings

BOX = '[[email]]\nname = "sales"\naddress = "sales@example.org"\n'


def test_what_the_keys_become() -> None:
    (box,) = parse_settings(
        BOX + 'imap = "imaps://a:b@host/INBOX"\nreply_token = true\nauthserv = ["MX.Example.org", "*.yandex.net"]\n'
        'form_senders = ["NoReply@Site.example"]\nform_fields = { " Ваше  имя: " = "name", "Город" = "city" }\n'
    ).email
    assert box.reply_token
    assert box.authserv == ("mx.example.org", "*.yandex.net")
    assert box.form_senders == ("noreply@site.example",)
    assert box.form_fields == (("Ваше имя", "name"), ("Город", "city"))


def test_an_address_with_a_mark_is_asked_for_where_the_hub_listens() -> None:
    assert parse_settings(BOX + 'listen = "127.0.0.1:8025"').email[0].reply_token
    assert not parse_settings(BOX + 'imap = "imaps://a:b@host/INBOX"').email[0].reply_token
    assert not parse_settings(BOX + 'listen = "127.0.0.1:8025"\nreply_token = false').email[0].reply_token


@pytest.mark.parametrize(
    ("line", "key", "what"),
    [
        ('authserv = ["mx example"]', "email[1].authserv", "is not the name of a mail server"),
        ('authserv = "mx.example.org"', "email[1].authserv", "expected a list"),
        ('form_senders = ["nobody"]', "email[1].form_senders", "is not a mail address"),
        ('form_fields = ["Имя"]', "email[1].form_fields", "expected a table"),
        ('form_fields = { "Имя" = 5 }', "email[1].form_fields", "expected a text"),
        ('form_fields = { ":" = "name" }', "email[1].form_fields", "this is no label of a form"),
        ('form_sender = ["a@b.example"]', "email[1].form_sender", "unknown key"),
        ("reply_token = 1", "email[1].reply_token", "expected true or false"),
    ],
)
def test_what_is_wrong_is_named(line: str, key: str, what: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse_settings(BOX + f'smtp = "smtp://host:25"\n{line}')
    (problem,) = error.value.problems
    assert problem.key.startswith(key)
    assert what in problem.what
