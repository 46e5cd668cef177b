"""Whoever reads Russian reads Russian: every page, walked through by everybody who works here, says no foreign word."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from crm_core.model.alarm import AlarmKind
from crm_core.model.automation import RuleRunRecord, RunOutcome
from crm_core.model.user import Role
from crm_core.services.desk import Desk
from crm_core.services.watching.alarms import raise_alarm
from crm_core.storage.tokens import add_token
from crm_core.wording import Sentence
from hub.access.security import token_digest
from hub.web.routes import ROUTES
from tests.integration.web.conftest import Browser, Workspace

MOST_OF_EACH: Final = 2
PEOPLE: Final = {
    "root": Role.ADMIN,
    "nachalnik": Role.HEAD,
    "kontroler": Role.CONTROLLER,
    "ivan": Role.MANAGER,
    "reklama": Role.MARKETER,
}
NAMES: Final = {
    "root": "Анна Главная",
    "nachalnik": "Борис Сергеев",
    "kontroler": "Вера Орлова",
    "ivan": "Иван Петров",
    "reklama": "Галина Ким",
}
# Lines without an end, ways out, what is no page.
ELSEWHERE: Final = re.compile(
    r"/live.*|/setup|/login.*|/logout|/me/factor|/static/.*|/api/.*|.*/recording|.*/export.*|.*\.toml|.*/files/.*|/healthz|/metrics"
)
# Names of products, formats and techniques, and what is written in Latin letters in Russian, too.
ALLOWED: Final = frozenset(
    [
        *(
            "telegram",
            "vk",
            "whatsapp",
            "viber",
            "max",
            "amocrm",
            "instagram",
            "facebook",
            "gmail",
            "google",
            "outlook",
        ),
        *(
            "asterisk",
            "ami",
            "agi",
            "fastagi",
            "freepbx",
            "pjsip",
            "sip",
            "cdr",
            "manager.conf",
            "webrtc",
            "pbx",
            "cti",
        ),
        *(
            "word",
            "excel",
            "docx",
            "wav",
            "xlsx",
            "csv",
            "pdf",
            "html",
            "toml",
            "json",
            "css",
            "svg",
            "png",
            "jpeg",
            "jpg",
        ),
        *("liquid", "api", "http", "https", "url", "smtp", "smtps", "imap", "imaps", "inbox", "tls", "starttls", "s3"),
        *("totp", "oidc", "openid", "connect", "webhook", "callback", "long", "poll", "id", "utm", "ip", "qr", "token"),
        *("botfather", "redis", "postgresql", "sqlite", "e-mail", "utf", "windows", "chrome", "firefox", "safari"),
        *("python", "aiohttp", "abc", "xyz", "rfm", "bant", "meddpicc", "b2b", "r", "rehau", "kbe", "veka", "web"),
        *("gateway", "shop", "office", "ru", "europe", "moscow", "new", "all", "tg", "mysql", "secret", "hub"),
    ]
)
SKIPPED: Final = frozenset({"script", "style", "code", "pre", "kbd", "samp", "textarea", "svg", "template"})
SAID_BY: Final = ("title", "aria-label", "placeholder", "alt", "data-confirm", "data-empty")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z'’-]*[A-Za-z]|[A-Za-z]")
_ADDRESS: Final = re.compile(
    "|".join(  # noqa: FLY002 - each on a line of its own
        [
            r"https?://\S+|[\w.+-]+@[\w.-]+|(?<![\w.])/[\w/{}.?=&-]+|@\w+",
            r"\{\{.*?\}\}|\{%.*?%\}|\{[{%][^}]*$",  # placeholders of templates
            r"\b[a-z_]+(?:\.[a-z_*]+)+|\b\w+_\w+\b",  # columns and fields as expressions name them
            r"[\w.\"\s]+(?:==|!=|>|&&).*",  # expressions
            r"\bУзел \S+|«[a-z_]+»|\b(?:B2B|B2C|4R)\b",
            r"\bp\d\d\b|[a-zа-я]*\d+(?:ms|[smhd])\b|#[0-9a-f]{6}\b|\b[0-9a-f]{16}\b|\b[\w/]+/json\b",
        ]
    )
)


class Texts(HTMLParser):
    """What of a page people read: its texts, and what is said of its parts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.links: set[str] = set()
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in _VOID:
            foreign = tag in SKIPPED or given.get("lang") == "en" or "data-given" in given
            self._within.append(tag if not foreign else f"!{tag}")
        if not self._hidden():
            self.found += [given[name] for name in SAID_BY if given.get(name)]
            if tag == "input" and given.get("type") in {"submit", "button"}:
                self.found.append(given.get("value", ""))
        self.links |= {given[name] for name in ("href", "hx-get", "src") if given.get(name, "").startswith("/")}

    def handle_endtag(self, tag: str) -> None:
        while self._within:
            if self._within.pop().removeprefix("!") == tag:
                return

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._hidden():
            self.found.append(data.strip())

    def _hidden(self) -> bool:
        return any(each.startswith("!") for each in self._within)


