"""Doing what a form of a page asks for, and going back with a line on how it went."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from aiohttp import web

from crm_core.errors import CoreError, StorageUnavailable
from crm_core.model import written
from crm_core.services.desk import Desk
from hub.web.here import field_of, local_path
from hub.web.pages import Pages


async def done(
    pages: Pages, request: web.Request, service: Callable[[Desk], Any], notice: str, home: str, longest: int = 1000
) -> NoReturn:
    """Run a service as whoever asks, then go to where the form wants (`back`, of so many letters at most), else `home`;
    what the service refuses is said there. Raises HTTPSeeOther, StorageUnavailable."""
    back = local_path(await field_of(request, "back", longest), home)
    try:
        await pages.act(request, service)
    except StorageUnavailable:
        raise
    except CoreError as err:
        raise pages.redirect(request, back, str(err)) from err
    raise pages.redirect(request, back, notice)


def moment_of(given: str, zone: ZoneInfo) -> datetime | None:
    """A moment as a browser's field says it, in the office's zone; None where it is empty. Raises InvalidInput."""
    return written.moment(given, zone) if given else None
