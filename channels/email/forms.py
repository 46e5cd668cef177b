"""Forms of a site that arrive as mail: `Имя: …`, `Телефон: …`, in lines or in a table, become an enquiry with fields.

Whoever sends them is the site, not the client; the client is in the fields. What is not recognised stays a mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

from channels.email.config import EmailConfig
from channels.email.form_labels import EMAIL, ENDS, MEANINGS, MESSAGE, NAME, PAGE, PHONE
from channels.email.mime import Mail
from crm_core.messages import FormSubmitted, Utm

_MAX_LINES = 1_000
_MAX_FIELDS = 100
_MAX_LABEL = 80
_MAX_WORDS_IN_LABEL = 8
_MAX_LINE = 500
_MAX_TEXT = 50_000
_PLACES = frozenset({NAME, PHONE, EMAIL, MESSAGE, PAGE})
_MARKS = ("source", "medium", "campaign", "content", "term")
_LABEL = re.compile(r"[ \t*_•·\-–]*([^\s:*_•·\-–][^:\n]{0,78}?)[ \t*_]*(?::|\t)[ \t*_]*(.*)\Z")
_DASHED = re.compile(r"[ \t*_•·]*([^\s:*_•·\-–][^:\n]{0,60}?)[ \t*_]+[-–—][ \t*_]+(.+)\Z")
_END = re.compile(r"(?:-{2,}|_{3,}|={3,})\s*\Z|-- ?\Z")
_SIGNATURE = re.compile(
    r"(?:это (?:письмо|сообщение|e-mail)|this e-?mail was sent|данное письмо|сообщение отправлено)", re.IGNORECASE
)
_ADDRESS = re.compile(r"https?\Z|ftp\Z", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_DIGITS = re.compile(r"\d")
_MAIL = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,190}\Z")

_Field = tuple[str, str]


def form_of(config: EmailConfig, mail: Mail, sender: str) -> FormSubmitted | None:
    """The form that a mail brings, without its files; None where it is none, or nothing in it is recognised.

    Mails of the configured senders are read by all the labels that are known; where only labels are configured, any
    mail with at least two of them is a form, of which one tells how to reach the client.
    """
    own = {_plain(label): meaning for label, meaning in config.form_fields}
    is_site = sender in config.form_senders
    if not is_site and (config.form_senders or not own):
        return None
    fields = _fields(mail, {**MEANINGS, **own} if is_site else own)
    if not is_site and len({label for label, _ in fields if _plain(label) in own}) < 2:
        return None
    meanings = {**MEANINGS, **own}
    placed = [(_meaning(meanings, label), label, value) for label, value in fields]
    form = _form(placed, mail, config, sender)
    reached = bool(form.phone or form.email)
    return form if reached or (is_site and (form.name or form.message)) else None


def _form(placed: list[tuple[str, str, str]], mail: Mail, config: EmailConfig, sender: str) -> FormSubmitted:
    values: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    marks: dict[str, str] = {}
    for meaning, label, value in placed:
        mark = meaning.removeprefix("utm_") if meaning.startswith("utm_") else ""
        if mark in _MARKS:
            marks.setdefault(mark, value[:_MAX_LINE])
        elif meaning in _PLACES and (meaning in {MESSAGE, NAME} or _fits(meaning, value)):
            values.setdefault(meaning, []).append(value)
        else:
            others.setdefault(meaning if meaning not in _PLACES else label, []).append(value)
    for place in (NAME, PHONE, EMAIL, PAGE):
        for second in values.get(place, [])[1:]:
            others.setdefault(place, []).append(second)
    page = _first(values, PAGE)
    for mark, value in _marks_of(page).items():
        marks.setdefault(mark, value)
    return FormSubmitted(
        name=_first(values, NAME),
        phone=_first(values, PHONE),
        email=_first(values, EMAIL) or _asked_for(mail, config, sender),
        message="\n".join(values.get(MESSAGE, []))[:_MAX_TEXT],
        page=page,
        utm=Utm(**marks),
        fields=tuple((label, "\n".join(found)[:_MAX_TEXT]) for label, found in others.items()),
        subject=mail.header("subject")[:_MAX_LINE],
    )


def _fits(meaning: str, value: str) -> bool:
    match meaning:
        case "phone":
            return len(_DIGITS.findall(value[:100])) >= 5
        case "email":
            return _MAIL.match(value) is not None
        case _:
            return "/" in value or "." in value


def _asked_for(mail: Mail, config: EmailConfig, sender: str) -> str:
    """The visitor's address, which many sites put into Reply-To."""
    found = (address.strip().lower() for _, address in mail.addresses("reply-to"))
    ours = {sender, config.mailbox, *config.form_senders}
    return next((each for each in found if each not in ours and _MAIL.match(each)), "")


