"""What each recorded update has to become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from channels.telegram.inbound import Reader
from crm_core.messages import (
    Attachment,
    BlockChanged,
    BlockState,
    ChannelKey,
    ContactShared,
    EntryKind,
    Ignored,
    Location,
    MenuChosen,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageSent,
    Noted,
    Payload,
    ReactionChanged,
    Sender,
    StaffAct,
    StaffAsked,
    StaffCommand,
    StaffQuestion,
    StaffReply,
    Utm,
)
from crm_core.model.identity import Identity, IdentityKind

FIXTURES = Path(__file__).parents[2] / "fixtures" / "telegram"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
READER = Reader(ChannelKey("telegram", "shop"), bot_id=7654321)
SENT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
NOW = SENT + timedelta(seconds=3)


def tg(number: int) -> Identity:
    return Identity(IdentityKind.TG, str(number))


def tel(number: str) -> Identity:
    return Identity(IdentityKind.TEL, number)


ANNA = Sender((tg(1001),), "Анна Петрова", "@anna_p")
IVAN = Sender((tg(77),), "Иван", "@ivan")
PLACE = Location(55.751244, 37.618423)


def written(text: str, ref: int | str, **more: Any) -> MessageReceived:
    return MessageReceived(EntryKind.MESSAGE, text, str(ref), **more)


def sent(text: str, ref: int, **more: Any) -> MessageSent:
    return MessageSent(EntryKind.MESSAGE, text, str(ref), author=tg(77), author_name="Иван", **more)


def file(name: str, content_type: str, remote_id: str, size: int) -> tuple[Attachment, ...]:
    return (Attachment(name, content_type, remote_id=remote_id, size=size),)


EXPECTED: dict[str, Payload] = {
    "text": written("Здравствуйте! Сколько стоит доставка?", 501),
    "start_with_payload": written("/start yandex", 502, asks=False, utm=Utm(campaign="yandex")),
    "photo_with_caption": written(
        "Вот такой", 503, attachments=file("photo_503.jpg", "image/jpeg", "AgACAgIAAxkBAAIx", 151208)
    ),
    "document": written("", 504, attachments=file("договор №5_2.pdf", "application/pdf", "BQACAgIAAxkBAAId", 48211)),
    "voice": written("", 505, attachments=file("voice_505.ogg", "audio/ogg", "AwACAgIAAxkBAAIv", 14022)),
    "video": written("брак", 506, attachments=file("IMG_0042.MOV", "video/quicktime", "BAACAgIAAxkBAAIw", 2201001)),
    "video_note": written("", 507, attachments=file("video_note_507.mp4", "video/mp4", "DQACAgIAAxkBAAIn", 300100)),
    "animation": written("", 508, attachments=file("giphy.mp4", "video/mp4", "CgACAgIAAxkBAAIg", 90000)),
    "sticker": written("👍", 509),
    "location": written("55.751244, 37.618423", 510, location=PLACE),
    "venue": written("Склад, ул. Ленина, 5\n55.751244, 37.618423", 511, location=PLACE),
    "poll": written("Какой цвет?\n— Красный\n— Синий", 512),
    "dice": written("🎲 5", 513),
    "contact_own": ContactShared("514", "Анна, 79161234567", True, (tg(1001), tel("+79161234567")), "Анна"),
    "contact_of_another": ContactShared(
        "515", "Пётр Сидоров, +7 903 765-43-21", False, (tg(2002), tel("+79037654321")), "Пётр Сидоров"
    ),
    "contact_own_forwarded": ContactShared(
        "516",
        "Переслано от Анна Петрова:\nАнна, 79161234567",
        False,
        (tg(1001), tel("+79161234567")),
        "Анна",
    ),
    "reply": written("да, этот", 517, quoted="Вам синий диван?", answers="490"),
    "forward_of_user": written("Переслано от Пётр:\nОтдам даром", 518),
    "forward_of_channel": written("Переслано из Мебель:\nСкидки!", 519),
    "group_text": written("Когда привезёте?", 73),
    "group_member_joined": Ignored("a note of Telegram about the chat"),
    "group_bot_message": Ignored("a message of a bot"),
    "linked_channel_post": Ignored("a linked channel's post"),
    "edited_text": MessageEdited("501", "Здравствуйте! Сколько стоит доставка в Тверь?", SENT + timedelta(seconds=60)),
    "edited_live_location": Ignored("a live location that moved"),
    "blocked": BlockChanged(BlockState.BLOCKED),
    "unblocked": BlockChanged(BlockState.ALLOWED),
    "added_to_group": Noted("Бот добавлен в группу «Заказы «Ромашка»»"),
    "button_taken": StaffCommand(tg(77), StaffAct.TAKEN, 42),
    "button_promise": StaffCommand(tg(77), StaffAct.PROMISE, 42, "30"),
    "button_close": StaffCommand(tg(77), StaffAct.CLOSE, 42, "не клиент: ошиблись номером"),
    "button_foreign": Ignored("a button that is not the hub's"),
    "button_of_old_message": StaffCommand(tg(77), StaffAct.TAKEN, 42),
    "business_connection": Ignored("a business connection, enabled"),
    "business_message": written("Иван, вы обещали счёт", 31),
    "business_message_of_owner": sent("Сейчас пришлю", 32),
    "business_edited": MessageEdited("31", "Иван, где счёт?", SENT + timedelta(seconds=90)),
    "business_deleted": MessageDeleted(("31", "33"), NOW),
    "channel_post": Ignored("channel_post"),
    "poll_closed": Ignored("poll"),
    "text_with_entities": written(
        "Нужно 😀 срочно: ваш сайт, <b>код</b> x=1",
        601,
        html='Нужно 😀 <b><i>сро</i>чно</b>: ваш <a href="https://e.example/?a=1&amp;b=&quot;2&quot;"'
        ' rel="noopener noreferrer nofollow">сайт</a>, &lt;b&gt;код&lt;/b&gt; <code>x=1</code>',
    ),
    "start": written("/start", 602, asks=False),
    "start_with_pairs": written(
        "/start utm_source-vk__utm_campaign-spring__source-Flyer",
        603,
        asks=False,
        source="Flyer",
        utm=Utm(source="vk", campaign="spring"),
    ),
    "start_with_query": written(
        "/start dXRtX3NvdXJjZT12ayZzb3VyY2U90JvQuNGB0YLQvtCy0LrQsA",
        604,
        asks=False,
        source="Листовка",
        utm=Utm(source="vk"),
    ),
    "album_first": written(
        "Размеры на второй",
        605,
        attachments=file("photo_605.jpg", "image/jpeg", "AgACAgIAAxkBAAIx", 151208),
        html="<b>Размеры</b> на второй",
        album="13579246801234567",
    ),
    "album_second": written(
        "",
        606,
        attachments=file("photo_606.jpg", "image/jpeg", "BgACAgIAAxkBAAIx", 151208),
        album="13579246801234567",
    ),
    "reaction": ReactionChanged("490", ("👍", "[emoji]")),
    "reaction_taken_back": ReactionChanged("490", ()),
    "reaction_in_group": ReactionChanged("70", ("⭐",)),
    "reaction_of_channel": Ignored("a reaction of nobody known"),
    "vote": written("Голос в опросе: вариант 1, 3", "vote:873214551", asks=False),
    "vote_withdrawn": written("Голос в опросе отозван", "vote:873214552", asks=False),
    "removed_from_group": Noted("Бот удалён из группы «Заказы «Ромашка»»"),
    "place_in_group_kept": Ignored("the bot's place in a group"),
    "group_moved_away": Ignored("a note of Telegram about the chat"),
    "group_moved_here": Ignored("a note of Telegram about the chat"),
    "staff_reply": StaffReply(
        tg(77),
        15,
        "Привезём завтра",
        otherwise=written("Привезём завтра", 701, quoted="Клиент ждёт ответа: Анна Петрова", answers="700"),
    ),
    "staff_reply_with_photo": StaffReply(
        tg(77),
        15,
        "Вот он",
        file("photo_702.jpg", "image/jpeg", "AgACAgIAAxkBAAIx", 151208),
        otherwise=written(
            "Вот он",
            702,
            attachments=file("photo_702.jpg", "image/jpeg", "AgACAgIAAxkBAAIx", 151208),
            quoted="Клиент ждёт ответа: Анна Петрова",
            answers="700",
        ),
    ),
    "staff_reply_elsewhere": written("а это куда?", 703, quoted="Клиент ждёт ответа: Анна Петрова", answers="700"),
    "staff_reply_to_another_bot": written(
        "чужая кнопка", 704, quoted="Клиент ждёт ответа: Анна Петрова", answers="700"
    ),
    "staff_today": StaffAsked(tg(77), StaffQuestion.TODAY, written("/today", 705)),
    "staff_help": StaffAsked(tg(77), StaffQuestion.HELP, written("/help@shop_bot", 706)),
    "button_write": StaffCommand(tg(77), StaffAct.WRITE, 15),
    "button_take_lead": StaffCommand(tg(77), StaffAct.TAKE_LEAD, 7),
    "button_menu": MenuChosen("press:4382bfdwdsb323b2d9", "prices"),
    "business_disconnected": Ignored("a business connection, disabled"),
    "business_own_message": Ignored("the hub's own message"),
    "business_message_of_another_bot": Ignored("a message of another bot in the owner's name"),
    "business_away_message": sent("Сейчас я не у телефона", 803, automatic=True),
    "business_edited_by_owner": MessageEdited("32", "Сейчас пришлю счёт", SENT + timedelta(seconds=30)),
    "reply_to_sticker": written("смешно", 610, quoted="👍", answers="509"),
    "reply_with_quote": written("этот", 611, quoted="синий диван", answers="490"),
}

CONVERSATIONS = {
    "text": ("1001", ANNA),
    "group_text": ("-1001712345678", ANNA),
    "business_message": ("business:Xk2mAAABBcDe:1001", ANNA),
    "business_deleted": ("business:Xk2mAAABBcDe:1001", ANNA),
    "business_message_of_owner": ("business:Xk2mAAABBcDe:1001", ANNA),
    "button_taken": ("77", IVAN),
    "button_of_old_message": ("77", IVAN),
    "blocked": ("1001", ANNA),
    "button_menu": ("1001", ANNA),
    "vote": ("1001", ANNA),
    "reaction_in_group": ("-1001712345678", ANNA),
    "added_to_group": ("-1001712345678", ANNA),
    "staff_reply": ("77", IVAN),
    "business_edited_by_owner": ("business:Xk2mAAABBcDe:1001", ANNA),
}
AMONG_PEOPLE = {
    "added_to_group",
    "business_away_message",
    "business_deleted",
    "business_edited",
    "business_edited_by_owner",
    "business_message",
    "business_message_of_owner",
    "group_member_joined",
    "group_moved_away",
    "group_moved_here",
    "group_text",
    "reaction_in_group",
    "removed_from_group",
}
