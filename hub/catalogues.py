"""Keeps the catalogues of the workspace in step with its code: `scripts/texts`, for whoever writes texts.

A catalogue belongs to a room and holds the texts that this room alone uses; those of several rooms are in `common`.
A room is a package of `hub/web` and the folder of its name in `hub/web/templates`. What the hub refuses with
(`crm_core.wording`) stands all over the code and has the catalogue `refusals`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import Any, TypeAlias

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

HOME = Path(__file__).parent / "web"
LANGUAGE = "ru"
COMMON = "common"
REFUSALS = "refusals"
CODE = tuple(HOME.parents[1] / name for name in ("crm_core", "routing", "channels", "hub"))
"""Where refusals are raised."""
REFUSING = frozenset(
    {
        *("InvalidInput", "InvalidIdentity", "NotFound", "Forbidden", "Conflict", "Outdated", "NeedsConfirmation"),
        *(
            "Duplicate",
            "TemplateError",
            "ExpressionError",
            "ValueMissing",
            "HeldAction",
            "TransientDeliveryError",
            "PermanentDeliveryError",
            "ChannelAuthError",
            "MailRefusedError",
            "Resting",
            "PrivateAddressError",
            "Malformed",
            "MalformedForm",
            "BadTalk",
            "ShapeError",
            "Sentence",
            "Counted",
            "_Moved",
        ),
    }
)
"""What is made of a constant text and its values."""

Key: TypeAlias = tuple[str | None, str]
"""What tells a text from others: its context and its English."""

_KEYWORDS: Mapping[str, Any] = {
    "_": None,
    "gettext": None,
    "N_": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "NP_": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# As the environment of the pages has it; a template that can't be read is an error, not a template without texts.
_OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
_HEADING = r"""msgid ""
msgstr ""
"Language: ru\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\n"

"""


@dataclass(slots=True)
class Used:
    """A text as the code uses it; `many` is its English plural. `rooms` use it."""

    key: Key
    many: str | None = None
    rooms: set[str] = field(default_factory=set)

    @property
    def room(self) -> str:
        """Whose catalogue holds it."""
        return next(iter(self.rooms)) if len(self.rooms) == 1 else COMMON


def texts_used() -> dict[Key, Used]:
    """Every text of the workspace's code and templates, and every refusal. Raises ValueError where one is used in two
    ways, or where the extractor could not see it."""
    found: dict[Key, Used] = {}
    for path in sorted((*HOME.rglob("*.py"), *HOME.rglob("*.html"))):
        method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
        if path.suffix == ".py" and (lines := _within_others(path.read_text())):
            raise ValueError(f"{path.name}: the extractor can't see into the f-strings of lines {lines}")
        with path.open("rb") as file:
            for _line, said, _comments, context in extract(method, file, _KEYWORDS, (), _OPTIONS):
                one, many = said[:2] if isinstance(said, tuple) else (said, None)
                used = found.setdefault((context, one), Used((context, one), many))
                if used.many != many:
                    raise ValueError(f"{path.name}: {one!r} has a plural in one place and none or another elsewhere")
                used.rooms.add(_room_of(path))
    for path in refusing_code():
        for one, many in refusals_in(path.read_text()):
            used = found.setdefault((None, one), Used((None, one), many))
            if used.many != many:
                raise ValueError(f"{path.name}: {one!r} has a plural in one place and none or another elsewhere")
            used.rooms.add(REFUSALS)
    return found


def refusing_code() -> Iterator[Path]:
    """The modules that may refuse something."""
    return (path for folder in CODE for path in sorted(folder.rglob("*.py")) if "demo" not in path.parts)


def refusals_in(code: str) -> Iterator[tuple[str, str | None]]:
    """The texts of the refusals of a module, each with its plural where it has one."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and _name(node.func) in REFUSING and node.args:
            texts = [each for each in _constants(node.args[0]) if each]
            plural = _name(node.func) == "Counted" and len(node.args) > 1
            many = next(_constants(node.args[1]), None) if plural else None
            yield from ((text, many) for text in texts)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _constants(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from _constants(body)
            yield from _constants(other)


def catalogues() -> dict[str, Catalog]:
    """What is kept, by room. Raises PoFileError."""
    found = {}
    for path in sorted(_folder().glob("*.po")):
        with path.open("rb") as file:
            found[path.stem] = read_po(file, locale=LANGUAGE, ignore_obsolete=True, abort_invalid=True)
    return found


def problems() -> Iterator[str]:
    """What is wrong with the catalogues, a line each; nothing where all is well."""
    used, seen = texts_used(), dict[Key, str]()
    for room, catalogue in catalogues().items():
        for message in _messages(catalogue):
            key = _key(message)
            where = f"{room}.po: {key[1]!r}"
            if key in seen:
                yield f"{where} is in {seen[key]}.po, too"
            seen[key] = room
            if key not in used:
                yield f"{where} is used nowhere"
                continue
            if used[key].room not in {room, COMMON} or (used[key].room == COMMON and room != COMMON):
                yield f"{where} belongs into {used[key].room}.po"
            yield from (f"{where} {fault}" for fault in _faults(message, used[key]))
    yield from (f"{each.key[1]!r} is missing in {each.room}.po" for key, each in used.items() if key not in seen)


def update(rooms: Iterable[str] = ()) -> list[str]:
    """Bring the catalogues (of these rooms alone, where any are named) to what the code uses, translations kept.

    What is used nowhere any more goes; it is told, a line each, as is what waits for a translation.
    """
    only, told = set(rooms), list[str]()
    used, kept = texts_used(), catalogues()
    known = {_key(message): message for catalogue in kept.values() for message in _messages(catalogue)}
    wanted: dict[str, dict[Key, Message]] = {room: {} for room in kept}
    for key, each in used.items():
        old = known.get(key)
        ids: Any = key[1] if each.many is None else (key[1], each.many)
        # A message whose plural came or went is a new one.
        said = old.string if old is not None and old.pluralizable == (each.many is not None) else ""
        flags = old.flags if old is not None else ()
        wanted.setdefault(each.room, {})[key] = Message(ids, said, flags=flags, context=key[0])
    for room, all_of_it in wanted.items():
        before = {_key(message): message for message in _messages(kept.get(room, Catalog()))}
        messages = all_of_it
        if only and room not in only:
            if room != COMMON:
                continue
            # Others are at work: what they have put there stays.
            messages = before | {key: each for key, each in messages.items() if used[key].rooms & only}
        gone = before.keys() - used.keys() - messages.keys()
        told += [f"{room}.po: gone: {key[1]!r} = {before[key].string!r}" for key in sorted(gone, key=str)]
        told += [f"{room}.po: to be translated: {key[1]!r}" for key, each in messages.items() if not _complete(each)]
        _write(room, messages.values())
    return told


def main(arguments: list[str]) -> int:
    """`--check` tells what is wrong and changes nothing; else rooms to be updated, all where none is named."""
    if arguments == ["--check"]:
        found = list(problems())
        sys.stdout.writelines(f"{line}\n" for line in found)
        return 1 if found else 0
    sys.stdout.writelines(f"{line}\n" for line in update(arguments))
    return 0


def _within_others(code: str) -> list[int]:
    """The lines where a text stands within an f-string."""
    holders = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.JoinedStr))
    calls = (node for each in holders for node in ast.walk(each) if isinstance(node, ast.Call))
    return [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id in _KEYWORDS]


