"""The form of a role: which of its rights reach further, or less far, than usual."""

from __future__ import annotations

from pydantic import field_validator

from crm_core.model.definitions.base import Body, Slug
from crm_core.model.rights import CONFIGURABLE, REACHING, Reach, Right
from crm_core.wording import Sentence

_KNOWN = {each.slug: each for each in Right if each in CONFIGURABLE}


class RoleBody(Body):
    """What people of a role may do, where it is not the usual: rights by name (`hear_calls`, `export`, `delete` …), and
    of whose records: `none`, `own`, `group` (of their group's people and nobody's), `all`. The definition bears the
    name of the role; administrators keep all their rights."""

    rights: dict[Slug, Reach] = {}

    @field_validator("rights")
    @classmethod
    def _known(cls, given: dict[str, Reach]) -> dict[str, Reach]:
        for name, reach in given.items():
            right = _KNOWN.get(name)
            if right is None:
                raise ValueError(
                    Sentence(
                        "«{name}» is no right that can be given or taken, only {known}",
                        name=name,
                        known=", ".join(sorted(_KNOWN)),
                    )
                )
            if right not in REACHING and reach in {Reach.OWN, Reach.GROUP}:
                raise ValueError(Sentence("«{name}» is given whole or not at all: «all» or «none»", name=name))
        return given

    def reaches(self) -> dict[Right, Reach]:
        """The same by right."""
        return {_KNOWN[name]: reach for name, reach in self.rights.items()}
