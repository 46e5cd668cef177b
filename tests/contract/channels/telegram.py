"""Telegram behind its strict Bot API server, polled or with a webhook."""

from __future__ import annotations

import asyncio
from pathlib import Path

from crm_core.messages import ChannelKey
from hub.demo.peers.bot_api import Bot, BotApiServer, Person, faults
from hub.demo.peers.bot_api.wire import dump
from tests.contract.channels.provider import Heard, Refusal, Trait, Wrote
from tests.patience import PATIENCE_S

TOKEN = "7654321:AAE-strict_local_token"
SECRET = "s3cret_of-the-hook"
ANNA = 1001


class Telegram:
    """See `provider.Provider`."""

    key = ChannelKey("telegram", "shop")
    identity = f"tg:{ANNA}"
    traits = frozenset({Trait.EDITS, Trait.FILES, Trait.AUTHENTICATES, Trait.REFUSES})

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._server = BotApiServer()
        self._bot: Bot
        self._anna: Person
        self._wrote: dict[str, int] = {}

    async def open(self, folder: Path, hub_port: int) -> str:
        """Serve, with one bot and one client who has pressed Start long ago."""
        await self._server.start()
        self._bot = self._server.bot(TOKEN)
        self._anna = self._bot.user(id=ANNA, first_name="Анна")
        secret = f'secret = "{SECRET}"\n' if self._mode == "webhook" else ""
        head = f'[[telegram]]\nname = "shop"\ntoken = "{TOKEN}"\nmode = "{self._mode}"\n'
        return f'{head}api_base = "{self._server.url}"\n{secret}'

    async def close(self) -> None:
        """End."""
        await self._server.stop()

    async def begin(self) -> None:
        """Nothing to tell."""

    async def say(self, text: str, file: tuple[str, bytes] | None = None) -> Wrote:
        """A message to the bot."""
        if file is None:
            message = await self._anna.say(text)
        else:
            message = await self._anna.send_document(file[1], file[0], text)
        update = {"update_id": self._bot.updates.new_id() - 1, "message": dump(message)}
        self._wrote[str(message.message_id)] = message.message_id
        return Wrote(str(message.message_id), lambda: self._again(update))

    async def edit(self, wrote: Wrote, text: str) -> None:
        """The client's correction."""
        await self._anna.edit(self._wrote[wrote.ref], text)

    async def delete(self, wrote: Wrote) -> None:
        """Bots are not told of deletions."""
        raise AssertionError(f"no trait says that {wrote} can be deleted")

    async def write_itself(self, text: str) -> None:
        """Nobody else writes as the bot."""
        raise AssertionError(f"no trait says that {text} can be written")

    async def read(self) -> None:
        """Bots are not told who read what."""
        raise AssertionError("no trait says that reading is told")

    async def heard(self, count: int) -> list[Heard]:
        """What the bot sent into the client's chat."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self._anna.received()) < count:  # noqa: ASYNC110 - the peer has no event for a count
                await asyncio.sleep(0.01)
        return [
            Heard(each.text, ((each.file_name or "", each.content),) if each.content is not None else ())
            for each in self._anna.received()
        ]

    def refuse_next(self, refusal: Refusal) -> None:
        """Answer the next message so."""
        match refusal:
            case Refusal.LATER:
                self._bot.next_responses(faults.too_many(1, "sendMessage"))
            case Refusal.FOR_GOOD:
                self._bot.next_responses(faults.status(400, "Bad Request: chat not found", "sendMessage"))
            case Refusal.CREDENTIALS:
                self._bot.revoke()
            case Refusal.LOST_ANSWER:
                raise AssertionError("Telegram knows no repeats")

    async def _again(self, update: dict[str, object]) -> None:
        self._bot.repeat(update)
