"""A wrong configuration: everything that is wrong, where it stands, and what was probably meant."""

from __future__ import annotations

import re

import pytest

from hub.settings import Problem, SettingsError, load_settings, parse_settings


def problems(text: str, environ: dict[str, str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text, environ=environ)
    return caught.value.problems


def only(text: str, environ: dict[str, str] | None = None) -> str:
    (problem,) = problems(text, environ)
    return str(problem)


BOT = '[[telegram]]\nname = "shop"\ntoken = "1:abc"\n'
MAILBOX = '[[email]]\nname = "m"\naddress = "a@b.ru"\n'
PBX = '[[pbx]]\nname = "office"\nami = "ami://u:p@h"\n'
VK = '[[vk]]\nname = "v"\ngroup_id = 1\ntoken = "t"\nmode = "longpoll"\n'
WEB = '[[web]]\nname = "w"\nkey = "k"\n'
HOURS = '[[hours]]\nname = "office"\ndays = { mon = "09:00-18:00" }\n'
HOOK = '[[webhook]]\nurl = "https://h.ru/x"\nsecret = "s"\nevents = ["task.due"]\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('htpp = "x"', 'hub.toml:1: htpp: unknown key. Did you mean "http"?'),
        ("[telegrams]", 'hub.toml:1: telegrams: unknown key. Did you mean "telegram"?'),
        (f'{BOT}tokn = "x"', 'hub.toml:4: telegram[1].tokn: unknown key. Did you mean "token"?'),
        (f'{BOT}"a b" = "x"', 'hub.toml:4: telegram[1]."a b": unknown key. Known are api_base, '),
        ("[telegram]\nname = 1", "hub.toml:1: telegram: expected a list of tables, got a table. Head each with [["),
        ("telegram = [5]", "hub.toml:1: telegram[1]: expected a table, got a whole number. Head it with [[telegram]]"),
        ("[[routing]]", "hub.toml:1: routing: expected a table, got a list. Head it with [routing]"),
        ("http = 8080", "hub.toml:1: http: expected a text, got a whole number. Write it in quotes"),
        ('http = "8080"', 'hub.toml:1: http: "8080" is not host:port. Write host and port, like "127.0.0.1:8080"'),
        ('http = "h:70000"', "hub.toml:1: http: port 70000 does not exist"),
        ('http = "[::g]:1"', "hub.toml:1: http: "),
        ('log = "yaml"', 'hub.toml:1: log: "yaml" is not known here. It may be one of text, json'),
        ('log = "jsn"', 'hub.toml:1: log: "jsn" is not known here. Did you mean "json"? It may be one of text, json'),
        ("log = true", "hub.toml:1: log: expected one of text, json, got true or false"),
        (
            'time_zone = "Europe/Moskva"',
            'hub.toml:1: time_zone: "Europe/Moskva" is not a time zone. Did you mean "Europe/',
        ),
        ('region = "RUS"', 'hub.toml:1: region: "RUS" is not a country code'),
        ('files = ""', "hub.toml:1: files: the text is empty. Give it a value or remove the key"),
        ('files = "~nobody-here/x"', 'hub.toml:1: files: "~nobody-here/x" names somebody without a home folder'),
        ('files = "a\\nb"', "hub.toml:1: files: the text holds a line break"),
        ('public_url = "hub.ru"', "hub.toml:1: public_url: the address does not begin with https:// or http://"),
        ('public_url = "https://h/?x"', "hub.toml:1: public_url: the address holds a ?"),
        (
            'database_url = "sqlite:///x"',
            'hub.toml:1: database_url: this is no database that the hub runs on. Write "sql',
        ),
        ('database_url = "postgresql+asyncpg://h"', "hub.toml:1: database_url: the address names no database"),
        ('database_url = "postgresql+asyncpg:///d"', "hub.toml:1: database_url: the address names no usable host"),
        ('redis_url = "http://h"', "hub.toml:1: redis_url: the address does not begin with redis:// or rediss://"),
        ('redis_url = "redis://h/x"', "hub.toml:1: redis_url: the path of the address is not a database number"),
        ('[[telegram]]\ntoken = "1:abc"', "hub.toml:1: telegram[1].name: the key is missing"),
        (f"{BOT}token2 = 1", 'hub.toml:4: telegram[1].token2: unknown key. Did you mean "token"?'),
        (f'{BOT}mode = "webhook"', "hub.toml:1: telegram[1].secret: mode webhook needs a secret"),
        (f'{BOT}mode = "webhook"\nsecret = "п"', "hub.toml:5: telegram[1].secret: the secret has marks that Telegram"),
        ('[[telegram]]\nname = "a/b"\ntoken = "1:abc"', 'hub.toml:2: telegram[1].name: "a/b" is not usable as a name'),
        ('[[telegram]]\nname = "a"\ntoken = "1/a"', "hub.toml:3: telegram[1].token: this is not a bot's token"),
        (f"{BOT}enquiry = 1", "hub.toml:4: telegram[1].enquiry: expected true or false, got a whole number"),
        (f"{BOT}{BOT.replace('1:abc', '2:bcd')}", 'hub.toml:5: telegram[2].name: "shop" stands in telegram[1] already'),
        (f"{BOT}{BOT.replace('shop', 'b')}", "hub.toml:6: telegram[2].token: the same stands in telegram[1] already"),
        (
            f"{BOT}staff = true\n[[telegram]]\nname = 'b'\ntoken = '2:bcd'\nstaff = true",
            "hub.toml:8: telegram[2].staff: telegram[1] is the bot that tells the office already",
        ),
        (VK.replace("1\n", "0\n"), "hub.toml:3: vk[1].group_id: the number is out of range (0). Give a number from 1"),
        (VK.replace("longpoll", "callback") + 'secret = "s"', "hub.toml:1: vk[1].confirmation: mode callback needs"),
        (MAILBOX, "hub.toml:1: email[1].listen: the mailbox has no way in or out. Add listen, imap or smtp"),
        (f'{MAILBOX}imap = "imaps://u:p/w@h"', "hub.toml:4: email[1].imap: the address can't be taken apart"),
        (f'{MAILBOX}imap = "imaps://u:100%@h"', "hub.toml:4: email[1].imap: the address holds a % that begins no code"),
        (f'{MAILBOX}imap = "imaps://u:p w@h"', "hub.toml:4: email[1].imap: the address holds a blank"),
        (f'{MAILBOX}imap = "imaps://h"', "hub.toml:4: email[1].imap: user or password is missing"),
        (f'{MAILBOX}smtp = "smtp://h/x"', "hub.toml:4: email[1].smtp: the address has a path"),
        (f'{MAILBOX}smtp = "smtp://u:a#b@h"', "hub.toml:4: email[1].smtp: "),
        (f'{MAILBOX}smtp = "smtp://h"\nmax_size = 25', "hub.toml:5: email[1].max_size: expected a size, got a whole"),
        (
            f'{MAILBOX}smtp = "smtp://h"\nmax_size = "25 пудов"',
            'hub.toml:5: email[1].max_size: "25 пудов" is not a size',
        ),
        (f'{MAILBOX}smtp = "smtp://h"\nmax_size = "9999GB"', 'hub.toml:5: email[1].max_size: "9999GB" is out of range'),
        (f'{MAILBOX}listen = "127.0.0.1:8080"', "hub.toml:4: email[1].listen: 127.0.0.1:8080 is taken by http"),
        (f'{PBX}agi = "127.0.0.1:8080"', "hub.toml:4: pbx[1].agi: 127.0.0.1:8080 is taken by http"),
        (
            f'{PBX}dial = "PJSIP/101"',
            'hub.toml:4: pbx[1].dial: "PJSIP/101" has to hold {extension}, and no other braces',
        ),
        (f'{PBX}trunk = "{{number}}@{{trunk}}"', "hub.toml:4: pbx[1].trunk: "),
        (f'{PBX}trunk = "{{number}}@x\\r\\nAction: x"', "hub.toml:4: pbx[1].trunk: the text holds a line break"),
        (f'{PBX}wrap = "10"', 'hub.toml:4: pbx[1].wrap: "10" is not a duration. Write a whole number with a unit'),
        (f'{PBX}wrap = "99999d"', 'hub.toml:4: pbx[1].wrap: "99999d" is longer than ten years'),
        (PBX.replace("u:p@", "u:p%0D%0AAction@"), "hub.toml:3: pbx[1].ami: user or password hold a line break"),
        (f'{WEB}origins = ["https://a.ru/x", 5]', "hub.toml:4: web[1].origins[1]: "),
        (
            f'{PBX}[[line]]\nnumber = "+7495"\npbx = "office"',
            'hub.toml:5: line[1].number: "+7495" has too few or too many',
        ),
        (f'{PBX}[[line]]\nnumber = "продажи!"', 'hub.toml:5: line[1].number: "продажи!" is not a telephone number'),
        (
            '[[line]]\nnumber = "100"\n[[line]]\nnumber = "100"',
            'hub.toml:4: line[2].number: "100" stands in line[1] already',
        ),
        ('[[list]]\nname = "a"\naction = "route"', "hub.toml:1: list[1].to: action route needs a destination"),
        (
            '[[list]]\nname = "a"\naction = "reject"\nto = "x"',
            "hub.toml:4: list[1].to: means nothing with action reject",
        ),
        ('[[ladder]]\non = "call.missed"\nsteps = []', "hub.toml:3: ladder[1].steps: the ladder has no steps"),
        (
            '[[ladder]]\non = "call.missed"\nsteps = [\n{ after = "5m", tell = ["head"] },\n{ tell = ["duty"] }]',
            'hub.toml:5: ladder[1].steps[2].tell[1]: "duty" is not known here',
        ),
        (
            '[[ladder]]\non = "call.missed"\nhours = "ofice"\n[[ladder.steps]]\nafter = "0s"\ntell = ["head"]\n'
            + HOURS,
            'hub.toml:3: ladder[1].hours: there is no [[hours]] named "ofice". Did you mean "office"?',
        ),
        (HOURS.replace("mon", "mnd"), 'hub.toml:3: hours[1].days.mnd: "mnd" names no day. Did you mean'),
        (HOURS.replace("18:00", "08:00"), 'hub.toml:3: hours[1].days.mon: "09:00-08:00" ends before it begins'),
        (HOURS.replace("18:00", "25:00"), 'hub.toml:3: hours[1].days.mon: "09:00-25:00" names a time that does not'),
        (HOURS.replace("18:00", "18:00, 17:00-19:00"), "hub.toml:3: hours[1].days.mon: the openings in "),
        (HOURS.replace("}", ', mon-fri = "09:00-10:00" }'), "hub.toml:3: hours[1].days.mon-fri: mon is named twice"),
        (HOURS.replace('mon = "09:00-18:00"', ""), "hub.toml:3: hours[1].days: no day is named"),
        (HOURS.replace('"office"', '"any"'), 'hub.toml:2: hours[1].name: "any" already means round the clock'),
        (f'{HOURS}holidays = "XX"', 'hub.toml:4: hours[1].holidays: "XX" is no country whose holidays are known'),
        (
            f'{HOURS}holidays = ["RU", "2026-02-30"]',
            'hub.toml:4: hours[1].holidays[2]: "2026-02-30" is a date that does',
        ),
        (
            HOOK.replace("task.due", "task.du"),
            'hub.toml:4: webhook[1].events[1]: "task.du" is not known here. Did you mean',
        ),
        (HOOK.replace('"task.due"', ""), "hub.toml:4: webhook[1].events: the list is empty. Name at least one"),
        (
            HOOK.replace("https", "ftp"),
            "hub.toml:2: webhook[1].url: the address does not begin with https:// or http://",
        ),
        (
            '[routing]\nfallback = ["manager"]',
            'hub.toml:2: routing.fallback[1]: "manager" is not known here. It may be',
        ),
        ('[routing]\nfallback = ["duty", "duty"]', "hub.toml:2: routing.fallback[2]: stands in the list twice"),
        (
            "[routing]\ndeadline_ms = true",
            "hub.toml:2: routing.deadline_ms: expected a whole number, got true or false",
        ),
        (
            "[routing]\nring_s = 0",
            "hub.toml:2: routing.ring_s: the number is out of range (0). Give a number from 1 to 600",
        ),
        ('[robot]\nspacing = "0s"', "hub.toml:2: robot.spacing: the duration is zero"),
        ("[robot]\nclient_hours = 9", "hub.toml:2: robot.client_hours: expected a text, got a whole number"),
    ],
)
def test_each_fault_has_its_place_and_cure(text: str, expected: str) -> None:
    found = "\n".join(str(problem) for problem in problems(text))
    assert expected in found


