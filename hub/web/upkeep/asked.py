"""What is asked of an account of each channel: the fields of its form, in the words of whoever fills it in.

The keys are those of the channel's table in hub.toml, where it is said what they may be. A key without a field keeps
what it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from crm_core.model.definitions.accounts import AccountKind
from hub.web.tongues import N_, gettext


class Shape(StrEnum):
    """How a field is filled in: a `server` in parts, a `list` line by line; a `key` is a secret that the hub makes up
    and people carry elsewhere."""

    TEXT = "text"
    NUMBER = "number"
    SECRET = "secret"  # noqa: S105 - the name of a shape
    KEY = "key"
    FLAG = "flag"
    CHOICE = "choice"
    LIST = "list"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Asked:
    """A field. `usual` stands in it where nothing is kept, `unsaid` in that of an account that says nothing, where that
    means something else; `more`: it is for whoever asks for more. `options` are
    values with their words; of a server `schemes` with their usual ports, and `folder`: it has a path."""

    key: str
    name: str
    note: str = ""
    shape: Shape = Shape.TEXT
    must: bool = False
    more: bool = False
    usual: str = ""
    unsaid: str = ""
    options: tuple[tuple[str, str], ...] = ()
    schemes: tuple[tuple[str, int], ...] = ()
    folder: bool = False

    @property
    def title(self) -> str:
        """Its name in the language of the request."""
        return gettext(self.name)

    @property
    def hint(self) -> str:
        """What else is said of it."""
        return gettext(self.note) if self.note else ""

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """The options with their words in the language of the request."""
        return tuple((value, gettext(word)) for value, word in self.options)


_YES: Final = "yes"
_POLICY = (
    Asked("source", N_("Source of the leads"), N_("Stands in leads and reports: «Website», «Advertising»."), more=True),
    Asked("group", N_("Group that takes new clients"), more=True),
    Asked("pipeline", N_("Pipeline"), N_("Where enquiries become deals."), more=True),
    Asked(
        "leads",
        N_("An enquiry of a stranger makes a lead"),
        N_("Without it a deal is made in the pipeline at once."),
        Shape.FLAG,
        more=True,
        usual=_YES,
    ),
)

ASKED: Mapping[AccountKind, tuple[Asked, ...]] = {
    AccountKind.TELEGRAM: (
        Asked(
            "token",
            N_("Token of the bot"),
            N_("@BotFather gives it: /newbot, or /mybots → API Token."),
            Shape.SECRET,
            must=True,
        ),
        Asked(
            "staff",
            N_("The office is told through this bot, too"),
            N_("Missed calls, tasks and alarms come to the staff from it."),
            Shape.FLAG,
        ),
        Asked(
            "mode",
            N_("How messages come"),
            shape=Shape.CHOICE,
            more=True,
            usual="polling",
            options=(
                ("polling", N_("the hub asks for them: works everywhere")),
                ("webhook", N_("Telegram brings them: needs a public address")),
            ),
        ),
        Asked(
            "secret",
            N_("Secret of the webhook"),
            N_("Up to 256 Latin letters, digits, _ and -."),
            Shape.SECRET,
            more=True,
        ),
        Asked("api_base", N_("Address of the Bot API"), N_("Only for a server of your own."), more=True),
        *_POLICY,
    ),
    AccountKind.VK: (
        Asked(
            "group_id",
            N_("Number of the community"),
            N_("In the address of the community: club123456 is 123456."),
            Shape.NUMBER,
            must=True,
        ),
        Asked(
            "token",
            N_("Access key of the community"),
            N_("Management → Working with API → Access keys: messages, management, photos, documents."),
            Shape.SECRET,
            must=True,
        ),
        Asked(
            "mode",
            N_("How messages come"),
            shape=Shape.CHOICE,
            usual="longpoll",
            unsaid="callback",
            options=(
                ("longpoll", N_("the hub asks for them: works everywhere")),
                ("callback", N_("VK brings them (Callback API): needs a public address")),
            ),
        ),
        Asked(
            "confirmation",
            N_("String that the server has to return"),
            N_("Of the Callback API settings."),
            Shape.SECRET,
            more=True,
        ),
        Asked("secret", N_("Secret key"), N_("The same as in the Callback API settings."), Shape.SECRET, more=True),
        Asked("joins", N_("Whoever joins the community is an enquiry"), shape=Shape.FLAG, more=True, usual=_YES),
        Asked("api_base", N_("Address of the API"), N_("Only for a server of your own."), more=True),
        *_POLICY,
    ),
    AccountKind.EMAIL: (
        Asked("address", N_("Address of the mailbox"), must=True),
        Asked(
            "imap",
            N_("Incoming mail (IMAP)"),
            N_("Yandex, Mail.ru and Gmail want a password for applications here."),
            Shape.SERVER,
            schemes=(("imaps", 993), ("imap", 143)),
            folder=True,
        ),
        Asked("smtp", N_("Outgoing mail (SMTP)"), shape=Shape.SERVER, schemes=(("smtps", 465), ("smtp", 587))),
        Asked(
            "imap_since",
            N_("Which mails are fetched first"),
            N_("new, all, or an age such as 30d."),
            more=True,
            usual="new",
        ),
        Asked("form_senders", N_("Addresses that send forms of the site"), N_("One on a line."), Shape.LIST, more=True),
        Asked("authserv", N_("Mail servers whose checks are believed"), N_("One on a line."), Shape.LIST, more=True),
        Asked("listen", N_("The hub takes mail itself, at"), N_("Such as 0.0.0.0:25."), more=True),
        Asked("tls_cert", N_("File of the certificate"), more=True),
        Asked("tls_key", N_("File of the certificate's key"), more=True),
        Asked("listen_user", N_("Login of the server before the hub"), more=True),
        Asked("listen_password", N_("Password of the server before the hub"), shape=Shape.SECRET, more=True),
        *_POLICY,
    ),
    AccountKind.PBX: (
        Asked(
            "ami",
            N_("Asterisk (AMI)"),
            N_("User and secret of manager.conf."),
            Shape.SERVER,
            must=True,
            schemes=(("ami", 5038),),
        ),
        Asked(
            "agi",
            N_("The hub answers Asterisk at"),
            N_("Address and port that Asterisk can reach."),
            usual="127.0.0.1:4573",
        ),
        Asked("dial", N_("How the staff are rung"), usual="PJSIP/{extension}"),
        Asked("trunk", N_("How clients are rung"), N_("Such as PJSIP/{number}@trunk; empty: nobody is rung.")),
        Asked("fallback", N_("Who is rung without the hub"), N_("Such as PJSIP/101&PJSIP/102.")),
        Asked("recordings", N_("Folder of the recordings"), N_("Such as /var/spool/asterisk/monitor.")),
        Asked("cdr", N_("File of the call records"), N_("Such as /var/log/asterisk/cdr-csv/Master.csv.")),
        Asked("record", N_("Talks are recorded"), shape=Shape.FLAG, usual=_YES),
        Asked(
            "cdr_sql",
            N_("Database of the call records"),
            N_("Such as mysql://hub:password@127.0.0.1/asteriskcdrdb."),
            Shape.SECRET,
            more=True,
        ),
        Asked("cdr_table", N_("Its table"), more=True, usual="cdr"),
        Asked("sounds", N_("Asterisk's folder of own sounds"), more=True),
        Asked("agi_second", N_("Another hub that Asterisk asks"), N_("Address and port."), more=True),
        Asked("wrap", N_("Rest after a call"), N_("Such as 30s."), more=True),
    ),
    AccountKind.WEB: (
        Asked(
            "origins",
            N_("Addresses of the site"),
            N_("One on a line, such as https://example.org; * is any."),
            Shape.LIST,
            must=True,
        ),
        Asked(
            "key",
            N_("Key of the forms"),
            N_("Stands on the pages of the site. Copy it now: it is not shown again."),
            Shape.KEY,
            must=True,
        ),
        Asked("chat", N_("Chat on the site"), shape=Shape.FLAG, usual=_YES),
        Asked("title", N_("Heading of the chat")),
        Asked("color", N_("Colour of the chat"), usual="#2457d6"),
        Asked(
            "position",
            N_("Corner of the chat"),
            shape=Shape.CHOICE,
            usual="right",
            options=(("right", N_("lower right")), ("left", N_("lower left"))),
        ),
        Asked("per_minute", N_("Messages a minute from one address"), shape=Shape.NUMBER, more=True, usual="30"),
        *_POLICY,
    ),
    AccountKind.GATEWAY: (
        Asked(
            "secret",
            N_("Shared secret"),
            N_("The gateway's program has the same. Copy it now: it is not shown again."),
            Shape.KEY,
            must=True,
        ),
        Asked("url", N_("Where answers are sent"), N_("Empty: the gateway only brings.")),
        Asked("phones", N_("Numbers that it names are their senders'"), shape=Shape.FLAG),
        *_POLICY,
    ),
}

PURPOSES: Mapping[AccountKind, str] = {
    AccountKind.TELEGRAM: N_("Clients write to a bot; the office is told by it."),
    AccountKind.VK: N_("Messages, comments and joiners of a community."),
    AccountKind.EMAIL: N_("A mailbox: letters of clients and forms of sites that come by mail."),
    AccountKind.PBX: N_("Asterisk or FreePBX: calls, recordings, calling with a click."),
    AccountKind.WEB: N_("Forms and a chat for the pages of a site."),
    AccountKind.GATEWAY: N_("Another messenger by a program of your own."),
}
"""What each channel is good for."""

NAMES: Mapping[AccountKind, str] = {
    AccountKind.TELEGRAM: "bot",
    AccountKind.VK: "community",
    AccountKind.EMAIL: "mail",
    AccountKind.PBX: "office",
    AccountKind.WEB: "site",
    AccountKind.GATEWAY: "gateway",
}
"""What accounts are called where nobody has a better idea."""
