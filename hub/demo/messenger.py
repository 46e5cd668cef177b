"""What people do in Telegram in the story: a client presses a button of the menu, a manager answers from the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.demo.office import GREETING, MENU_ANSWER, STAFF

if TYPE_CHECKING:
    from hub.demo.peers.bot_api import Bot, Person


async def choose_from_menu(client: Person, item: str, patience_s: float) -> str:
    """Press the item under the greeting; what the bot says to it. TimeoutError where it says nothing in time."""
    greeting = await client.hears(GREETING, patience_s)
    rows = greeting.keyboard.inline_keyboard if greeting.keyboard else []
    data = next((each.callback_data for row in rows for each in row if each.text == item), None)
    if data is None:
        raise TimeoutError(f"no button «{item}» under the greeting")
    press = await client.press(greeting, data)
    await press.answer(patience_s)
    return (await client.hears(MENU_ANSWER, patience_s)).text


async def answer_from_telegram(bot: Bot, login: str, contact_id: int, words: str, patience_s: float) -> str:
    """Somebody of the office answers the notification about a client by a reply to it, and the words go to the client.

    The notification's first line. TimeoutError where none came in time.
    """
    member = next(each for each in STAFF if each.login == login)
    button = f"write:{contact_id}:"
    notice = await bot.sent.wait_for(
        lambda sent: sent.chat_id == member.telegram_id and button in sent.buttons(), patience_s
    )
    first, _, last = member.name.partition(" ")
    person = bot.user(id=member.telegram_id, first_name=first, last_name=last)
    await person.say(words, reply_to=notice.message_id)
    return notice.text.partition("\n")[0]
