"""What scopes open, and who may hand on what."""

import pytest

from crm_core.errors import InvalidInput
from crm_core.model.scopes import EVERYTHING, Scope, Scopes

AREAS = ("calls", "contacts")


@pytest.mark.parametrize(
    "text", ["", "all", "read ", "calls", "calls:", ":read", "calls:delete", "Calls:read", "a:b:read"]
)
def test_what_is_no_scope_is_said(text: str) -> None:
    if text.strip() == "read":
        assert Scope.parse(text) == Scope()
        return
    with pytest.raises(InvalidInput):
        Scope.parse(text)


def test_no_scopes_at_all_and_unknown_areas_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one"):
        Scopes.parse([])
    with pytest.raises(InvalidInput, match="no such area; known are calls, contacts"):
        Scopes.parse(["ufo:read"], AREAS)
    assert Scopes.parse(None, AREAS) is EVERYTHING


def test_writing_includes_reading_and_the_whole_includes_its_areas() -> None:
    scopes = Scopes.parse(["read", "calls:write"], AREAS)
    assert scopes.allow("contacts", writes=False)
    assert not scopes.allow("contacts", writes=True)
    assert scopes.allow("calls", writes=True)
    assert not Scopes.parse(["calls:write"]).allow("contacts", writes=False)
    assert Scopes.parse(["write"]).allow("contacts", writes=True)
    assert EVERYTHING.allow("anything", writes=True)
    assert scopes.plain() == ["read", "calls:write"]


def test_nobody_hands_on_more_than_they_hold() -> None:
    held = Scopes.parse(["read", "calls:write"])
    assert held.cover_all(Scopes.parse(["calls:write", "contacts:read"]))
    assert not held.cover_all(Scopes.parse(["write"]))
    assert not held.cover_all(EVERYTHING)
    assert EVERYTHING.cover_all(EVERYTHING)
