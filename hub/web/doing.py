"""Doing what a form of a page asks for: going back with a line on how it went, or saying above it what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from aiohttp import web

from crm_core.errors import CoreError, Forbidden, InvalidInput, NotFound, Outdated, StorageUnavailable
from crm_core.services.desk import Desk
from hub.log import get_logger
from hub.web.here import field_of, local_path
from hub.web.pages import Answer, Pages
from hub.web.tongues import _

_PASSED = (StorageUnavailable, Forbidden, NotFound)
"""What neither another value in a form nor another page mends."""

log = get_logger(__name__)

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a form is not done, to be said above what was typed; `outdated`: somebody else was faster."""

    text: str
    status: int
    outdated: bool = False


async def settled(pages: Pages, request: web.Request, service: Callable[[Desk], Done]) -> Done:
    """Run a service as whoever asks, and wait until calls are decided by it. Raises what the service raises."""
    found, position = await pages.act_at(request, service)
    if position is not None and not await pages.hub.directory.caught_up(position):
        log.warning("calls are not yet decided by what was done", path=request.path)
    return found


async def tried(act: Awaitable[Done]) -> Done | Refused:
    """What comes of a form, or why nothing did. Raises StorageUnavailable, Forbidden, NotFound."""
    try:
        return await act
    except _PASSED:
        raise
    except Outdated:
        said = _("Somebody has changed it meanwhile: below is what you typed. Saving again replaces what stands now.")
        return Refused(said, 409, outdated=True)
    except CoreError as err:
        return Refused(str(err), 400 if isinstance(err, InvalidInput) else 409)


@contextmanager
def going_back(
    pages: Pages, request: web.Request, where: str, passed: tuple[type[CoreError], ...] = _PASSED
) -> Iterator[None]:
    """What is refused within is said on the page that is gone to, but for what is `passed`. Raises HTTPSeeOther."""
    try:
        yield
    except passed:
        raise
    except CoreError as err:
        raise pages.redirect(request, where, str(err)) from err


async def done(
    pages: Pages, request: web.Request, service: Callable[[Desk], Any], notice: str, home: str, longest: int = 1000
) -> NoReturn:
    """Run a service as whoever asks, then go to where the form wants (`back`, of so many letters at most), else `home`;
    what the service refuses is said there. Raises HTTPSeeOther, StorageUnavailable."""
    back = local_path(await field_of(request, "back", longest), home)
    with going_back(pages, request, back, (StorageUnavailable,)):
        await pages.act(request, service)
    raise pages.redirect(request, back, notice)


def part(answer: Answer, status: int | None = None, **headers: str) -> Answer:
    """What a script puts in place whatever its status: a part of a page, a form with what is wrong with it."""
    if status is not None:
        answer.set_status(status)
    answer.headers["X-Part"] = "1"
    for name, value in headers.items():
        answer.headers[name.replace("_", "-")] = value
    return answer
