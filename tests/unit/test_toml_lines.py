"""The scanner finds every key that the parser finds, on the line it stands on."""

from __future__ import annotations

import tomllib

from hypothesis import given

from hub.settings.toml_lines import KeyPath, key_lines
from tests.unit.toml_writing import trees, write_toml

TEXT = '''\
# a comment with [[brackets]] and = signs
top = 1
"quoted.key" = 'x # no comment'
a.b.c = [ 1, [2, """
]]]"""], # ] in a comment
  {d = 1, e.f = "}"} ]

[[bot]]
name = "one"  # [[bot]]
[bot.inner]
x = \'\'\'
[[bot]]\'\'\'
[[bot.step]]
y = 1979-05-27 07:32:00
[[bot]]
name = "\\"]"
[[bot.step]]
[[bot.step]]
z = """"""
"я" = """a\\"""b"""""
'''


def test_each_key_has_its_line() -> None:
    lines = key_lines(TEXT)
    expected: dict[KeyPath, int] = {
        ("top",): 2,
        ("quoted.key",): 3,
        ("a", "b", "c"): 4,
        ("a", "b", "c", 1, 1): 4,
        ("a", "b", "c", 2): 6,
        ("a", "b", "c", 2, "e", "f"): 6,
        ("bot",): 8,
        ("bot", 0): 8,
        ("bot", 0, "name"): 9,
        ("bot", 0, "inner", "x"): 11,
        ("bot", 0, "step", 0, "y"): 14,
        ("bot", 1): 15,
        ("bot", 1, "name"): 16,
        ("bot", 1, "step", 0): 17,
        ("bot", 1, "step", 1): 18,
        ("bot", 1, "step", 1, "z"): 19,
        ("bot", 1, "step", 1, "я"): 20,
    }
    assert {path: lines.get(path) for path in expected} == expected


def test_the_sample_is_what_the_parser_reads() -> None:
    assert _paths(tomllib.loads(TEXT)) == set(key_lines(TEXT))


@given(trees())
def test_scanner_and_parser_find_the_same_keys(tree: dict[str, object]) -> None:
    text = write_toml(tree)
    parsed = tomllib.loads(text)
    assert parsed == tree
    lines = key_lines(text)
    assert _paths(parsed) == set(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


def _paths(value: object, path: KeyPath = ()) -> set[KeyPath]:
    found = {path} - {()}
    if isinstance(value, dict):
        return found.union(*(_paths(each, (*path, key)) for key, each in value.items()))
    if isinstance(value, list):
        return found.union(*(_paths(each, (*path, position)) for position, each in enumerate(value)))
    return found
