"""From settings to connectors: one function a kind of channel. Adding a channel is one folder and one line here."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from channels import cti, email, gateway, pbx, vk, web
from crm_core.model.calendar import ALWAYS
from crm_core.model.office import Office
from crm_core.ports import Channel, ChannelContext
from hub.access.secret_key import session_key
from hub.settings import (
    EmailSettings,
    GatewaySettings,
    MailProtocol,
    PbxSettings,
    ServerUrl,
    Settings,
    TelegramMode,
    TelegramSettings,
    VkSettings,
    WebSettings,
)

if TYPE_CHECKING:
    from channels.telegram import TelegramConfig

Connect = Callable[[Settings, ChannelContext], Sequence[Channel]]
AccountSettings = TelegramSettings | VkSettings | EmailSettings | PbxSettings | WebSettings | GatewaySettings


def telegram_bots(settings: Settings, context: ChannelContext) -> Sequence[Channel]:
    """The `[[telegram]]` accounts."""
    if not settings.telegram:
        return []
    from channels import telegram  # its library takes seconds to load: only where there is a bot

    return [telegram.create(_telegram_config(bot, settings), context) for bot in settings.telegram]


def _telegram_config(bot: TelegramSettings, settings: Settings) -> TelegramConfig:
    from channels import telegram  # as above

    return telegram.TelegramConfig(
        name=bot.name,
        token=bot.token.reveal(),
        mode=telegram.Mode(bot.mode.value),
        secret=bot.secret.reveal() if bot.secret is not None and bot.mode is TelegramMode.WEBHOOK else None,
        api_base=bot.api_base,
        language=settings.language.value,
    )


def mailboxes(settings: Settings, context: ChannelContext) -> Sequence[Channel]:
    """The `[[email]]` accounts; those with one address to listen on share a listener."""
    return Mailboxes()(settings, context)


class Mailboxes:
    """The same, asked several times: whoever comes later shares a listener with those before."""

    def __init__(self) -> None:
        self._listeners = email.Listeners()

    def __call__(self, settings: Settings, context: ChannelContext) -> Sequence[Channel]:
        """The `[[email]]` accounts of these settings."""
        return [email.create(_mail_config(box, settings), context, self._listeners) for box in settings.email]


def _mail_config(box: EmailSettings, settings: Settings) -> email.EmailConfig:
    return email.EmailConfig(
        name=box.name,
        address=box.address,
        listen=_mail_listen(box),
        imap=_mail_server(box.imap),
        smtp=_mail_server(box.smtp),
        max_size=box.max_size,
        token_key=_mail_key(settings),
        reply_token=box.reply_token,
        authserv=box.authserv,
        form_senders=box.form_senders,
        form_fields=box.form_fields,
        imap_since=box.imap_since,
        tls=email.Certificate(box.tls_cert, box.tls_key) if box.tls_cert and box.tls_key else None,
        listen_login=(box.listen_user, box.listen_password.reveal()) if box.listen_password is not None else None,
    )


def _mail_listen(box: EmailSettings) -> email.Listen | None:
    if box.listen is None:
        return None
    return email.Listen(box.listen.host, box.listen.port, lmtp=box.protocol is MailProtocol.LMTP)


def _mail_key(settings: Settings) -> bytes:
    """The key that ids of mails and reply addresses are signed with; nodes of one office share it."""
    return hmac.digest(session_key(settings).reveal().encode(), b"mail ids and reply addresses", "sha256")


def _mail_server(url: ServerUrl | None) -> email.MailServer | None:
    if url is None:
        return None
    return email.MailServer(
        host=url.host,
        port=url.port,
        tls=url.tls,
        user=url.user,
        password=url.password.reveal(),
        folder=url.path or "INBOX",
    )


def sites(settings: Settings, context: ChannelContext) -> Sequence[Channel]:
    """The `[[web]]` accounts."""
    return [web.create(_web_config(site, settings), context) for site in settings.web]


def _web_config(site: WebSettings, settings: Settings) -> web.WebConfig:
    calendars = {each.name: each for each in settings.hours}
    return web.WebConfig(
        name=site.name,
        key=site.key.reveal(),
        origins=site.origins,
        max_size=site.max_size,
        per_minute=site.per_minute,
        zone=settings.time_zone,
        chat=web.ChatConfig(
            on=site.chat and bool(site.origins),
            title=site.title,
            color=site.color,
            side=web.Side(site.position.value),
            hours=calendars.get(site.answers.hours or "", ALWAYS),
            file_size=site.file_size,
        ),
    )


def exchanges(settings: Settings, context: ChannelContext) -> Sequence[Channel]:
    """The `[[pbx]]` accounts."""
    return [pbx.create(pbx_config(each, settings), context) for each in settings.pbx]


def pbx_config(account: PbxSettings, settings: Settings) -> pbx.PbxConfig:
    """What a `[[pbx]]` account says to its connector."""
    return pbx.PbxConfig(
        name=account.name,
        ami=pbx.AmiAddress(account.ami.host, account.ami.port, account.ami.user, account.ami.password.reveal()),
        agi_host=account.agi.host,
        agi_port=account.agi.port,
        agi_second=account.agi_second,
        dial=account.dial,
        trunk=account.trunk,
        recordings=account.recordings,
        record=account.record,
        record_lines=_record_lines(account.name, settings),
        cdr=account.cdr,
        cdr_sql=account.cdr_sql.reveal() if account.cdr_sql is not None else None,
        cdr_table=account.cdr_table,
        fallback=account.fallback,
        deadline_s=settings.routing.deadline.total_seconds(),
        ring_s=settings.routing.ring_s,
    )


def _record_lines(account: str, settings: Settings) -> tuple[tuple[str, bool], ...]:
    """The lines of a PBX that say whether they are recorded; of several for one number the one that decides."""
    office = Office(lines=settings.lines)
    return tuple(
        (line.number, line.record)
        for line in settings.lines
        if line.record is not None and office.line(account, line.number) is line
    )


def pushing(settings: Settings, context: ChannelContext) -> Sequence[Channel]:
    """The `[[cti]]` accounts; they share one address."""
    configs = [
        cti.CtiConfig(
            name=each.name,
            token=each.token.reveal(),
            caller_id=each.caller_id,
            caller_ids=tuple(cti.CallerId(pattern, number) for pattern, number in each.caller_ids),
        )
        for each in settings.cti
    ]
    return cti.create_all(configs, context)


def gateways(settings: Settings, context: ChannelContext) -> Sequence[Channel]:
    """The `[[gateway]]` accounts."""
    return [gateway.create(_gateway_config(each), context) for each in settings.gateways]


def _gateway_config(each: GatewaySettings) -> gateway.GatewayConfig:
    return gateway.GatewayConfig(
        name=each.name,
        secret=each.secret.reveal(),
        url=each.url,
        phones=each.phones,
        file_hosts=each.file_hosts,
        max_size=each.max_size,
    )


def communities(settings: Settings, context: ChannelContext) -> Sequence[Channel]:
    """The `[[vk]]` accounts."""
    return [vk.create(_vk_config(each), context) for each in settings.vk]


def _vk_config(each: VkSettings) -> vk.VkConfig:
    return vk.VkConfig(
        name=each.name,
        group_id=each.group_id,
        token=each.token.reveal(),
        mode=vk.Mode(each.mode.value),
        secret=each.secret.reveal() if each.secret is not None else None,
        confirmation=each.confirmation.reveal() if each.confirmation is not None else None,
        api_base=each.api_base,
        joins=each.joins,
    )


def config_of(account: AccountSettings, settings: Settings) -> object:
    """What a connector of this account would be made of: two that are equal make the same. Raises InvalidInput and
    OSError like the making of one."""
    match account:
        case TelegramSettings():
            return _telegram_config(account, settings)
        case VkSettings():
            return _vk_config(account)
        case EmailSettings():
            return _mail_config(account, settings)
        case PbxSettings():
            return pbx_config(account, settings)
        case WebSettings():
            return _web_config(account, settings)
        case GatewaySettings():
            return _gateway_config(account)


def connectors() -> dict[str, Connect]:
    """Those of one hub: what accounts share, they share on it alone."""
    return {**CONNECTORS, "email": Mailboxes()}


CONNECTORS: dict[str, Connect] = {
    "telegram": telegram_bots,
    "email": mailboxes,
    "web": sites,
    "pbx": exchanges,
    "cti": pushing,
    "gateway": gateways,
    "vk": communities,
}