# What is to be written in letters of its own, in hints; what offices of others call their things: presets are theirs.
LITERAL: Final = (
    "group:имя", "amount, manager,", "today (сегодня)", "mon-fri → ", "leads = false", "[robot]", "[[line]]",
    "greeting =", "custom/greeting", "hub asterisk snippet", "Bot API", "Mail.ru", "{number}", "asteriskcdrdb",
)  # fmt: skip
OF_OTHERS: Final = re.compile(r"/(?:first-run/preset|office/presets)/.+")
_VOID: Final = frozenset({"input", "br", "img", "meta", "link", "hr", "source", "wbr", "col", "use", "path"})


def foreign(text: str) -> list[str]:
    """The foreign words of a text."""
    if any(each in text for each in LITERAL):
        return []
    known = {*PEOPLE, *ALLOWED}
    return [each for each in _WORD.findall(_ADDRESS.sub(" ", text)) if each.lower() not in known]


@pytest.fixture
def migrated_url(furnished_sqlite: str) -> str:
    """The words of a page do not hang on the database."""
    return furnished_sqlite


async def fill(workspace: Workspace, root: Browser) -> list[str]:
    """An office that works: a preset, clients who wait, cards, tasks, troubles; where that is shown."""
    await root.send("/first-run/preset/windows", page="/first-run/preset/windows")
    await workspace.hub.store.run(lambda desk: add_token(desk, "root", token_digest("hub_words")))
    headers = {"Authorization": "Bearer hub_words"}

    async def ask(method: str, path: str, body: Any = None) -> Any:
        async with root.client.request(method, f"/api/v1{path}", json=body, headers=headers) as answer:
            assert answer.status < 300, (path, await answer.text())
            return await answer.json() if answer.status != 204 else None

    card = await workspace.write("Сколько стоит окно?", name="Мария Светлова")
    await workspace.write("Жду замер", client=1002, name="Пётр Лукин", number="2")
    pipeline = (await ask("GET", "/pipelines"))["items"][0]
    company = await ask("POST", "/companies", {"name": "Ромашка"})
    deal = await ask(
        "POST",
        "/deals",
        {"title": "Окна на дачу", "pipeline": pipeline["name"], "contact_id": card, "manager": "ivan"},
    )
    for change in (
        {"manager": "root"},
        {"company_id": company["id"]},
        {"amount": {"amount": 15000000, "currency": "RUB"}},
        {"contact_id": None},
    ):
        await ask("PATCH", f"/deals/{deal['id']}", change)
    await ask("PATCH", f"/deals/{deal['id']}", {"contact_id": card})
    task = await ask("POST", "/tasks", {"title": "Замер", "assignee": "ivan", "deal_id": deal["id"]})
    await ask("POST", f"/contacts/{card}/messages", {"channel": "telegram", "account": "shop", "text": "Добрый день"})

    def troubles(desk: Desk) -> None:
        refused = Sentence("VK error {code}", code=901)
        runs = (
            (RunOutcome.FAILED, Sentence("{act}: {why}", act="message", why=refused)),
            (RunOutcome.UNMET, "condition"),
            (RunOutcome.HELD_BACK, Sentence("rules call each other in a circle: {circle}", circle="Первое → Второе")),
        )
        for number, (outcome, why) in enumerate(runs):
            desk.work.put(
                RuleRunRecord(f"k{number}", "Первое", "deal", deal["id"], card, desk.now, outcome, "created", [], why)
            )
        raise_alarm(desk, AlarmKind.LINK_DOWN, "pbx:офис", Sentence("the link is down"))

    await workspace.hub.store.run(troubles)
    return [
        f"/contacts/{card}",
        f"/deals/{deal['id']}",
        f"/deals/{deal['id']}?part=trace",
        f"/tasks/{task['id']}",
        f"/deals/board/{pipeline['id']}",
        "/search?q=окн",
    ]


