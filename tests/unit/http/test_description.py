"""Each operation is declared once and completely."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from crm_core.model.rights import TABLE, Right
from hub.http.api import OPERATIONS, PREFIX
from hub.http.openapi import describe
from hub.http.operations import Operation


@cache
def _document() -> dict[str, Any]:
    return describe(OPERATIONS, PREFIX, "Hub", "1")


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)


def test_every_right_is_in_the_table() -> None:
    assert set(TABLE) == set(Right)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_is_described(operation: Operation) -> None:
    described = _document()["paths"][PREFIX + operation.path][operation.method.lower()]
    assert described["summary"] == operation.summary
    in_path = {each["name"] for each in described["parameters"] if each.get("in") == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", operation.path))
    keyed = any(each.get("name") == "Idempotency-Key" for each in described["parameters"])
    assert keyed == (operation.method == "POST")


def test_every_reference_leads_somewhere() -> None:
    schemas = _document()["components"]["schemas"]
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(_document())):
        assert name in schemas


@pytest.mark.parametrize(
    "path",
    [
        "/contacts",
        "/contacts/{id}",
        "/contacts/{id}/timeline",
        "/contacts/{id}/messages",
        "/contacts/{id}/merge",
        "/contacts/{id}/unmerge",
        "/leads",
        "/leads/{id}/take",
        "/leads/{id}/convert",
        "/leads/{id}/reject",
        "/deals",
        "/deals/{id}/move",
        "/pipelines",
        "/tags",
        "/users",
        "/calls",
        "/calls/{id}/recording",
        "/cases",
        "/cases/{id}/close",
        "/cases/{id}/promise",
        "/lists/{name}/numbers",
        "/explain/route",
        "/journal",
        "/journal/{id}/replay",
        "/files",
        "/events",
        "/dials/{id}",
        "/callbacks",
        "/reports/{name}",
        "/reconciliations",
        "/presence",
    ],
)
def test_what_others_rely_on_is_there(path: str) -> None:
    assert PREFIX + path in _document()["paths"]
