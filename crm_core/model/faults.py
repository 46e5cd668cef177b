"""What pydantic finds wrong with a value, in words that can be said in another language as well."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from crm_core.wording import Counted, Sentence

_WORDS: Mapping[str, Sentence] = {
    "missing": Sentence("Field required"),
    "extra_forbidden": Sentence("Extra inputs are not permitted"),
    "greater_than": Sentence("Input should be greater than {gt}"),
    "greater_than_equal": Sentence("Input should be greater than or equal to {ge}"),
    "less_than": Sentence("Input should be less than {lt}"),
    "less_than_equal": Sentence("Input should be less than or equal to {le}"),
    "finite_number": Sentence("Input should be a finite number"),
    "string_type": Sentence("Input should be a valid string"),
    "string_pattern_mismatch": Sentence("String should match pattern '{pattern}'"),
    "enum": Sentence("Input should be {expected}"),
    "literal_error": Sentence("Input should be {expected}"),
    "dict_type": Sentence("Input should be a valid dictionary"),
    "model_type": Sentence("Input should be a valid dictionary or instance of {class_name}"),
    "list_type": Sentence("Input should be a valid list"),
    "bool_type": Sentence("Input should be a valid boolean"),
    "bool_parsing": Sentence("Input should be a valid boolean, unable to interpret input"),
    "int_type": Sentence("Input should be a valid integer"),
    "int_parsing": Sentence("Input should be a valid integer, unable to parse string as an integer"),
    "int_from_float": Sentence("Input should be a valid integer, got a number with a fractional part"),
    "float_type": Sentence("Input should be a valid number"),
    "float_parsing": Sentence("Input should be a valid number, unable to parse string as a number"),
    "timezone_aware": Sentence("Input should have timezone info"),
    "union_tag_not_found": Sentence("Unable to extract tag using discriminator {discriminator}"),
    "union_tag_invalid": Sentence(
        "Input tag '{tag}' found using {discriminator} does not match any of the expected tags: {expected_tags}"
    ),
}
_AT_LEAST = Sentence("String should have at least {length}")
_AT_MOST = Sentence("String should have at most {length}")


def first_of(err: ValidationError) -> tuple[str, str]:
    """The place of the first fault (`stages.2.name`, empty for the whole), and what is wrong there."""
    first = err.errors(include_url=False, include_input=False)[0]
    return ".".join(str(each) for each in first["loc"][:12]), why_of(first)


def why_of(fault: ErrorDetails) -> str:
    """What is wrong at one place: what a validator of ours said, else pydantic's own words.

    The fault is one that was asked for with its context.
    """
    context = fault.get("ctx", {})
    if isinstance(error := context.get("error"), ValueError):
        return str(error)
    said = _said(fault["type"], context)
    return said if said == fault["msg"] else fault["msg"].removeprefix("Value error, ")


def _said(kind: str, context: Mapping[str, object]) -> str:
    match kind, context:
        case "string_too_short", {"min_length": int() as least}:
            return Sentence(_AT_LEAST.template, length=Counted("{count} character", "{count} characters", least))
        case "string_too_long", {"max_length": int() as most}:
            return Sentence(_AT_MOST.template, length=Counted("{count} character", "{count} characters", most))
        case _:
            found = _WORDS.get(kind)
            return Sentence(found.template, **context) if found is not None and (context or not _asks(found)) else ""


def _asks(text: Sentence) -> bool:
    return "{" in text.template
