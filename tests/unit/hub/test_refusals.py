"""Refusals are constant texts with values, so that they can be said in the language of whoever is refused."""

import ast
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Formatter

import pytest
from pydantic import BaseModel, Field, ValidationError

from crm_core.errors import Conflict, InvalidInput, NotFound, Outdated
from crm_core.model.faults import first_of
from crm_core.wording import Counted, Joined, Sentence, Worded
from hub import catalogues
from hub.web import words
from hub.web.tongues import speak, told, told_at

# What is said already, or carries a sentence of its own: `_("…")`, `desk.say(…)`, `str(error)`.
SAID = {"_", "gettext", "ngettext", "str", "Sentence", "Counted", "Joined"}
COMPUTED = {
    "_said(err)": "what the library of templates says",
    "held_back(desk, found)": "said by the office's own phrases",
    "problems[0]": "a list of sentences",
    "found[0]": "a list of sentences",
    "missing": "a sentence, by its type",
    "restored(answer.written[1:].decode('utf-8', 'replace'))": "what another process said",
    "why": "what was found wrong, a sentence where it is ours",
    "what": "a sentence, made above",
    "told": "a sentence, made above",
    "later": "a sentence, made above",
    "words": "a sentence, made above, or what the provider says",
    "Sentence('{told} ({mend})', told=told, mend=hint) if hint else told": "sentences both",
    'message or "The provider can\'t take the message now."': "what the error was given",
    "_meant(words)": "a sentence, by its type",
    "_TEXTS[fault].template": "a constant, of the table beside",
    "_MISSING": "a sentence, made above",
    "_TOO_BIG": "a sentence, made above",
    "Joined(problems)": "sentences",
    "not_json(error)": "a sentence, by its type",
    "error.sentence": "a sentence, by its type",
    "message": "what the error was given",
    "_too_many()": "said by the page",
    "_too_large()": "said by the page",
    "f'{own.key}: {own.what}. {own.mend}'.removeprefix(': ')": "what the reader of hub.toml says",
}
# What errors are given besides the values of their text.
OF_THE_ERROR = {"current", "retry_after", "uncertain"}


@pytest.fixture(autouse=True)
def _russian() -> Iterator[None]:
    speak("ru")
    yield
    speak("ru")


def _refusals() -> Iterator[tuple[Path, ast.Call]]:
    for path in catalogues.refusing_code():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in catalogues.REFUSING:
                yield path, node


def _constant(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str()):
            return True
        case ast.IfExp(body=body, orelse=other):
            return _constant(body) and _constant(other)
        case ast.Call(func=ast.Name(id=name)):
            return name in SAID
        case ast.Call(func=ast.Attribute(value=inner, attr="format")):
            return _constant(inner) or isinstance(inner, ast.Name)  # a text that was said a line above
        case ast.Call(func=ast.Attribute(attr="say")):
            return True
        case _:
            return False


def test_refusals_are_constant_texts_with_values() -> None:
    computed = [
        f"{path.relative_to(catalogues.HOME.parents[1])}:{node.lineno}: {ast.unparse(node.args[0])}"
        for path, node in _refusals()
        if node.args and not _constant(node.args[0]) and ast.unparse(node.args[0]) not in COMPUTED
        # The classes that hand on what they were given.
        if path.name not in {"wording.py", "faults.py"}
    ]
    assert computed == []


def test_the_values_of_a_refusal_are_those_that_its_text_names() -> None:
    wrong = [
        f"{path.name}:{node.lineno}: {template}"
        for path, node in _refusals()
        if node.args and isinstance(node.args[0], ast.Constant) and (values := _given(node))
        if _names(template := str(node.args[0].value)) != values
    ]
    assert wrong == []


def _given(node: ast.Call) -> set[str]:
    return {each.arg for each in node.keywords if each.arg is not None} - OF_THE_ERROR


def _names(template: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in Formatter().parse(template) if name is not None}


