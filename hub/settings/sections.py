"""What each table of hub.toml holds: one reader per table, key by key, and what its keys demand of each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from crm_core.messages import RouteStage
from crm_core.model.calendar import ALWAYS, ANY_HOURS, WorkingHours
from crm_core.model.events import PATTERN, WebhookEvent, mistyped
from crm_core.model.ladder import Ladder, LadderEvent, LadderStep, Told
from crm_core.model.office import ListAction, SpecialList
from crm_core.wording import Sentence
from hub.settings import hours, mail, storage, urls, values
from hub.settings.answers import answers
from hub.settings.errors import BadValueError
from hub.settings.model import (
    AlarmSettings,
    ChatPosition,
    CtiSettings,
    EmailSettings,
    GatewaySettings,
    ImportSettings,
    MailProtocol,
    PbxSettings,
    RecordingsSettings,
    RoutingSettings,
    TelegramMode,
    TelegramSettings,
    VkMode,
    VkSettings,
    WebhookSettings,
    WebSettings,
)
from hub.settings.nearest import nearest
from hub.settings.policies import policy
from hub.settings.reader import Section
from hub.settings.secret import Endpoint, Secret, ServerUrl
from hub.settings.values import Parser, shown

_FALLBACKS = (RouteStage.DEPUTY, RouteStage.GROUP, RouteStage.DUTY, RouteStage.CALLBACK)
# Stand-ins of keys that are missing or wrong; settings with problems are never handed out.
_NO_SECRET = Secret("")
_NO_SERVER = ServerUrl("", "", 0)


def telegram(section: Section) -> TelegramSettings:
    """[[telegram]]"""
    mode = section.take("mode", values.one_of(TelegramMode), TelegramMode.POLLING)
    # in mode polling nobody sends it, so that it may be anything
    parse_secret = values.header_secret if mode is TelegramMode.WEBHOOK else values.secret
    secret = section.take("secret", parse_secret, None)
    if mode is TelegramMode.WEBHOOK and not section.has("secret"):
        section.wrong(
            "secret",
            Sentence("mode webhook needs a secret"),
            Sentence("Add 1 to 256 letters, digits, _ and -, hard to guess"),
        )
    return TelegramSettings(
        name=section.need("name", values.name, ""),
        token=section.need("token", values.bot_token, _NO_SECRET),
        mode=mode,
        secret=secret,
        api_base=section.take("api_base", urls.base_address, "https://api.telegram.org"),
        staff=section.take("staff", values.flag, False),
        policy=policy(section),
        answers=answers(section),
    )


def vk(section: Section) -> VkSettings:
    """[[vk]]"""
    mode = section.take("mode", values.one_of(VkMode), VkMode.CALLBACK)
    secret = section.take("secret", values.secret, None)
    confirmation = section.take("confirmation", values.secret, None)
    if mode is VkMode.CALLBACK:
        for key in ("secret", "confirmation"):
            if not section.has(key):
                section.wrong(
                    key,
                    Sentence("mode callback needs {key}", key=key),
                    Sentence("Copy it from the community's Callback API settings"),
                )
    return VkSettings(
        name=section.need("name", values.name, ""),
        group_id=section.need("group_id", values.whole(1, 2**63 - 1), 0),
        token=section.need("token", values.secret, _NO_SECRET),
        mode=mode,
        secret=secret,
        confirmation=confirmation,
        api_base=section.take("api_base", urls.base_address, "https://api.vk.com/method"),
        joins=section.take("joins", values.flag, True),
        policy=policy(section),
        answers=answers(section, contact=False),  # VK has no button for sharing a number
    )


def email(folder: Path) -> Callable[[Section], EmailSettings]:
    """[[email]]; relative paths start at `folder`."""
    return lambda section: _email(section, folder)


def _email(section: Section, folder: Path) -> EmailSettings:
    if not any(section.has(key) for key in ("listen", "imap", "smtp")):
        section.wrong("listen", Sentence("the mailbox has no way in or out"), Sentence("Add listen, imap or smtp"))
    for one, other in (("tls_cert", "tls_key"), ("listen_user", "listen_password")):
        for given, missing in ((one, other), (other, one)):
            if section.has(given) and not section.has(missing):
                section.wrong(
                    given,
                    Sentence("{given} is of no use without {lacking}", given=given, lacking=missing),
                    Sentence("Add {lacking}", lacking=missing),
                )
    listen = section.take("listen", urls.endpoint, None)
    if section.has("listen_user") and not section.has("tls_cert") and listen is not None and not _loopback(listen):
        section.wrong(
            "listen_user",
            Sentence("the password would cross the network readable"),
            Sentence("Add tls_cert and tls_key"),
        )
    return EmailSettings(
        name=section.need("name", values.name, ""),
        address=section.need("address", values.mail_address, ""),
        listen=listen,
        imap=section.take("imap", urls.server({"imaps": 993, "imap": 143}, path="INBOX", login=True), None),
        smtp=section.take("smtp", urls.server({"smtp": 587, "smtps": 465}), None),
        max_size=section.take("max_size", values.size, EmailSettings("", "").max_size),
        # Whoever takes mail in by IMAP may have a mailbox whose server knows no addresses with a mark.
        reply_token=section.take("reply_token", values.flag, section.has("listen")),
        authserv=section.take("authserv", values.list_of(mail.server_id), ()),
        form_senders=section.take("form_senders", values.list_of(values.mail_address), ()),
        form_fields=section.take("form_fields", mail.form_fields, ()),
        imap_since=section.take("imap_since", mail.since, EmailSettings("", "").imap_since),
        protocol=section.take("protocol", values.one_of(MailProtocol), MailProtocol.SMTP),
        tls_cert=section.take("tls_cert", path(folder), None),
        tls_key=section.take("tls_key", path(folder), None),
        listen_user=section.take("listen_user", values.text, ""),
        listen_password=section.take("listen_password", values.secret, None),
        policy=policy(section),
        answers=answers(section, menu=False, contact=False),
    )


def _loopback(listen: Endpoint) -> bool:
    return listen.host in {"localhost", "::1"} or listen.host.startswith("127.")


def pbx(folder: Path) -> Callable[[Section], PbxSettings]:
    """[[pbx]]; relative paths start at `folder`."""

    def read(section: Section) -> PbxSettings:
        plain = PbxSettings("", _NO_SERVER)
        return PbxSettings(
            name=section.need("name", values.name, ""),
            ami=section.need("ami", urls.server({"ami": 5038}, login=True), _NO_SERVER),
            agi=section.take("agi", urls.endpoint, plain.agi),
            dial=section.take("dial", values.template("extension"), plain.dial),
            trunk=section.take("trunk", values.template("number"), None),
            recordings=section.take("recordings", path(folder), None),
            sounds=section.take("sounds", path(folder), None),
            cdr=section.take("cdr", path(folder), None),
            fallback=section.take("fallback", values.text, None),
            wrap=section.take("wrap", values.duration, plain.wrap),
            record=section.take("record", values.flag, plain.record),
            agi_second=section.take("agi_second", values.text, None),
            cdr_sql=section.take("cdr_sql", urls.foreign_database(folder), None),
            cdr_table=section.take("cdr_table", values.text, plain.cdr_table),
        )

    return read


def web(section: Section) -> WebSettings:
    """[[web]]"""
    plain = WebSettings("", _NO_SECRET)
    return WebSettings(
        name=section.need("name", values.name, ""),
        key=section.need("key", values.secret, _NO_SECRET),
        origins=section.take("origins", values.list_of(urls.origin), plain.origins),
        max_size=section.take("max_size", values.size, plain.max_size),
        per_minute=section.take("per_minute", values.whole(1, 100_000), plain.per_minute),
        chat=section.take("chat", values.flag, plain.chat),
        title=section.take("title", values.text, plain.title),
        color=section.take("color", values.color, plain.color),
        position=section.take("position", values.one_of(ChatPosition), plain.position),
        file_size=section.take("file_size", values.size, plain.file_size),
        policy=policy(section),
        answers=answers(section, hours_alone=True),
    )


def cti(section: Section) -> CtiSettings:
    """[[cti]]"""
    return CtiSettings(
        name=section.need("name", values.name, ""),
        token=section.need("token", values.path_secret, _NO_SECRET),
        caller_id=section.take("caller_id", values.caller_id, None),
        caller_ids=section.take("caller_ids", values.caller_ids, ()),
        policy=policy(section),
    )


def gateway(section: Section) -> GatewaySettings:
    """[[gateway]]"""
    plain = GatewaySettings("", _NO_SECRET)
    return GatewaySettings(
        name=section.need("name", values.name, ""),
        secret=section.need("secret", values.secret, _NO_SECRET),
        url=section.take("url", urls.web_address, None),
        phones=section.take("phones", values.flag, plain.phones),
        file_hosts=section.take("file_hosts", values.list_of(values.text), plain.file_hosts),
        max_size=section.take("max_size", values.size, plain.max_size),
        policy=policy(section),
        answers=answers(section),
    )


def special_list(section: Section) -> SpecialList:
    """[[list]]"""
    action = section.need("action", values.one_of(ListAction), ListAction.NO_LEAD)
    if action is ListAction.ROUTE and not section.has("to"):
        section.wrong("to", Sentence("action route needs a destination"), Sentence('Add one, like to = "PJSIP/150"'))
    if action is not ListAction.ROUTE and section.has("to") and section.has("action"):
        section.wrong(
            "to",
            Sentence("means nothing with action {action}", action=action.value),
            Sentence('Remove it, or write action = "route"'),
        )
    return SpecialList(
        name=section.need("name", values.text, ""),
        action=action,
        to=section.take("to", values.text, None),
    )


def calendar(zone: ZoneInfo, today: date) -> Callable[[Section], WorkingHours]:
    """[[hours]]; written in the office's zone unless it names its own."""

    def read(section: Section) -> WorkingHours:
        name = section.need("name", values.text, "")
        if name == ANY_HOURS:
            section.wrong(
                "name",
                Sentence('"{any_hours}" already means round the clock', any_hours=ANY_HOURS),
                Sentence("Choose another name"),
            )
        return WorkingHours(
            name=name,
            zone=section.take("time_zone", values.time_zone, zone),
            week=section.need("days", hours.week, {}),
            days_off=section.take("holidays", hours.days_off(today), frozenset()),
        )

    return read


