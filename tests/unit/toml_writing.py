"""Arbitrary configurations: trees that TOML can hold, and their text."""

from __future__ import annotations

from datetime import date, time

from hypothesis import strategies as st

# every character TOML's texts may hold, without lone surrogates
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_SCALARS = st.one_of(
    _TEXTS,
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False),
    st.dates(min_value=date(1000, 1, 1)),
    st.times(),
)


def values(extra: st.SearchStrategy[object] | None = None) -> st.SearchStrategy[object]:
    """Anything that may stand after an equals sign."""
    leaves = _SCALARS if extra is None else st.one_of(extra, _SCALARS)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=3)),
        max_leaves=8,
    )


def trees() -> st.SearchStrategy[dict[str, object]]:
    """Any whole file."""
    return st.dictionaries(_TEXTS, values(), max_size=5)


def write_toml(tree: dict[str, object]) -> str:
    """The tree as TOML: tables and lists of tables under headers where they can be, all else inline."""
    return "".join(_table(tree, ""))


def _table(table: dict[str, object], heading: str) -> list[str]:
    lines: list[str] = []
    below: list[str] = []
    for key, value in table.items():
        path = f"{heading}.{_text(key)}" if heading else _text(key)
        if isinstance(value, dict):
            below += [f"\n[{path}] # table\n", *_table(value, path)]
        elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            for each in value:
                below += [f"[[{path}]]\n", *_table(each, path)]
        else:
            lines.append(f"{_text(key)} = {_inline(value)}\n")
    return lines + below


def _inline(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case int() | float():
            return repr(value)
        case date() | time():
            return value.isoformat()
        case list():
            return "[" + ",\n  # more\n".join(map(_inline, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{_text(key)} = {_inline(each)}" for key, each in value.items()) + "}"
        case _:
            raise TypeError(f"TOML knows no {type(value).__name__}")


def _text(text: str) -> str:
    escaped = "".join(
        f"\\U{ord(mark):08x}" if mark in '"\\' or ord(mark) < 32 or ord(mark) == 127 else mark for mark in text
    )
    return f'"{escaped}"'
