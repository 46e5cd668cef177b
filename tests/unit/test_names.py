"""The names of our packages are common words; no other installed distribution may own one of them."""

import importlib.metadata

import pytest


@pytest.mark.parametrize("name", ["hub", "channels", "routing", "crm_core"])
def test_only_this_project_owns_the_name(name: str) -> None:
    owners = set(importlib.metadata.packages_distributions().get(name, ()))
    assert owners <= {"hub-crm"}, f"{name} is also owned by {owners - {'hub-crm'}}"