def ladder(calendars: Mapping[str, WorkingHours]) -> Callable[[Section], Ladder]:
    """[[ladder]]; its hours are one of the calendars or "any"."""

    def calendar_named(value: object) -> WorkingHours:
        wanted = values.text(value)
        if wanted == ANY_HOURS:
            return ALWAYS
        if wanted not in calendars:
            close = nearest(wanted, (*calendars, ANY_HOURS))
            guess = (
                Sentence('Did you mean "{close}"?', close=close)
                if close
                else Sentence('Add one, or write "{any_hours}"', any_hours=ANY_HOURS)
            )
            raise BadValueError(Sentence("there is no [[hours]] named {value}", value=shown(value)), guess)
        return calendars[wanted]

    def read(section: Section) -> Ladder:
        steps = section.tables("steps", step)
        if not steps:
            section.wrong(
                "steps", Sentence("the ladder has no steps"), 'Add one, like { after = "0s", tell = ["manager"] }'
            )
        for position, (earlier, later) in enumerate(pairwise(steps), start=2):
            if later.after < earlier.after:
                section.wrong(
                    "steps",
                    Sentence("step {position} comes before the one above it", position=position),
                    Sentence("Put them in order of time"),
                )
        return Ladder(
            on=section.need("on", values.one_of(LadderEvent), LadderEvent.CALL_MISSED),
            steps=steps,
            hours=section.take("hours", calendar_named, ALWAYS),
        )

    return read


