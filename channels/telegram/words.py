"""What the bot itself says to people, and how it puts into words what has none; Russian first, English second."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Texts in one language; fields in braces are filled in with `str.format`."""

    forwarded_from_person: str
    forwarded_from_chat: str
    voted: str
    vote_withdrawn: str
    story: str
    share_contact: str
    please_share: str
    thanks: str
    added: str
    removed: str
    connection_off: str
    connection_mute: str
    file_too_big: str
    upload_too_big: str
    today: str
    help: str


RUSSIAN = Words(
    forwarded_from_person="Переслано от {name}:",
    forwarded_from_chat="Переслано из {name}:",
    voted="Голос в опросе: вариант {options}",
    vote_withdrawn="Голос в опросе отозван",
    story="[история]",
    share_contact="Поделиться номером",
    please_share="Чтобы мы могли вам позвонить, нажмите «Поделиться номером» внизу.",
    thanks="Спасибо, номер записан.",
    added="Бот добавлен в группу «{group}»",
    removed="Бот удалён из группы «{group}»",
    connection_off="{owner} больше не подключает бота к своему Telegram Business: ответить отсюда нельзя."
    " Подключить снова: настройки Telegram, «Telegram для бизнеса», «Чат-боты».",
    connection_mute="{owner} не даёт боту отвечать от своего имени. Разрешить: настройки Telegram,"
    " «Telegram для бизнеса», «Чат-боты», право отвечать на сообщения.",
    file_too_big="файл больше 20 МБ, такие Telegram ботам не отдаёт: он есть в самом чате",
    upload_too_big="«{name}» больше 50 МБ, такие файлы Telegram от ботов не принимает",
    today="Что сегодня",
    help="Что умеет бот",
)

ENGLISH = Words(
    forwarded_from_person="Forwarded from {name}:",
    forwarded_from_chat="Forwarded from {name}:",
    voted="Vote in a poll: option {options}",
    vote_withdrawn="Vote in a poll withdrawn",
    story="[story]",
    share_contact="Share my number",
    please_share="So that we can call you, press «Share my number» below.",
    thanks="Thank you, we have your number.",
    added="The bot was added to the group «{group}»",
    removed="The bot was removed from the group «{group}»",
    connection_off="{owner} no longer connects the bot to their Telegram Business: nothing can be answered from here."
    " To connect it again: Telegram's settings, «Telegram Business», «Chatbots».",
    connection_mute="{owner} does not let the bot answer in their name. To allow it: Telegram's settings,"
    " «Telegram Business», «Chatbots», the right to reply to messages.",
    file_too_big="the file is over 20 MB, which Telegram does not give to bots: it is in the chat itself",
    upload_too_big="«{name}» is over 50 MB, which Telegram does not take from bots",
    today="Today",
    help="What the bot can do",
)


def words_of(language: str) -> Words:
    """The texts of a language, Russian where it is not known."""
    return ENGLISH if language == "en" else RUSSIAN
