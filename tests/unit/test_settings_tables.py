"""What each table of hub.toml becomes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from crm_core.model.calendar import ALWAYS, DayHours
from crm_core.model.ladder import LadderEvent, LadderStep, Told
from crm_core.model.office import Line, ListAction, SpecialList
from crm_core.model.policy import AccountPolicy
from hub.settings import (
    Endpoint,
    RobotSettings,
    RoutingSettings,
    Secret,
    ServerUrl,
    TelegramMode,
    VkMode,
    WebhookEvent,
    parse_settings,
)
from hub.settings.checks import lines_without_pbx
from hub.settings.errors import BadValueError
from hub.settings.model import AlarmSettings, PbxSettings
from hub.settings.values import duration, size

# the tables as the documentation shows them
DOCUMENTED = """
[[telegram]]
name = "shop"
token = "${TG_TOKEN}"
mode = "polling"
secret = "…"
api_base = "https://api.telegram.org"

[[vk]]
name = "community"
group_id = 123456
token = "…"
secret = "…"
confirmation = "…"
mode = "callback"
api_base = "https://api.vk.com/method"
joins = false

[[email]]
name = "sales"
address = "sales@example.org"
listen = "127.0.0.1:8025"
imap = "imaps://user:pass@host/INBOX"
smtp = "smtp://user:pass@host:587"

[[pbx]]
name = "office"
ami = "ami://hub:secret@127.0.0.1:5038"
agi = "127.0.0.1:4573"
dial = "PJSIP/{extension}"
trunk = "PJSIP/{number}@trunk"
recordings = "/var/spool/asterisk/monitor"
cdr = "/var/log/asterisk/cdr-csv/Master.csv"
fallback = "PJSIP/101&PJSIP/102"

[[web]]
name = "site"
key = "…"
origins = ["https://example.org"]

[[line]]
number = "+74951234567"
pbx = "office"
source = "Яндекс.Директ"
group = "sales"
enquiry = false

[[list]]
name = "соискатели"
action = "route"
to = "PJSIP/150"

[[ladder]]
on = "call.missed"
steps = [ { after = "0s",  tell = ["manager", "controller"] },
          { after = "24h", tell = ["controller", "director"] } ]
hours = "any"

[[hours]]
name = "office"
days = { mon-fri = "09:00-18:00", sat = "10:00-15:00" }
holidays = "RU"

[[webhook]]
url = "https://example.org/hook"
secret = "…"
events = ["case.escalated", "lead.created"]

[[cti]]
name = "other-pbx"
token = "…"

