"""[recordings]: how long they are kept, where they are put away, how much room has to be left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.connectors import pbx_config
from hub.redaction import Redactor
from hub.settings import SettingsError, parse_settings

STORAGE = "s3://KEY:sec%2Fret-long@storage.example:9000/calls-bucket?secure=false&prefix=office/calls&region=ru-1"


def test_nothing_is_set() -> None:
    kept = parse_settings("").recordings
    assert (kept.keep, kept.s3, kept.least_free) == (None, None, 1024**3)


def test_everything_is_set() -> None:
    settings = parse_settings(f'[recordings]\nkeep = "180d"\nleast_free = "20GB"\ns3 = "{STORAGE}"\n')
    kept = settings.recordings
    assert (kept.keep, kept.least_free) == (timedelta(days=180), 20 * 1024**3)
    assert kept.s3 is not None
    assert (kept.s3.endpoint, kept.s3.bucket) == ("http://storage.example:9000", "calls-bucket")
    assert (kept.s3.prefix, kept.s3.region) == ("office/calls", "ru-1")
    assert (kept.s3.key, kept.s3.secret.reveal()) == ("KEY", "sec/ret-long")
    assert "sec" not in f"{kept.s3} {kept.s3!r}".replace("secure", "").replace("secret", "")
    redactor = Redactor(settings.secrets())
    assert "ret-long" not in redactor.text(f"it was {STORAGE}")
    assert "ret-long" not in redactor.text("sec/ret-long was refused")


def test_for_ever_may_be_said() -> None:
    assert parse_settings('[recordings]\nkeep = "0d"\nleast_free = "0MB"').recordings.keep is None


def test_the_usual_port_and_tls() -> None:
    storage = parse_settings('[recordings]\ns3 = "s3://K:S@s3.example/bucket"').recordings.s3
    assert storage is not None
    assert (storage.endpoint, storage.prefix, storage.region) == ("https://s3.example:443", "", "us-east-1")


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("s3://storage.example/bucket", "the key or the secret"),
        ("s3://K:S@storage.example", "bucket"),
        ("s3://K:S@storage.example/Bad_Bucket", "bucket"),
        ("s3://K:S@storage.example/bucket?secure=maybe", "neither true nor false"),
        ("s3://K:S@storage.example/bucket?colour=red", "colour"),
        ("s3://K:S@storage.example/bucket?prefix=../up", "prefix"),
        ("s3://K:S@storage.example/bucket?region=RU 1", "blank"),
        ("https://K:S@storage.example/bucket", "s3://"),
        ("s3://K:S@storage.example/bucket#x", "#"),
    ],
)
def test_what_is_no_storage(value: str, what: str) -> None:
    with pytest.raises(SettingsError, match=r"recordings\.s3") as caught:
        parse_settings(f'[recordings]\ns3 = "{value}"')
    assert what in str(caught.value)
    assert "K:S" not in str(caught.value)


def test_recording_by_pbx_and_line() -> None:
    settings = parse_settings(
        '[[pbx]]\nname = "office"\nami = "ami://hub:secret@127.0.0.1"\nrecord = false\n'
        '[[line]]\nnumber = "+74951234567"\nrecord = true\n[[line]]\nnumber = "+74951234568"\n'
    )
    assert not settings.pbx[0].record
    assert [line.record for line in settings.lines] == [True, None]


def test_the_dialplan_is_told_which_lines_say_something() -> None:
    settings = parse_settings(
        '[[pbx]]\nname = "office"\nami = "ami://hub:secret@127.0.0.1"\n'
        '[[pbx]]\nname = "branch"\nami = "ami://hub:secret@127.0.0.2"\nagi = "127.0.0.1:4574"\n'
        '[[line]]\nnumber = "+74951234567"\npbx = "branch"\nrecord = true\n'
        '[[line]]\nnumber = "+74951234568"\nrecord = false\n[[line]]\nnumber = "+74951234569"\n'
    )
    told = {pbx.name: pbx_config(pbx, settings).record_lines for pbx in settings.pbx}
    silent = ("+74951234568", False)
    assert told == {"office": (silent,), "branch": (("+74951234567", True), silent)}