def patterns(workspace: Workspace) -> dict[str, re.Pattern[str]]:
    """The pages there are, by their addresses."""
    named = re.compile(r"\{\w+(?::((?:[^{}]|\{[^{}]*\})*))?\}")
    paths = {each.path for each in workspace.app[ROUTES] if each.method == "GET"}
    return {
        path: re.compile(named.sub(lambda found: found[1] or "[^/]+", path))
        for path in sorted(paths)
        if not ELSEWHERE.fullmatch(path)
    }


async def walked(workspace: Workspace, browser: Browser, first: list[str]) -> dict[str, list[str]]:
    """The foreign words of every page that somebody comes to, with what they stand in."""
    known = patterns(workspace)
    waiting = [*first, *(path for path in known if "{" not in path)]
    visited: dict[str, int] = {}
    seen: set[str] = set()
    found: dict[str, list[str]] = {}
    while waiting:
        path = waiting.pop(0)
        name = next((name for name, fits in known.items() if fits.fullmatch(urlsplit(path).path)), None)
        if path in seen or name is None or visited.get(name, 0) >= MOST_OF_EACH + 2 * name.startswith("/office"):
            continue
        seen.add(path)
        visited[name] = visited.get(name, 0) + 1
        async with browser.client.get(path, allow_redirects=True) as answer:
            if "text/html" not in answer.headers.get("Content-Type", ""):
                continue
            page = Texts()
            page.feed(await answer.text())
        for text in page.found if not OF_OTHERS.fullmatch(path) else ():
            if words := foreign(text):
                found.setdefault(" ".join(text.split())[:160], []).append(f"{path} {words}")
        waiting += sorted(page.links - seen)
    return found


@pytest.mark.timeout(300)
async def test_no_page_says_a_word_in_another_language(workspace: Workspace) -> None:
    browsers = {}
    for login, role in PEOPLE.items():
        await workspace.hire(login, role, name=NAMES[login])
        browsers[login] = workspace.browser()
        await browsers[login].log_in(login)
    first = await fill(workspace, browsers["root"])
    found: dict[str, dict[str, list[str]]] = {}
    for login, browser in browsers.items():
        for text, where in (await walked(workspace, browser, first)).items():
            found.setdefault(text, {})[login] = where
    said = [f"{text!r}: {', '.join(where)} {next(iter(where.values()))[0]}" for text, where in found.items()]
    assert not said, "\n".join(said)


async def test_the_history_of_a_deal_names_clients_and_companies(workspace: Workspace) -> None:
    await workspace.hire("root", name=NAMES["root"])
    await workspace.hire("ivan", Role.MANAGER, name=NAMES["ivan"])
    root = workspace.browser()
    await root.log_in("root")
    first = await fill(workspace, root)
    card, trace = first[0], await root.get(first[2])
    assert f'<a href="{card}">Мария Светлова</a>' in trace
    assert "<td>Ромашка</td>" in trace
    assert f"<td>{card.rpartition('/')[2]}</td>" not in trace
    assert NAMES["root"] in trace
    assert NAMES["ivan"] in trace
    # Why rules did not act, in words: what failed, a condition, a circle.
    for words in ("ошибка VK 901", "Правила вызывают друг друга по кругу", "Условие"):
        assert words in trace, words
