"""What a message or a comment of VK's holds, in the hub's words: text, files, place, what it quotes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from channels.vk.fields import Fields, ShapeError, clean
from crm_core.messages import Attachment, Location

MAX_NAME = 200
MAX_ADDRESS = 4000
DEPTH = 10
"""How deep forwarded messages are read; VK itself lets nest far less."""

_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]')
_MENTION = re.compile(r"\[(?:id|club|public)(?P<id>[0-9]{1,19})\|(?P<name>[^\]\n]{0,200})\]")


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a message. `answers` is the id of the message it replies to, `quoted` that one's words."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None
    quoted: str = ""
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one attachment is: words, a file, or both."""

    words: str = ""
    file: Attachment | None = None


def content_of(message: Fields) -> Content:
    """What a person sent. Raises ShapeError only where the text itself can't be read: odd attachments are named."""
    words, files = _told(message)
    lines = [words] if words else []
    location = _location(message)
    if location is not None:
        lines.append(f"{location.latitude:.6f}, {location.longitude:.6f}")
    forwarded, more = _forwarded(message, DEPTH)
    reply = _reply(message)
    quoted, answers = "", ""
    if reply is not None:
        # Its files came with the message itself.
        told, further = _told(reply)[0], _forwarded(reply, DEPTH)[0]
        quoted, answers = "\n".join(part for part in (told, further) if part), ref_of(reply)
    text = "\n".join([*lines, *([forwarded] if forwarded else [])])
    return Content(text, (*files, *more), location, quoted, answers)


def ref_of(message: Fields) -> str:
    """How a message is known: by its number within the conversation, else by VK's own prefixed with `m`."""
    within = _lenient_number(message, "conversation_message_id")
    if within:
        return str(within)
    own = _lenient_number(message, "id")
    return f"m{own}" if own else ""


def shown_peer(peer_id: int) -> str:
    """Where people find a user or a community of whom no name is known."""
    return f"vk.com/id{peer_id}" if peer_id > 0 else f"vk.com/club{-peer_id}"


def plain(text: str) -> str:
    """The text with mentions as they are read: `[id5|Анна]` is Анна."""
    return _MENTION.sub(lambda found: found["name"] or found["id"], text)


def _told(message: Fields) -> tuple[str, tuple[Attachment, ...]]:
    """The words and files of a message itself, without what it forwards."""
    lines = [plain(message.text("text"))]
    files: list[Attachment] = []
    for piece in (_piece(each, message) for each in _listed(message, "attachments")):
        if piece.words:
            lines.append(piece.words)
        if piece.file is not None:
            files.append(piece.file)
    return "\n".join(line for line in lines if line), tuple(files)


def _forwarded(message: Fields, depth: int) -> tuple[str, tuple[Attachment, ...]]:
    lines: list[str] = []
    files: list[Attachment] = []
    for value in _listed(message, "fwd_messages"):
        try:
            inner = Fields.of(value, "fwd_messages")
            author = inner.number("from_id")
            words, own = _told(inner)
        except ShapeError:
            lines.append("[пересланное сообщение]")
            continue
        lines.append(f"Переслано от {shown_peer(author)}:\n{words}".rstrip())
        files += own
        if depth > 0:
            further, more = _forwarded(inner, depth - 1)
            files += more
            if further:
                lines.append(further)
    return "\n".join(lines), tuple(files)


def _reply(message: Fields) -> Fields | None:
    try:
        return message.maybe_child("reply_message")
    except ShapeError:
        return None


def _location(message: Fields) -> Location | None:
    try:
        geo = message.maybe_child("geo")
        if geo is None:
            return None
        place = geo.child("coordinates")
        return Location(place.real("latitude"), place.real("longitude"))
    except ShapeError:
        return None


def _listed(message: Fields, name: str) -> list[object]:
    """A list of what hangs on a message; what is no list is one odd thing."""
    value = message.values.get(name)
    return value if isinstance(value, list) else [] if value is None or value == {} else [value]


def _piece(value: object, message: Fields) -> Piece:
    kind = ""
    try:
        attachment = Fields.of(value, "attachment")
        kind = attachment.text("type")
        read = _KINDS.get(kind)
        if read is not None:
            return read(attachment.child(kind), message)
    except (ShapeError, OverflowError):
        pass  # named below: the rest of the message is worth more than this
    return Piece(f"[{_CALLED.get(kind, kind[:50]) or 'вложение'}]")


# ---------------------------------------------------------------- one by one


def _photo(photo: Fields, _: Fields) -> Piece:
    sizes = photo.children("sizes")
    original = photo.maybe_child("orig_photo")
    every = [*([original] if original is not None else []), *sizes]
    if not every:
        return Piece("[фотография]")
    best = max(every, key=lambda each: (each.maybe_number("width") or 0) * (each.maybe_number("height") or 0))
    return _file(best.text("url"), f"photo_{photo.number('id')}.jpg", "image/jpeg", None, photo.text("text"))


def _doc(doc: Fields, _: Fields) -> Piece:
    ending = doc.text("ext")
    title = doc.text("title") or f"doc_{doc.number('id')}"
    name = title if not ending or title.lower().endswith(f".{ending.lower()}") else f"{title}.{ending}"
    return _file(
        doc.text("url"), name, _TYPES.get(ending.lower(), "application/octet-stream"), doc.maybe_number("size")
    )


