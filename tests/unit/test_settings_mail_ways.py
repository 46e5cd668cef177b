"""`[[email]]`: how mail is fetched, and what a listener asks of those who bring it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.settings import MailProtocol, SettingsError, parse_settings

HEAD = '[[email]]\nname = "sales"\naddress = "sales@example.org"\n'


def test_the_ways_of_a_mailbox_are_read(tmp_path: Path) -> None:
    text = HEAD + (
        'listen = "0.0.0.0:8025"\nprotocol = "lmtp"\ntls_cert = "mail.pem"\ntls_key = "/etc/mail.key"\n'
        'listen_user = "relay"\nlisten_password = "s3cret-of-relay"\nimap_since = "30d"\n'
    )
    settings = parse_settings(text, folder=tmp_path)
    (box,) = settings.email
    assert box.protocol is MailProtocol.LMTP
    assert (box.tls_cert, box.tls_key) == (tmp_path / "mail.pem", Path("/etc/mail.key"))
    assert box.imap_since == timedelta(days=30)
    assert "s3cret-of-relay" in settings.secrets()
    assert "s3cret-of-relay" not in repr(settings)


@pytest.mark.parametrize(("said", "meant"), [("new", timedelta(0)), ("all", None), ("7d", timedelta(days=7))])
def test_the_age_of_mails_is_a_word_or_a_duration(said: str, meant: timedelta | None, tmp_path: Path) -> None:
    (box,) = parse_settings(f'{HEAD}imap = "imap://a:b@127.0.0.1"\nimap_since = "{said}"\n', folder=tmp_path).email
    assert box.imap_since == meant


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('listen = "127.0.0.1:8025"\ntls_cert = "a.pem"\n', "tls_cert"),
        ('listen = "127.0.0.1:8025"\nlisten_password = "x"\n', "listen_password"),
        ('listen = "0.0.0.0:8025"\nlisten_user = "a"\nlisten_password = "x"\n', "listen_user"),
        ('imap = "imap://a:b@127.0.0.1"\nimap_since = "soon"\n', "imap_since"),
        ('listen = "127.0.0.1:8025"\nprotocol = "pop3"\n', "protocol"),
    ],
)
def test_what_makes_no_sense_names_its_key(lines: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as wrong:
        parse_settings(HEAD + lines, folder=tmp_path)
    assert key in str(wrong.value)


def test_one_place_speaks_one_protocol(tmp_path: Path) -> None:
    other = '[[email]]\nname = "help"\naddress = "help@example.org"\nlisten = "127.0.0.1:8025"\nprotocol = "lmtp"\n'
    with pytest.raises(SettingsError, match="protocol"):
        parse_settings(f'{HEAD}listen = "127.0.0.1:8025"\n{other}', folder=tmp_path)