def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    found = problems('http = 1\n[routing]\nring = 5\n[[web]]\nname = "w"\n', {"HUB_LOGS": "json", "HUB_REGION": "Q"})
    assert [(each.where, each.line, each.key) for each in found] == [
        ("environment", None, "HUB_REGION"),
        ("environment", None, "HUB_LOGS"),
        ("hub.toml", 1, "http"),
        ("hub.toml", 3, "routing.ring"),
        ("hub.toml", 4, "web[1].key"),
    ]


def test_steps_in_disorder() -> None:
    text = '[[ladder]]\non = "call.missed"\nsteps = [{after = "5m", tell = ["head"]}, {after = "1m", tell = ["head"]}]'
    assert "ladder[1].steps: step 2 comes before the one above it" in only(text)


def test_two_ladders_of_one_event() -> None:
    ladder = '[[ladder]]\non = "call.missed"\nsteps = [{ after = "5m", tell = ["head"] }]\n'
    assert only(ladder * 2).startswith('hub.toml:5: ladder[2].on: "call.missed" stands in ladder[1] already')


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a = 1\nb =\n", 2, "not valid TOML (column 4): Invalid value"),
        ('region = "RU\n', 1, "not valid TOML (column 13): Illegal character"),
        ("[a]\n\n[a]\n", 3, "not valid TOML"),
        ("a = [1,\n2\n\n", 2, "not valid TOML"),
        ("a = 1979-13-01", 1, "not valid TOML"),
        (f"a = {'9' * 5000}", None, "not valid TOML"),
        ("a = " + "[" * 5000, None, "lists or tables are nested too deep"),
    ],
)
def test_syntax_errors_name_the_line(text: str, line: int | None, what: str) -> None:
    (problem,) = problems(text)
    assert (problem.line, problem.key) == (line, "")
    assert what in str(problem)


