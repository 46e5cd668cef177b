"""The office: everything that an administrator configures, on pages that act through the services of the API."""

from __future__ import annotations

from crm_core.model.definitions import Section
from hub.web.office.deliveries import Deliveries
from hub.web.office.editing import Editor
from hub.web.office.forms.labels import value_word
from hub.web.office.index import Index
from hub.web.office.letters import Templates, WithFiles
from hub.web.office.lines import Lines
from hub.web.office.people import People
from hub.web.office.pipelines import Pipelines
from hub.web.office.presets import Presets
from hub.web.office.roles import Roles
from hub.web.office.rules import Rules
from hub.web.office.sections import KEPT
from hub.web.office.segments import Segments
from hub.web.office.sounds import Sounds
from hub.web.pages import Pages
from hub.web.routes import Route

_EDITORS: dict[Section, type[Editor]] = {
    Section.RULE: Rules,
    Section.LINE: Lines,
    Section.SEGMENT: Segments,
    Section.TEMPLATE: Templates,
    Section.DOCUMENT: WithFiles,
}


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    pages.templates.globals.update(value_word=value_word)
    found = [*Index(pages).routes(), *People(pages).routes(), *Pipelines(pages).routes(), *Roles(pages).routes()]
    found += [*Presets(pages).routes(), *Deliveries(pages).routes(), *Sounds(pages).routes()]
    for each in KEPT:
        found += _EDITORS.get(each.section, Editor)(pages, each).routes()
    return tuple(found)