def step(section: Section) -> LadderStep:
    """One step of a ladder."""
    tell: Parser[tuple[Told, ...]] = values.list_of(values.one_of(Told), least=1)
    return LadderStep(
        after=section.need("after", values.duration, timedelta(0)),
        tell=section.need("tell", tell, ()),
    )


def _event(value: object) -> str:
    """An event by its name, also one that rules tell of, all of a kind of record (`deal.*`), or all (`*`)."""
    if isinstance(value, str) and PATTERN.fullmatch(value) and not mistyped(value):
        return value
    return values.one_of(WebhookEvent)(value).value


def webhook(section: Section) -> WebhookSettings:
    """[[webhook]]"""
    events: Parser[tuple[str, ...]] = values.list_of(_event, least=1)
    return WebhookSettings(
        url=section.need("url", urls.web_address, ""),
        secret=section.need("secret", values.secret, _NO_SECRET),
        events=section.need("events", events, ()),
    )


def routing(section: Section) -> RoutingSettings:
    """[routing]"""
    plain = RoutingSettings()
    return RoutingSettings(
        deadline_ms=section.take("deadline_ms", values.whole(1, 10_000), plain.deadline_ms),
        ring_s=section.take("ring_s", values.whole(1, 600), plain.ring_s),
        fallback=section.take("fallback", values.list_of(values.one_of(_FALLBACKS)), plain.fallback),
        short_abandon=section.take("short_abandon", values.duration, plain.short_abandon),
    )


def alarms(section: Section) -> AlarmSettings:
    """[alarms]"""
    plain = AlarmSettings()
    return AlarmSettings(
        link_after=section.take("link_after", values.positive_duration, plain.link_after),
        silence=section.take("silence", values.flag, plain.silence),
    )


def imports(section: Section) -> ImportSettings:
    """[imports]"""
    return ImportSettings(max_size=section.take("max_size", values.size, ImportSettings().max_size))


def recordings(section: Section) -> RecordingsSettings:
    """[recordings]"""
    plain = RecordingsSettings()
    return RecordingsSettings(
        keep=section.take("keep", values.duration, None) or None,
        s3=section.take("s3", storage.object_storage, None),
        least_free=section.take("least_free", values.space, plain.least_free),
    )


def path(folder: Path) -> Parser[Path]:
    """An absolute path; a relative one starts at `folder`."""

    def parse(value: object) -> Path:
        try:
            return folder / Path(values.text(value)).expanduser()
        except RuntimeError:
            raise BadValueError(
                Sentence("{value} names somebody without a home folder", value=shown(value)),
                Sentence("Write the whole path"),
            ) from None

    return parse