[routing]
deadline_ms = 300
ring_s = 20
fallback = ["deputy", "group", "duty", "callback"]
"""


def test_the_documented_configuration() -> None:
    settings = parse_settings(DOCUMENTED, environ={"TG_TOKEN": "1:abc"})
    (bot,) = settings.telegram
    assert (bot.name, bot.token, bot.mode, bot.staff) == ("shop", Secret("1:abc"), TelegramMode.POLLING, True)
    (community,) = settings.vk
    assert (community.group_id, community.mode, community.confirmation) == (123456, VkMode.CALLBACK, Secret("…"))
    assert not community.joins
    (mailbox,) = settings.email
    assert mailbox.listen == Endpoint("127.0.0.1", 8025)
    assert mailbox.imap == ServerUrl("imaps", "host", 993, "user", Secret("pass"), "INBOX")
    assert mailbox.smtp == ServerUrl("smtp", "host", 587, "user", Secret("pass"))
    assert mailbox.max_size == 25 * 1024 * 1024
    (pbx,) = settings.pbx
    assert pbx.ami == ServerUrl("ami", "127.0.0.1", 5038, "hub", Secret("secret"))
    assert (pbx.agi, pbx.dial) == (Endpoint("127.0.0.1", 4573), "PJSIP/{extension}")
    assert (pbx.cdr, pbx.wrap) == (Path("/var/log/asterisk/cdr-csv/Master.csv"), timedelta(0))
    assert settings.web[0].origins == ("https://example.org",)
    policy = AccountPolicy(source="Яндекс.Директ", group="sales")
    assert settings.lines == (Line("+74951234567", "office", policy),)
    assert settings.lists == (SpecialList("соискатели", ListAction.ROUTE, "PJSIP/150"),)
    (ladder,) = settings.ladders
    assert (ladder.on, ladder.hours) == (LadderEvent.CALL_MISSED, ALWAYS)
    assert ladder.steps[1] == LadderStep(timedelta(hours=24), (Told.CONTROLLER, Told.DIRECTOR))
    assert settings.webhooks[0].events == (WebhookEvent.CASE_ESCALATED, WebhookEvent.LEAD_CREATED)
    assert settings.cti[0].name == "other-pbx"
    assert settings.routing == RoutingSettings()
    assert settings.robot == RobotSettings()


def test_a_webhook_is_told_of_what_rules_tell_of() -> None:
    events = '["contract.signed", "claim.*", "deal.moved"]'
    settings = parse_settings(f'[[webhook]]\nurl = "https://h.ru/x"\nsecret = "s"\nevents = {events}\n')
    assert settings.webhooks[0].events == ("contract.signed", "claim.*", "deal.moved")


def test_every_secret_is_known_and_none_is_shown() -> None:
    text = (
        DOCUMENTED.replace('"…"', '"hidden-one"').replace(":pass@", ":hidden%20two@").replace(":secret@", ":hidden3@")
    )
    settings = parse_settings(
        'secret_key = "hidden-key"\nredis_url = "redis://:hidden-redis@h"\n'
        'database_url = "postgresql+asyncpg://u:hidden-db@h/d"\n' + text,
        environ={"TG_TOKEN": "77:hidden-token"},
    )
    assert "hidden" not in f"{settings!r} {settings.database_url} {settings.redis_url} {settings.email[0].imap}"
    expected = {"hidden-key", "77:hidden-token", "hidden-one", "hidden3", "hidden two", "hidden-redis"}
    assert set(settings.secrets()) == expected


def test_addresses_are_decoded_and_can_be_written_again() -> None:
    text = '[[email]]\nname = "m"\naddress = "Sales@B.ru"\nimap = "imaps://s%40b.ru:p%2Fw%3A@[::1]:1993/INBOX%2FЗаявки"'
    (mailbox,) = parse_settings(text).email
    assert mailbox.address == "sales@b.ru"
    imap = mailbox.imap
    assert imap == ServerUrl("imaps", "::1", 1993, "s@b.ru", Secret("p/w:"), "INBOX/Заявки")
    assert imap.tls
    assert imap.reveal().startswith("imaps://s%40b.ru:p%2Fw%3A@[::1]:1993/INBOX/")
    assert str(imap).startswith("imaps://s%40b.ru:***@[::1]:1993/")


def test_redis_takes_a_database_number() -> None:
    assert parse_settings('redis_url = "redis://127.0.0.1"').redis_url == ServerUrl(
        "redis", "127.0.0.1", 6379, path="0"
    )
    url = parse_settings('redis_url = "rediss://u:p@h:1/3"').redis_url
    assert url is not None
    assert url.reveal() == "rediss://u:p@h:1/3"


def test_postgresql_by_socket() -> None:
    url = "postgresql+asyncpg://hub@/hub?host=/run/postgresql"
    settings = parse_settings(f'database_url = "{url}"')
    assert settings.database_url.reveal() == url
    assert str(settings.database_url) == "postgresql+asyncpg://hub@/hub"


@pytest.mark.parametrize(
    ("given", "expected"),
    [("+7 (495) 123-45-67", "+74951234567"), ("84951234567", "+74951234567"), ("100", "100"), ("login_7", "login_7")],
)
def test_lines_are_numbers_or_short_names(given: str, expected: str) -> None:
    assert parse_settings(f'[[line]]\nnumber = "{given}"').lines[0].number == expected


def test_a_line_may_belong_to_a_pushing_pbx() -> None:
    text = '[[cti]]\nname = "other"\ntoken = "t"\n[[line]]\nnumber = "1"\npbx = "other"\n[[line]]\nnumber = "1"'
    assert [line.pbx for line in parse_settings(text).lines] == ["other", None]


def test_accounts_carry_their_intake_policy() -> None:
    keys = 'source = "С"\ngroup = "g"\nenquiry = true\nleads = false\npipeline = "П"\n'
    text = f'[[web]]\nname = "w"\nkey = "k"\n{keys}[[cti]]\nname = "c"\ntoken = "t"\n{keys}'
    settings = parse_settings(text)
    assert settings.web[0].policy == settings.cti[0].policy == AccountPolicy("С", "g", True, False, "П")


def test_the_office_is_told_by_the_bot_that_says_so() -> None:
    bots = '[[telegram]]\nname = "a"\ntoken = "1:abc"\n[[telegram]]\nname = "b"\ntoken = "2:bcd"\n'
    assert [bot.staff for bot in parse_settings(bots).telegram] == [True, False]
    named = parse_settings(bots + "staff = true")
    assert [bot.staff for bot in named.telegram] == [False, True]
    assert named.staff_telegram is named.telegram[1]
    assert parse_settings("").staff_telegram is None


def test_mailboxes_may_share_a_listener() -> None:
    text = "".join(f'[[email]]\nname = "{n}"\naddress = "{n}@b.ru"\nlisten = "127.0.0.1:8025"\n' for n in "ab")
    assert len({mailbox.listen for mailbox in parse_settings(text).email}) == 1


def test_hours_of_an_office() -> None:
    text = """
        [[hours]]
        name = "office"
        days = { mon-thu = "09:00-13:00, 14:00-18:00", "fri,sun" = "00:00-24:00" }
        holidays = ["RU", 2026-12-25, "2026-12-26"]
        time_zone = "Asia/Yekaterinburg"
        [[hours]]
        name = "weekend"
        days = { sat-mon = "10:00-11:00" }
        [[ladder]]
        on = "lead.untouched"
        hours = "office"
        steps = [ { after = "4h", tell = ["head"] } ]
    """
    settings = parse_settings(text, today=date(2026, 3, 1))
    office, weekend = settings.hours
    split = (DayHours(time(9), time(13)), DayHours(time(14), time(18)))
    whole = (DayHours(time(0), time(0)),)
    assert office.week == {0: split, 1: split, 2: split, 3: split, 4: whole, 6: whole}
    assert office.zone.key == "Asia/Yekaterinburg"
    assert {date(2026, 1, 1), date(2027, 5, 9), date(2026, 12, 25), date(2026, 12, 26)} <= office.days_off
    assert set(weekend.week) == {5, 6, 0}
    assert weekend.zone.key == "Europe/Moscow"
    assert settings.ladders[0].hours is office
    assert not office.is_open(datetime(2026, 3, 9, 7, tzinfo=UTC))  # Monday, moved from Sunday the 8th


def test_origins_as_browsers_send_them() -> None:
    text = '[[web]]\nname = "w"\nkey = "k"\norigins = ["https://Окна.рф", "http://LOCALHOST:3000/", "*"]'
    assert parse_settings(text).web[0].origins == ("https://xn--80atjc.xn--p1ai", "http://localhost:3000", "*")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("2s", timedelta(seconds=2)),
        ("5m", timedelta(minutes=5)),
        ("24h", timedelta(hours=24)),
        (" 7 d ", timedelta(days=7)),
        ("0s", timedelta(0)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize("text", ["", "5", "s", "-1s", "1.5h", "5 min", "1h30m", "٣s", "9999999999999s", 5, None])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(BadValueError):
        duration(text)


@pytest.mark.parametrize(("text", "expected"), [("25MB", 26214400), ("1kb", 1024), ("2 G", 2147483648), ("4096", 4096)])
def test_sizes(text: str, expected: int) -> None:
    assert size(text) == expected


def test_alarms() -> None:
    assert parse_settings("").alarms == AlarmSettings(timedelta(minutes=2), silence=True)
    settings = parse_settings('[alarms]\nlink_after = "10s"\nsilence = false\n')
    assert settings.alarms == AlarmSettings(timedelta(seconds=10), silence=False)


def test_a_line_names_a_pbx_that_may_be_connected_on_the_page_of_channels() -> None:
    table = '[[line]]\nnumber = "100"\npbx = "ofice"\n[[line]]\nnumber = "200"\n'
    settings = parse_settings(table)
    (alone,) = lines_without_pbx(settings)
    assert (
        str(alone)
        .partition(": ")[2]
        .startswith('line[1].pbx: there is no PBX named "ofice": no call comes to this line. Connect')
    )
    office = PbxSettings("office", ServerUrl("ami", "127.0.0.1", 9, "hub", Secret("nothing")))
    (beside,) = lines_without_pbx(replace(settings, pbx=(office,)))
    assert beside.mend == 'Did you mean "office"?'
    assert lines_without_pbx(replace(settings, pbx=(replace(office, name="ofice"),))) == ()
