"""A client with a mailbox: their server speaks SMTP to the hub, and a relay takes the hub's mails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.policy import default
from pathlib import Path
from urllib.parse import quote

import aiosmtplib
from typing_extensions import override

from crm_core.messages import ChannelKey
from hub.demo.peers.process import free_port
from tests.contract.channels.provider import Heard, Refusal, Trait, Wrote
from tests.integration.email.smtp import Relay
from tests.patience import PATIENCE_S
from tests.peers.mail import LOGIN as MAILBOX
from tests.peers.mail import PASSWORD, DovecotServer

ANNA = "anna@client.example"
OURS = "sales@example.org"
LOGIN = ("hub", "secret")


class Mail:
    """See `provider.Provider`."""

    key = ChannelKey("email", "sales")
    identity = f"mailto:{ANNA}"
    traits = frozenset({Trait.FILES, Trait.AUTHENTICATES, Trait.REFUSES})

    def __init__(self) -> None:
        self._relay = Relay(login=LOGIN)
        self._stack = AsyncExitStack()
        self._port = free_port()
        self._number = 0

    async def open(self, folder: Path, hub_port: int) -> str:
        """Serve the relay."""
        await self._stack.enter_async_context(self._relay.serve())
        smtp = f"smtp://{LOGIN[0]}:{LOGIN[1]}@127.0.0.1:{self._relay.port}"
        head = f'[[email]]\nname = "sales"\naddress = "{OURS}"\n'
        return f'{head}listen = "127.0.0.1:{self._port}"\nsmtp = "{smtp}"\n'

    async def close(self) -> None:
        """End."""
        await self._stack.aclose()

    async def begin(self) -> None:
        """Nothing to tell."""

    async def say(self, text: str, file: tuple[str, bytes] | None = None) -> Wrote:
        """A mail."""
        self._number += 1
        mail = EmailMessage()
        ref = f"<{self._number}@client.example>"
        mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = f"Анна <{ANNA}>", OURS, "Окно", ref
        mail.set_content(text)
        if file is not None:
            mail.add_attachment(file[1], maintype="application", subtype="pdf", filename=file[0])
        return Wrote(ref, await self.send(mail))

    async def send(self, mail: EmailMessage) -> Callable[[], Awaitable[None]]:
        """The client's program sends a mail; what sends the very same once more."""
        raw = mail.as_bytes(policy=WIRE)
        await self._deliver(raw)
        return lambda: self._deliver(raw)

    async def edit(self, wrote: Wrote, text: str) -> None:
        """Mails stay as they are."""
        raise AssertionError(f"no trait says that {wrote} can become {text}")

    async def delete(self, wrote: Wrote) -> None:
        """Mails stay."""
        raise AssertionError(f"no trait says that {wrote} can be deleted")

    async def write_itself(self, text: str) -> None:
        """Whoever writes from another program sends it past the hub."""
        raise AssertionError(f"no trait says that {text} can be written")

    async def read(self) -> None:
        """Nobody tells."""
        raise AssertionError("no trait says that reading is told")

    async def heard(self, count: int) -> list[Heard]:
        """What the relay took for the client."""
        return [_heard(each) for each in await self.letters(count)]

    async def letters(self, count: int) -> list[EmailMessage]:
        """The same with their heads."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self._relay.mails) < count:  # noqa: ASYNC110 - the peer has no event for a count
                await asyncio.sleep(0.01)
        return [_letter(each.content) for each in self._relay.mails]

    def refuse_next(self, refusal: Refusal) -> None:
        """Answer the next mail so."""
        match refusal:
            case Refusal.LATER:
                self._relay.next_data_reply = "451 try again later"
            case Refusal.FOR_GOOD:
                self._relay.next_data_reply = "550 no such mailbox"
            case Refusal.CREDENTIALS:
                self._relay.login = (LOGIN[0], "changed")
            case Refusal.LOST_ANSWER:
                raise AssertionError("SMTP knows no repeats")

    async def _deliver(self, raw: bytes) -> None:
        await aiosmtplib.send(
            raw, sender=ANNA, recipients=[OURS], hostname="127.0.0.1", port=self._port, start_tls=False
        )


def _letter(raw: bytes | str | None) -> EmailMessage:
    assert isinstance(raw, bytes)
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def _heard(mail: EmailMessage) -> Heard:
    body = mail.get_body(("plain",))
    files = tuple((each.get_filename() or "", each.get_content()) for each in mail.iter_attachments())
    return Heard(body.get_content().strip() if body is not None else "", files)


class FetchedMail(Mail):
    """The same client, whose mails the hub fetches from a mailbox at Dovecot by IMAP."""

    def __init__(self) -> None:
        super().__init__()
        self._dovecot = DovecotServer()

    @override
    async def open(self, folder: Path, hub_port: int) -> str:
        """Serve the mailbox and the relay."""
        await asyncio.to_thread(self._stack.enter_context, self._dovecot)
        table = await super().open(folder, hub_port)
        lines = [line for line in table.splitlines() if not line.startswith("listen")]
        imap = f"imap://{quote(MAILBOX)}:{quote(PASSWORD)}@127.0.0.1:{self._dovecot.port}/INBOX"
        return "\n".join((*lines, f'imap = "{imap}"', 'imap_since = "all"', ""))

    @override
    async def _deliver(self, raw: bytes) -> None:
        await asyncio.to_thread(self._dovecot.deliver, raw)