def _marks_of(page: str) -> dict[str, str]:
    """The marks of a campaign in the address of the page."""
    try:
        query = parse_qsl(urlsplit(page).query, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return {}
    found = {name.lower().removeprefix("utm_"): value for name, value in query if name.lower().startswith("utm_")}
    return {name: found[name][:_MAX_LINE] for name in _MARKS if found.get(name)}


def _first(values: Mapping[str, list[str]], place: str) -> str:
    return next(iter(values.get(place, [])), "")[:_MAX_LINE]


def _meaning(meanings: Mapping[str, str], label: str) -> str:
    """Where a field belongs: a place of its own, `utm_…`, or the field's name."""
    plain = _plain(label)
    found = meanings.get(plain)
    if found is not None:
        return found
    return plain.replace(" ", "_") if plain.replace(" ", "_").startswith("utm_") else label


def _plain(label: str) -> str:
    return " ".join(label.split()).strip(" *_:?#").casefold()


def _fields(mail: Mail, known: Mapping[str, str]) -> list[_Field]:
    """Labels and values in order, from the table of the HTML if it is one, else from the lines."""
    table = _table(mail.html, known) if mail.html is not None else []
    lines = _lines(mail.text, known)
    score = [sum(_plain(label) in known for label, _ in found) for found in (table, lines)]
    return table if table and score[0] >= score[1] else lines


def _lines(text: str, known: Mapping[str, str]) -> list[_Field]:
    found: list[tuple[str, list[str]]] = []
    for line in text.split("\n")[:_MAX_LINES]:
        bare = line.strip()
        if _END.match(line) or (found and _SIGNATURE.match(bare)):
            if any(any(values) for _, values in found):
                break
            continue
        label, value = _labelled(bare, known, within=found[-1][0] if found else "")
        if label and len(found) < _MAX_FIELDS:
            found.append((label, [value]))
        elif found:
            found[-1][1].append(bare)
    fields: list[_Field] = []
    for label, values in found:
        long = known.get(_plain(label)) == MESSAGE
        # Behind a short field stands only what belongs to it: its value on the next line.
        kept = values if long else next(([value] for value in values if value), [])
        value = "\n".join(kept).strip()
        if value:
            fields.append((label, value))
    return fields


def _labelled(line: str, known: Mapping[str, str], *, within: str) -> _Field:
    """The label and the value of a line; an empty label where it has none."""
    if _plain(line) in known:
        return line.rstrip(" :*_"), ""
    long = known.get(_plain(within)) == MESSAGE
    for pattern in (_LABEL, _DASHED):
        match = pattern.match(line[: _MAX_TEXT // 2])
        if match is None or _ADDRESS.search(match[1]):
            continue
        plain = _plain(match[1])
        if plain in known or plain.replace(" ", "_").startswith("utm_") or (plain in ENDS and pattern is _LABEL):
            return match[1].strip(), match[2].strip(" \t*_")
        # A colon within the visitor's own words makes no field of them.
        if pattern is _LABEL and not long and len(plain.split()) <= _MAX_WORDS_IN_LABEL and len(plain) <= _MAX_LABEL:
            return match[1].strip(), match[2].strip(" \t*_")
    return "", ""


def _table(html: str, known: Mapping[str, str]) -> list[_Field]:
    """Rows of two cells; empty where the HTML has no table with known labels."""
    reader = _Rows()
    reader.feed(html)
    reader.close()
    rows = [row for row in reader.rows[:_MAX_LINES] if len(row) == 2 and row[0] and row[1]]
    if not any(_plain(label) in known for label, _ in rows):
        return []
    return [(label.rstrip(" :*"), value) for label, value in rows if len(label) <= _MAX_LABEL][:_MAX_FIELDS]


class _Rows(HTMLParser):
    """The cells of a table, row by row. Fed only with sanitised HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base names it
        if tag == "tr":
            self._end_cell()
            self.rows.append([])
        elif tag in {"td", "th"}:
            self._end_cell()
            self._cell = []
        elif tag in {"br", "p", "div", "li"} and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th", "tr", "table"}:
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(_SPACE.sub(" ", data))

    def _end_cell(self) -> None:
        if self._cell is not None and self.rows:
            self.rows[-1].append("\n".join(_told("".join(self._cell))))
        self._cell = None


def _told(text: str) -> Iterator[str]:
    return (" ".join(line.split()) for line in text.split("\n") if line.strip())
