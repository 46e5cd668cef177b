"""The words of what a ready configuration changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crm_core.services.configuration import Verb
from hub.web.tongues import NP_, pgettext

VERBS: Final[Mapping[str, str]] = {
    Verb.ADD: NP_("preset", "add"),
    Verb.CHANGE: NP_("preset", "change"),
    Verb.RETURN: NP_("preset", "bring back"),
}
SECTIONS: Final[Mapping[str, str]] = {
    "pipeline": NP_("preset", "Pipelines"),
    "stage": NP_("preset", "Stages"),
    "field": NP_("preset", "Fields"),
    "record_type": NP_("preset", "Types of records"),
    "tag_group": NP_("preset", "Groups of tags"),
    "rule": NP_("preset", "Rules"),
    "chain": NP_("preset", "Chains of messages"),
    "template": NP_("preset", "Templates"),
    "document": NP_("preset", "Documents"),
    "segment": NP_("preset", "Segments"),
    "scoring": NP_("preset", "Scores of clients"),
    "webhook": NP_("preset", "Other programs"),
    "mapping": NP_("preset", "Columns of imports"),
    "ladder": NP_("preset", "Ladders"),
    "list": NP_("preset", "Special lists"),
    "hours": NP_("preset", "Working hours"),
    "group": NP_("preset", "Groups of people"),
    "account": NP_("preset", "Accounts"),
    "role": NP_("preset", "Roles"),
}


def verb_word(verb: str) -> str:
    """What becomes of something configured."""
    return pgettext("preset", VERBS[verb]) if verb in VERBS else verb


def section_word(section: str) -> str:
    """A section of the configuration."""
    return pgettext("preset", SECTIONS[section]) if section in SECTIONS else section
