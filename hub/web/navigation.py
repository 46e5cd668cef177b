"""The sections of the workspace, and who is shown which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crm_core.model.access import Access, Right
from hub.web.tongues import N_, gettext


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its address, name, icon, and the key that leads there after `g`, as keyboards call it; `also` are the
    addresses of pages that are come to from it and whose own address begins otherwise."""

    path: str
    name: str
    icon: str
    key: str
    right: Right | None = None
    also: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name in the language of the request."""
        return gettext(self.name)

    def here(self, path: str) -> bool:
        """Whether a page belongs to it."""
        return path == self.path or (
            self.path != "/" and any(f"{path}/".startswith(f"{each}/") for each in (self.path, *self.also))
        )


SECTIONS: Final = (
    Section("/", N_("Inbox"), "inbox", "KeyI"),
    Section("/contacts", N_("Clients"), "clients", "KeyC", Right.SEE_CLIENTS, ("/companies",)),
    Section("/deals", N_("Deals"), "deals", "KeyD", Right.SEE_SALES),
    Section("/tasks", N_("Tasks"), "tasks", "KeyT", Right.SEE_SALES),
    Section("/calls", N_("Calls"), "calls", "KeyP", Right.SEE_CALLS, ("/dialling",)),
    Section("/wall", N_("Wall"), "wall", "KeyW", Right.SEE_REPORTS),
    Section("/control", N_("Control"), "control", "KeyK", Right.SEE_REPORTS),
    Section("/reports", N_("Reports"), "reports", "KeyR", Right.SEE_REPORTS),
    Section("/broadcasts", N_("Mailings"), "send", "KeyB", Right.BROADCAST),
    Section("/lists", N_("Lists"), "lists", "KeyL", Right.KEEP_LISTS),
    Section("/office", N_("Office"), "office", "KeyO", Right.CONFIGURE, ("/journal", "/products", "/runs")),
)


def navigation(access: Access | None) -> tuple[Section, ...]:
    """The sections that somebody may come into."""
    return tuple(each for each in SECTIONS if each.right is None or (access is not None and access.may(each.right)))


def section_of(path: str, access: Access | None) -> Section | None:
    """The section that a page belongs to, where somebody may come into it; None for what belongs to none but the first
    page."""
    return next((each for each in navigation(access) if each.path != "/" and each.here(path)), None)
