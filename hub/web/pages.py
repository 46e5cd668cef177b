"""What all pages share: the hub, templates, sessions; and what stands around each page's own work.

A page is a handler wrapped by `Pages.page`: it leads to the first-run page while there is nobody, to the login without
a session, checks forms for their token, and turns errors into pages that a person understands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

from aiohttp import web

from crm_core.errors import Conflict, CoreError, Forbidden, InvalidInput, NotFound, StorageUnavailable
from crm_core.model.access import Access, Right
from crm_core.model.user import PLAIN_TASTES, User
from crm_core.services.desk import Desk
from crm_core.storage.queries.pages import Reading
from crm_core.storage.sessions import Visit, find_visit, keep_seen
from crm_core.storage.users import Credentials, anybody
from hub.access.remote import remote_of
from hub.access.security import Passwords, same_text, token_digest
from hub.access.throttle import Throttle
from hub.bootstrap import Hub
from hub.http.keys import USER
from hub.http.language import answer_in_theirs
from hub.log import correlation_id, get_logger
from hub.web.here import (
    ACCESS,
    SESSION,
    access_here,
    field_of,
    let_go,
    local_path,
    number_in,
    session_of,
    storable,
    storable_form,
    user_here,
)
from hub.web.navigation import section_of
from hub.web.packing import pack, unveiled, veiled
from hub.web.returning import away, login_of, ours, outdated, page_of, scripted
from hub.web.sessions import UNPROVEN, VISIT, Session, Sessions, person_of, place_of
from hub.web.templating import Templates
from hub.web.tongues import _, speak, told
from hub.web.unsent import Unsent, shown_first

__all__ = [
    "PAGES",
    "Answer",
    "Handler",
    "Pages",
    "access_here",
    "field_of",
    "local_path",
    "number_in",
    "session_of",
    "user_here",
    "with_session",
]

log = get_logger(__name__)

Done = TypeVar("Done")
Answer: TypeAlias = web.StreamResponse
Handler: TypeAlias = Callable[[web.Request], Awaitable[Answer]]

_POSITION = web.RequestKey("position", int)
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self';"
    " frame-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_MACHINES = ("/api/", "/in/", "/healthz", "/readyz", "/metrics", "/static/")


@dataclass(slots=True)
class Pages:
    """The shared part. `somebody` is remembered once true: the first-run page never comes back."""

    hub: Hub
    sessions: Sessions
    templates: Templates
    passwords: Passwords
    throttle: Throttle
    unsent: Unsent
    somebody: bool = False

    async def close(self, _app: web.Application) -> None:
        """Let go of what is held outside."""
        await self.throttle.close()

    # ------------------------------------------------------------ around a page

    def page(
        self, handler: Handler, *, right: Right | None = None, public: bool = False, body: int | None = None
    ) -> Handler:
        """A handler with everything around it; whoever has `right` may come in, `public` needs no login, forms with
        files may be up to `body` bytes long."""

        async def guarded(request: web.Request) -> Answer:
            if body is None:
                return await handled(request)
            roomy = request.clone(client_max_size=body)
            try:
                return await handled(roomy)
            finally:
                request.update(roomy)  # the session that is to be sent
                await let_go(roomy)

        async def handled(request: web.Request) -> Answer:
            try:
                answer = await self._admitted(request, handler, right=right, public=public)
            except web.HTTPException as err:
                if err.status < 400:
                    err.headers.update(_HEADERS)
                    raise
                answer = self.trouble(request, err.status, _reason(err.status))
            except CoreError as err:
                answer = self._refused(request, err)
            for name, value in _HEADERS.items():
                answer.headers.setdefault(name, value)  # a mail is shown under a policy of its own
            pack(request, answer)
            return answer

        return guarded

    async def load_session(self, request: web.Request) -> None:
        """Put the session of a request, and its person, where handlers find them, and speak their language."""
        self._speak(request, None)
        session = self.sessions.read(request)
        request[SESSION] = session
        request[_POSITION] = self.hub.live.position  # before anything is read: what changes meanwhile is told again
        if not session.login:
            return
        try:
            visit, access = await self._known(request, session)
        except StorageUnavailable as err:
            log.warning("a session can't be looked up", error=str(err))
            return
        if visit is None or (kept := person_of(session, visit.kept)) is None:
            request[SESSION] = session.ended()
            return
        request[VISIT] = visit
        demanded = self.unproven(kept)
        request[UNPROVEN if demanded else USER] = kept.user
        if not demanded and access is not None:
            request[ACCESS] = access
        self._speak(request, kept.user)
        if visit.due:
            await self._seen(request, visit)

    def _speak(self, request: web.Request, user: User | None) -> None:
        office = self.hub.settings.language
        if request.path.startswith("/api/"):
            answer_in_theirs(request, user, office)
        else:
            speak(((user.tastes.language if user is not None else None) or office).value)

    async def _seen(self, request: web.Request, visit: Visit) -> None:
        """Keep that a session was seen, once an hour. Where that does not work, it is for the next request to do."""
        now, place = self.hub.clock.now(), place_of(request)
        try:
            await self.hub.store.database.write(lambda conn: keep_seen(conn, visit.id, place, now))
        except CoreError as err:
            log.warning("that a session was seen is not kept", error=str(err))

    def unproven(self, kept: Credentials) -> bool:
        """Whether a second factor is demanded of somebody who has none."""
        return kept.user.role in self.hub.settings.access.second_factor and not kept.factor

    async def _admitted(self, request: web.Request, handler: Handler, *, right: Right | None, public: bool) -> Answer:
        storable(request)
        if not await self._anybody():
            if request.path != "/setup":
                raise web.HTTPFound("/setup")
        elif not public:
            user = request.get(USER)
            if user is None:
                await self._too_late(request)
                return away(request)
            if right is not None:
                request[ACCESS].demand(right)
        if request.method == "POST":
            old = await self._check_form(request)
            if old is not None:
                return old
        return await handler(request)

    async def _check_form(self, request: web.Request) -> Answer | None:
        """A form that this hub did not draw for this session changes nothing; the answer where a script sent it, which
        is given the token of the session that its person opened meanwhile, and sends it once more."""
        form = await request.post()
        storable_form(form)
        given = request.headers.get("X-CSRF") or form.get("csrf")
        session, user = session_of(request), request.get(USER)
        if isinstance(given, str) and same_text(unveiled(given), session.csrf):
            return None
        text = _("The page was out of date. Please try again.")
        if user is not None and scripted(request) and ours(request):
            return outdated(text, veiled(session.csrf), user.login)
        await self._too_late(request)
        back = "/login" if user is None else local_path(form.get("back"), page_of(request))
        raise self.redirect(request, back, text)

    async def _too_late(self, request: web.Request) -> None:
        """Keep what somebody sends whose session has ended, and raise a redirect to where they find it again: after
        the login, or at once where they have logged in meanwhile. A page with scripts keeps what is written itself."""
        if request.method != "POST" or scripted(request) or UNPROVEN in request:
            return
        told = await self.unsent.kept(request, session_of(request))
        if told is None or told.before is None:
            return
        user = request.get(USER)
        if user is not None and user.login != told.before.login:
            self.keep(request, told)  # for whoever wrote it, when they are back
            return
        if user is not None:
            raise self.redirect(request, shown_first(told, page_of(request)), session=told)
        text = _("Your session has ended. What you sent is kept: log in again, and you can send it.")
        raise self.redirect(request, login_of(request), text, session=told)

    async def _anybody(self) -> bool:
        if not self.somebody:
            self.somebody = await self.hub.store.read(anybody)
        return self.somebody

    async def _known(self, request: web.Request, session: Session) -> tuple[Visit | None, Access | None]:
        """Whose session it is, if it has not ended, and what they may, in one look; the API asks for the latter
        itself."""
        if self.sessions.over(session):
            return None, None
        machine, now, digest = request.path.startswith(_MACHINES), self.hub.clock.now(), token_digest(session.key)

        def found(conn: Reading) -> tuple[Visit | None, Access | None]:
            visit = find_visit(conn, session.login, digest, now)
            return visit, None if visit is None or machine else self.hub.store.access(conn, visit.kept.user)

        return await self.hub.store.read(found)

    async def act(self, request: web.Request, service: Callable[[Desk], Done]) -> Done:
        """Run a service as whoever asks: they are the author of what changes, and may what they may at that moment."""
        done, _position = await self.act_at(request, service)
        return done

    async def act_at(self, request: web.Request, service: Callable[[Desk], Done]) -> tuple[Done, int | None]:
        """The same, with the feed position of the commit, None where nothing changed."""
        user, remote = user_here(request), remote_of(request)

        def acting(desk: Desk) -> Done:
            desk.acts_for(user, remote)
            return service(desk)

        return await self.hub.store.run_at(acting)

    # ------------------------------------------------------------ answers

    def render(self, request: web.Request, template: str, *, status: int = 200, **context: Any) -> Answer:
        """A page; the session goes along, its notice shown once."""
        session = session_of(request)
        user = request.get(USER)
        shared = {
            "user": user,
            "access": request.get(ACCESS),
            "csrf": veiled(session.csrf),
            "notice": session.notice,
            "path": request.path,
            "position": request[_POSITION],
            "calling": self._calling(request),
            "tastes": user.tastes if user is not None else PLAIN_TASTES,
        }
        response = self._drawn(template, {**shared, **context}, status)
        if session.notice or not session.issued or self.sessions.stale(session):
            self.keep(request, replace(session, notice=""))
        return response

    def fragment(self, request: web.Request, template: str, **context: Any) -> Answer:
        """A part of a page, for what refreshes by itself; the session's notice is left for the page."""
        shared = {
            "user": request.get(USER),
            "access": request.get(ACCESS),
            "csrf": veiled(session_of(request).csrf),
            "calling": self._calling(request),
        }
        return self._drawn(template, {**shared, **context})

    def html(self, template: str, **context: Any) -> str:
        """A part of a page that is the same for everybody, in the language that is spoken."""
        return self.templates.draw(template, context)

    def _drawn(self, template: str, context: dict[str, Any], status: int = 200) -> web.Response:
        return web.Response(text=self.templates.draw(template, context), content_type="text/html", status=status)

    def _calling(self, request: web.Request) -> bool:
        """Whether whoever looks at the page can call clients from it."""
        user = request.get(USER)
        access = request.get(ACCESS)
        able = user is not None and bool(user.extension) and access is not None and access.may(Right.PLACE_CALLS)
        return able and bool(self.hub.store.office.outward)

    def redirect(
        self, request: web.Request, where: str, notice: str = "", session: Session | None = None
    ) -> web.HTTPSeeOther:
        """Go on elsewhere with GET; the notice is shown there."""
        self.keep(request, replace(session or session_of(request), notice=told(notice)))
        return web.HTTPSeeOther(where)

    def keep(self, request: web.Request, session: Session) -> None:
        """Let this be the session from now on; it is sent with whatever the answer is."""
        request[SESSION] = self.sessions.keep(request, session)

    def trouble(self, request: web.Request, status: int, text: str) -> Answer:
        """A page that says what went wrong; the line alone for a script, which says it on the page that stands."""
        if scripted(request):
            return web.Response(status=status, text=text, headers=_HEADERS)
        missing, section = status == 404, section_of(request.path, request.get(ACCESS))
        response = self.render(request, "trouble.html", status=status, text=text, missing=missing, section=section)
        response.headers.update(_HEADERS)
        return response

    def _refused(self, request: web.Request, err: CoreError) -> Answer:
        match err:
            case StorageUnavailable():
                log.warning("a page could not be drawn", path=request.path, error=str(err))
                return self.trouble(request, 503, _("The database does not answer. Try again in a minute."))
            case Forbidden():
                return self.trouble(request, 403, _reason(403))
            case NotFound():
                return self.trouble(request, 404, told(str(err)))
            case Conflict():
                return self.trouble(request, 409, str(err))
            case InvalidInput():
                return self.trouble(request, 400, str(err))
            case _:
                return self.broken(request, err)

    def broken(self, request: web.Request, err: Exception) -> Answer:
        """A page that says where the log tells what broke."""
        log.error("a page failed", path=request.path, exc_info=err)
        said = _("Something broke. The hub's log tells more under {number}.").format(number=correlation_id())
        return self.trouble(request, 500, said)


PAGES = web.AppKey("pages", Pages)


@web.middleware
async def with_session(request: web.Request, handler: Handler) -> Answer:
    """Every request knows its session; what a browser asks for and nobody has is told on a page."""
    pages = request.app[PAGES]
    await pages.load_session(request)
    try:
        return await handler(request)
    except web.HTTPException as err:
        if err.status < 400 or not _by_browser(request):
            raise
        return pages.trouble(request, err.status, _reason(err.status))
    except Exception as err:
        if isinstance(err, ConnectionError) or not _by_browser(request):
            raise
        return pages.broken(request, err)


def _by_browser(request: web.Request) -> bool:
    by_hand = scripted(request) or "text/html" in request.headers.get("Accept", "")
    return by_hand and not request.path.startswith(_MACHINES)


def _reason(status: int) -> str:
    match status:
        case 413:
            return _("What was sent is too large.")
        case 403:
            return _("This needs another role.")
        case 404:
            return _("There is no such page.")
        case 503:
            return _("The database does not answer. Try again in a minute.")
        case _:
            said = _("That did not work")
            return f"{said} ({status})"
