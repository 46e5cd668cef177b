"""A strict Telegram Bot API server to talk to over a real socket, for the demo and for tests.

It refuses whatever aiogram's models of the methods do not allow, so that a mistake shows here and not in production.

    server = BotApiServer()
    await server.start()
    bot = server.bot("123456:AbC", username="shop_bot")
    anna = bot.user(id=1001, first_name="Анна")
    await anna.say("Здравствуйте")
    reply = await anna.hears("Добрый день")

`limits=Limits()` switches flood control on, `bot.next_responses(faults.too_many(5), faults.drop(When.AFTER))` lets the
next calls fail, `bot.inject({...})` sends an update as it stands.
"""

from hub.demo.peers.bot_api import faults
from hub.demo.peers.bot_api.account import Access, Call, CallbackAnswer, Sent
from hub.demo.peers.bot_api.groups import Group
from hub.demo.peers.bot_api.limits import Limits
from hub.demo.peers.bot_api.people import Person, Press
from hub.demo.peers.bot_api.server import Bot, BotApiServer
from hub.demo.peers.bot_api.webhook import SECRET_HEADER, Delivery
from hub.demo.peers.faults import Fault, When

__all__ = [
    "SECRET_HEADER",
    "Access",
    "Bot",
    "BotApiServer",
    "Call",
    "CallbackAnswer",
    "Delivery",
    "Fault",
    "Group",
    "Limits",
    "Person",
    "Press",
    "Sent",
    "When",
    "faults",
]