def test_unknown_variables_are_errors_and_others_are_left_alone() -> None:
    assert 'environment: HUB_DATABASE: unknown key. Did you mean "HUB_DATABASE_URL"?' in only("", {"HUB_DATABASE": "x"})
    left_alone = {"HUB_TEST_X": "1", "HUB_DEMO_X": "1", "HUB_PEERS": "x", "HUB_CONFIG": "", "HUBS": "1"}
    service = {"HUB_SERVICE_HOST": "h", "HUB_SERVICE_PORT": "1", "HUB_PORT": "t", "HUB_PORT_80_TCP": "t"}
    load_settings(left_alone | service)
    assert "HUB_PORT: unknown key" in only("", {"HUB_PORT": "8080"})
    assert len(problems('files = "${HUB_SPOT}"', {"HUB_SPOT": "x", "HUB_SPOTS": "x"})) == 1


def test_a_missing_variable_is_named_with_the_nearest_there_is() -> None:
    found = only(BOT.replace("1:abc", "${TG_TOKEN}"), {"TG_TOKNE": "x"})
    assert found == (
        'hub.toml:3: telegram[1].token: the environment has no variable TG_TOKEN (there is "TG_TOKNE"). '
        "Set it before the start"
    )


def test_nothing_secret_is_ever_told() -> None:
    secret = "S3CRETVALUE"
    keys = ("database_url", "redis_url", "public_url")
    text = "\n".join(f'{key} = "weird://u:{secret}@h/x"' for key in keys)
    text += f'\n[[telegram]]\nname = "{{}} ${{S}}"\ntokn = "{secret}"\ntoken = ["{secret}"]\nmode = "${{S}}"\n'
    text += (
        f'[[email]]\nname = "m"\naddress = "a@b.ru"\nimap = "imaps://u:{secret}/@h"\nsmtp = "smtp://u:{secret}#@h"\n'
    )
    text += f'[[pbx]]\nname = "o"\nami = "ami://{secret}@h"\n'
    environ = {"S": secret, "HUB_SECRET_KEY": f"{secret}\n", "HUB_SECRET": secret}
    with pytest.raises(SettingsError) as caught:
        parse_settings(text, environ=environ)
    assert len(caught.value.problems) >= 11
    assert secret not in str(caught.value)
    assert "${S}" in str(caught.value)


def test_problems_read_as_one_message() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings("a = 1\nb = 2")
    assert re.match(r"2 problems in the configuration:\n  hub.toml:1: a: .*\n  hub.toml:2: b: ", str(caught.value))
