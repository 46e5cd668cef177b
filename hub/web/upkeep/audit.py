"""The audit log: who did what, since when; the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from crm_core.model.auditing import AccessRecord
from crm_core.model.user import Role, User
from crm_core.storage.queries.audit import AuditFilter, list_audit
from crm_core.storage.queries.pages import Page, Reading, Slice
from crm_core.storage.users import list_users
from hub.web.moments import start_of
from hub.web.pages import Answer, Pages, access_here
from hub.web.tongues import NP_, pgettext
from hub.web.words import named_said, role_word

_ROWS = 50

ACTS: Final[Mapping[str, str]] = {
    "login": NP_("audit", "came in"),
    "login.failed": NP_("audit", "wrong password or code"),
    "login.throttled": NP_("audit", "too many attempts"),
    "login.ended": NP_("audit", "logged out everywhere"),
    "login.ended.one": NP_("audit", "ended one session"),
    "password.changed": NP_("audit", "changed the password"),
    "factor.set": NP_("audit", "set a second factor up"),
    "factor.codes": NP_("audit", "made new codes on paper"),
    "factor.taken": NP_("audit", "took a second factor off"),
    "account.linked": NP_("audit", "linked to the office's provider"),
    "token.issued": NP_("audit", "made an API token"),
    "token.revoked": NP_("audit", "revoked an API token"),
    "user.added": NP_("audit", "added a person"),
    "user.changed": NP_("audit", "changed a person"),
    "recording.played": NP_("audit", "heard a recording"),
    "handed_over": NP_("audit", "handed over"),
    "contact.erased": NP_("audit", "erased a client"),
    "contact.given": NP_("audit", "gave out what is known of a client"),
    "configured": NP_("audit", "configured"),
    "export.import": NP_("audit", "took away lines of an import"),
}
_MANY: Final[Mapping[str, str]] = {
    "export": NP_("audit", "took away: {kind}"),
    "deleted": NP_("audit", "deleted: {kind}"),
    "restored": NP_("audit", "brought back: {kind}"),
}
_CHOICES: Final[Mapping[str, str]] = {
    "login": NP_("audit", "Coming in"),
    "recording": NP_("audit", "Recordings"),
    "export": NP_("audit", "Exports"),
    "deleted": NP_("audit", "Deletions"),
    "contact": NP_("audit", "Personal data"),
    "user": NP_("audit", "People"),
    "factor": NP_("audit", "Second factors"),
    "token": NP_("audit", "API tokens"),
    "configured": NP_("audit", "Configuration"),
}


def act_word(what: str) -> str:
    """What somebody did, as people say it."""
    if what in ACTS:
        return pgettext("audit", ACTS[what])
    of, _dot, kind = what.partition(".")
    return pgettext("audit", _MANY[of]).format(kind=kind) if of in _MANY and kind else what


class Audit:
    """The page of the audit log."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """Entries of a person, of an act, from a day to a day."""
        query = {name: request.query.get(name, "")[:100] for name in ("login", "what", "since", "until")}
        wanted = AuditFilter(
            what=query["what"] or None,
            login=query["login"] or None,
            since=start_of(query["since"], self._pages.hub.settings.time_zone),
            until=start_of(query["until"], self._pages.hub.settings.time_zone, days=1),
        )
        where, access = Slice(request.query.get("after"), _ROWS), access_here(request)

        def read(conn: Reading) -> tuple[Page[AccessRecord], tuple[User, ...]]:
            return list_audit(conn, access, wanted, where), list_users(conn, access)

        page, people = await self._pages.hub.store.read(read)
        filled = {name: value for name, value in query.items() if value}
        return self._pages.render(
            request,
            "upkeep/audit.html",
            page=page,
            people=people,
            names={each.login: each.name for each in people},
            query=query,
            filtered=bool(filled),
            choices=[(value, pgettext("audit", word)) for value, word in _CHOICES.items()],
            act_word=act_word,
            detail_said=_detail_said,
            more=urlencode({**filled, "after": page.next}) if page.next else "",
        )


_WAYS: Mapping[str, str] = {
    "password": NP_("way in", "with a password"),
    "oidc": NP_("way in", "by the company's login"),
    "recovery": NP_("way in", "with a spare code"),
}


def _detail_said(what: str, detail: str) -> str:
    """What is noted of an act, in words where it is made of keys: `rule «Call back»`, `password`, `ivan: manager`."""
    if detail in _WAYS:
        return pgettext("way in", _WAYS[detail])
    login, colon, role = detail.partition(": ")
    if what.startswith("user.") and colon and role in list(Role):
        return f"{login}: {role_word(Role(role))}"
    return named_said(detail)