def _below(kind: type[Worded]) -> Iterator[type[Worded]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def test_whoever_refuses_is_known_to_the_catalogues() -> None:
    known = {each.__name__ for each in _below(Worded)}
    assert catalogues.REFUSING - {"Sentence", "Counted", "_Moved"} <= known


@pytest.mark.parametrize(
    ("refusal", "russian"),
    [
        (NotFound("there is no {kind} {ident}", kind="deal", ident=5), "Нет такой записи: сделка № 5"),
        (
            InvalidInput("{where}: {why}", where="сумма", why=InvalidInput("«{text}» is no number", text="абв")),
            "Сумма: «абв» — не число",
        ),
        (InvalidInput(str(InvalidInput("the note is empty"))), "Заметка пуста: напишите что-нибудь"),
        (Conflict("import {import_id} is over already: {state}", import_id=5, state="done"), "выполнено"),
        (InvalidInput("what only a library says"), "What only a library says"),
    ],
)
def test_a_refusal_is_said_in_russian_with_all_that_is_in_it(refusal: Worded, russian: str) -> None:
    assert russian in told(str(refusal))


def test_english_is_what_programs_read() -> None:
    refusal = InvalidInput("{where}: {why}", where="sum", why=InvalidInput("«{text}» is no number", text="{абв}"))
    speak("en")
    assert told(str(refusal)) == str(refusal) == f"{refusal}" == "sum: «{абв}» is no number"


@pytest.mark.parametrize(("count", "russian"), [(1, "1 знак"), (3, "3 знака"), (5, "5 знаков"), (21, "21 знак")])
def test_a_number_decides_the_form(count: int, russian: str) -> None:
    assert told(Counted("{count} character", "{count} characters", count)) == russian


def test_sentences_one_behind_the_other_are_told_each() -> None:
    both = Joined([Sentence("the note is empty"), Sentence("a whole number")], "\n")
    assert str(both) == "the note is empty\na whole number"
    assert told(both) == "Заметка пуста: напишите что-нибудь\nздесь нужно целое число"


def test_the_place_is_left_out_where_it_is_shown() -> None:
    assert told_at(Sentence("{where}: {why}", where="steps.0", why=Sentence("a whole number")), "steps.0") == (
        "здесь нужно целое число"
    )
    assert told_at("name: too long", "name") == "too long"


@pytest.mark.parametrize(
    "said",
    [
        Sentence("there is no deal {deal}", deal=5),
        Counted("{count} character", "{count} characters", 3),
        Joined([Sentence("there is no deal {deal}", deal=5)]),
        Sentence("what {was given"),
    ],
)
def test_a_sentence_goes_to_another_process_and_back(said: Sentence) -> None:
    back = pickle.loads(pickle.dumps(said))
    assert (back, type(back), told(back)) == (said, type(said), told(said))
    error = pickle.loads(pickle.dumps(InvalidInput(said)))
    assert told(str(error)) == told(said)


def test_an_error_without_words_says_its_own() -> None:
    assert str(Outdated(current=5)).startswith("The record was changed meanwhile.")
    assert Outdated("it is {now}", 5, now=3).current == 5


class _Form(BaseModel):
    name: str = Field("", max_length=3)
    count: int = Field(1, ge=1)


@pytest.mark.parametrize(
    ("given", "place", "russian"),
    [
        ({"name": "слишком"}, "name", "Не длиннее: 3 знака"),
        ({"count": 0}, "count", "Число должно быть не меньше 1"),
        ({"count": "абв"}, "count", "Здесь нужно целое число, а написано другое"),
    ],
)
def test_what_pydantic_finds_is_told_too(given: dict[str, object], place: str, russian: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _Form.model_validate(given)
    where, why = first_of(caught.value)
    assert (where, told(why)) == (place, russian)
    assert why == caught.value.errors()[0]["msg"]


@pytest.mark.parametrize("tables", [(words.KINDS, words.kind_word), (words.STATES, words.state_word)])
def test_kinds_and_states_have_words(tables: Sequence[object]) -> None:
    table, word = tables
    assert isinstance(table, dict)
    assert callable(word)
    assert all(word(each) != each for each in table)