def _room_of(path: Path) -> str:
    parts = path.relative_to(HOME).parts
    folders = parts[1:-1] if parts[0] == "templates" else parts[:-1]
    return folders[0] if folders else COMMON


def _folder() -> Path:
    return HOME / "locale" / LANGUAGE / "LC_MESSAGES"


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _key(message: Message) -> Key:
    return message.context, message.id[0] if isinstance(message.id, list | tuple) else message.id


def _forms(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, list | tuple) else [message.string or ""]


def _complete(message: Message) -> bool:
    return all(_forms(message)) and len(_forms(message)) == (3 if message.pluralizable else 1)


def _faults(message: Message, used: Used) -> Iterator[str]:
    if message.fuzzy:
        yield "is fuzzy"
    if message.pluralizable != (used.many is not None):
        yield "has a plural on one side alone"
    elif not _complete(message):
        yield "is not translated"
    elif any(_names(form) != _names(used.many or used.key[1]) for form in _forms(message)):
        yield "fills in other names"


def _names(text: str) -> set[str | None]:
    """What stands in braces. Raises ValueError where they are not paired."""
    return {name for _text, name, _spec, _conversion in Formatter().parse(text) if name is not None}


def _write(room: str, messages: Iterable[Message]) -> None:
    """Sorted and without places in the code, so that a change shows what has changed alone."""
    catalogue = Catalog(locale=LANGUAGE)
    for each in messages:
        catalogue.add(each.id, each.string, context=each.context, flags=each.flags)
    content = BytesIO()
    write_po(content, catalogue, width=120, no_location=True, omit_header=True, sort_output=True)
    path = _folder() / f"{room}.po"
    if not len(catalogue):
        path.unlink(missing_ok=True)
        return
    text = _HEADING.encode() + content.getvalue()
    if not path.exists() or path.read_bytes() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
