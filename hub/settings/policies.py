"""The intake policy that accounts and lines carry in keys of their own."""

from __future__ import annotations

from crm_core.model.policy import AccountPolicy
from hub.settings import values
from hub.settings.model import PLAIN
from hub.settings.reader import Section


def policy(section: Section) -> AccountPolicy:
    """The intake policy, spread over the keys of an account or a line."""
    return AccountPolicy(
        source=section.take("source", values.text, PLAIN.source),
        group=section.take("group", values.text, PLAIN.group),
        enquiry=section.take("enquiry", values.flag, PLAIN.enquiry),
        leads=section.take("leads", values.flag, PLAIN.leads),
        pipeline=section.take("pipeline", values.text, PLAIN.pipeline),
    )