def _voice(voice: Fields, _: Fields) -> Piece:
    told = voice.text("transcript")
    if voice.has("link_ogg"):
        return _file(voice.text("link_ogg"), f"voice_{voice.number('id')}.ogg", "audio/ogg", None, told)
    return _file(voice.text("link_mp3"), f"voice_{voice.number('id')}.mp3", "audio/mpeg", None, told)


def _audio(audio: Fields, _: Fields) -> Piece:
    words = " — ".join(part for part in (audio.text("artist"), audio.text("title")) if part)
    url = audio.text("url")
    return _file(url, f"{words or 'audio'}.mp3", "audio/mpeg", None, words) if url else Piece(words or "[аудиозапись]")


def _video(video: Fields, _: Fields) -> Piece:
    link = f"https://vk.com/video{video.number('owner_id')}_{video.number('id')}"
    return Piece(f"{video.text('title') or 'Видео'}: {link}")


def _sticker(sticker: Fields, message: Fields) -> Piece:
    images = sticker.children("images")
    words = "[стикер]" if not message.text("text") else ""
    if not images:
        return Piece("[стикер]")
    best = max(images, key=lambda each: each.maybe_number("width") or 0)
    number = sticker.maybe_number("sticker_id") or 0
    return _file(best.text("url"), f"sticker_{number}.png", "image/png", None, words)


def _graffiti(graffiti: Fields, _: Fields) -> Piece:
    return _file(graffiti.text("url"), f"graffiti_{graffiti.number('id')}.png", "image/png", None)


def _wall(post: Fields, _: Fields) -> Piece:
    # A post names its owner as `owner_id` or, in messages, as `to_id`.
    owner = post.maybe_number("owner_id") or post.maybe_number("to_id") or post.number("from_id")
    link = f"https://vk.com/wall{owner}_{post.number('id')}"
    return Piece("\n".join(part for part in (f"Запись {link}", plain(post.text("text"))) if part))


def _wall_reply(reply: Fields, _: Fields) -> Piece:
    owner, post = reply.number("owner_id"), reply.number("post_id")
    link = f"https://vk.com/wall{owner}_{post}?reply={reply.number('id')}"
    return Piece("\n".join(part for part in (f"Комментарий {link}", plain(reply.text("text"))) if part))


def _link(link: Fields, _: Fields) -> Piece:
    title, url = link.text("title"), link.text("url")
    return Piece(f"{title}: {url}" if title and title != url else url or "[ссылка]")


def _market(item: Fields, _: Fields) -> Piece:
    price = item.maybe_child("price")
    cost = price.text("text") if price is not None else ""
    link = f"https://vk.com/product{item.number('owner_id')}_{item.number('id')}"
    return Piece(f"Товар «{item.text('title')}»{', ' if cost else ''}{cost}: {link}")


def _story(story: Fields, _: Fields) -> Piece:
    return Piece(f"История https://vk.com/story{story.number('owner_id')}_{story.number('id')}")


def _poll(poll: Fields, _: Fields) -> Piece:
    return Piece("\n".join([poll.text("question"), *(f"— {each.text('text')}" for each in poll.children("answers"))]))


_KINDS = {
    "photo": _photo, "doc": _doc, "audio_message": _voice, "audio": _audio, "video": _video, "sticker": _sticker,
    "graffiti": _graffiti, "wall": _wall, "wall_reply": _wall_reply, "link": _link, "market": _market,
    "story": _story, "poll": _poll,
}  # fmt: skip

_CALLED = {
    "photo": "фотография", "doc": "файл", "audio_message": "голосовое сообщение", "audio": "аудиозапись",
    "video": "видео", "sticker": "стикер", "graffiti": "граффити", "wall": "запись", "wall_reply": "комментарий",
    "link": "ссылка", "market": "товар", "story": "история", "poll": "опрос", "gift": "подарок", "call": "звонок",
    "group_call_in_progress": "звонок", "article": "статья", "podcast": "подкаст", "money_transfer": "перевод денег",
    "money_request": "просьба о переводе", "audio_playlist": "плейлист", "market_album": "подборка товаров",
    "album": "альбом", "mini_app": "приложение", "event": "мероприятие", "video_message": "видеосообщение",
}  # fmt: skip

_TYPES = {
    "pdf": "application/pdf", "txt": "text/plain", "zip": "application/zip", "rar": "application/vnd.rar",
    "doc": "application/msword", "xls": "application/vnd.ms-excel", "rtf": "application/rtf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv",
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp",
    "mp3": "audio/mpeg", "ogg": "audio/ogg", "mp4": "video/mp4", "mov": "video/quicktime",
}  # fmt: skip


def _file(url: str, name: str, content_type: str, size: int | None, words: str = "") -> Piece:
    if not url.startswith(("https://", "http://")) or len(url) > MAX_ADDRESS:
        # VK gives no address where it does not give the file out.
        return Piece("\n".join(part for part in (words, f"[{_safe(name)}]") if part))
    known = size if size is not None and size >= 0 else None
    return Piece(words, Attachment(_safe(name), content_type, remote_id=url, size=known))


def _safe(name: str) -> str:
    """A file's name that no file system and no header trips over, its ending kept."""
    safe = _UNSAFE.sub("_", clean(name)).strip(" .") or "file"
    if len(safe) <= MAX_NAME:
        return safe
    ending = PurePosixPath(safe).suffix[:20]
    return safe[: MAX_NAME - len(ending)] + ending


def _lenient_number(message: Fields, name: str) -> int:
    try:
        return message.maybe_number(name) or 0
    except ShapeError:
        return 0
