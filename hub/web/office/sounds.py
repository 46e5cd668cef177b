"""The office's own sounds on a page: uploaded to the PBXs whose folder the hub can write to, heard, taken away."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final
from urllib.parse import unquote

from aiohttp import web

from crm_core.errors import InvalidInput, NotFound
from crm_core.model.rights import Right
from hub.log import get_logger
from hub.settings.model import PbxSettings
from hub.telephony import sounds
from hub.telephony.sounds import MAX_SOUND, Sound
from hub.web.pages import Answer, Pages, access_here, field_of
from hub.web.routes import Route, does, shows
from hub.web.tongues import _

log = get_logger(__name__)

_HOME: Final = "/office/sounds"
_REST_OF_FORM: Final = 64 * 1024
_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Shelf:
    """A PBX with its sounds; None where the hub does not know the folder that they lie in."""

    pbx: str
    sounds: tuple[Sound, ...] | None


class Sounds:
    """The page of the sounds."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def routes(self) -> tuple[Route, ...]:
        """Its routes."""
        one = rf"{_HOME}/{{pbx:[^/]{{1,100}}}}"
        name = r"{name:[a-z0-9_-]{1,64}}"
        return (
            shows(_HOME, self.show, Right.KEEP_SOUNDS),
            does(one, self.upload, Right.KEEP_SOUNDS, body=MAX_SOUND + _REST_OF_FORM),
            shows(f"{one}/{name}", self.hear, Right.KEEP_SOUNDS),
            does(f"{one}/{name}/remove", self.remove, Right.KEEP_SOUNDS),
        )

    async def show(self, request: web.Request) -> Answer:
        """All PBXs, those of hub.toml and those connected on the page of channels, with their sounds."""
        return await self._drawn(request)

    async def upload(self, request: web.Request) -> Answer:
        """Check a sound and put it where Asterisk plays it from."""
        pbx = self._pbx(request)
        folder = _folder(pbx)
        typed = (await field_of(request, "name", _LONGEST_NAME)).strip()
        try:
            name, content = await _given(request, typed)
            stored = await asyncio.to_thread(sounds.put, access_here(request), folder, name, content)
        except InvalidInput as err:
            return await self._drawn(request, pbx.name, typed, str(err), 400)
        except OSError as err:
            log.warning("a sound can't be written", folder=str(folder), error=str(err))
            said = _("The sound can't be written to {folder}: {why}. Let the hub write there.")
            told = said.format(folder=folder, why=err.strerror or err)
            return await self._drawn(request, pbx.name, typed, told, 507)
        said = _("The sound is there: lines and robots call it «{name}».")
        raise self.pages.redirect(request, _HOME, said.format(name=stored.name))

    async def hear(self, request: web.Request) -> Answer:
        """A sound itself."""
        path = _folder(self._pbx(request)) / f"{request.match_info['name']}.wav"
        if not await asyncio.to_thread(path.is_file):
            raise NotFound("there is no such sound")
        return web.FileResponse(path, headers={"Content-Type": "audio/wav"})

    async def remove(self, request: web.Request) -> Answer:
        """Take a sound away; whoever was faster is no trouble."""
        folder, name = _folder(self._pbx(request)), request.match_info["name"]
        try:
            await asyncio.to_thread(sounds.remove, access_here(request), folder, name)
        except NotFound:
            raise self.pages.redirect(request, _HOME, _("The sound was gone already.")) from None
        raise self.pages.redirect(request, _HOME, _("The sound is taken away."))

    def _pbx(self, request: web.Request) -> PbxSettings:
        name = request.match_info["pbx"]
        found = next((each for each in self.pages.hub.configured.settings.pbx if each.name == name), None)
        if found is None:
            raise NotFound("there is no PBX «{name}»", name=name)
        return found

    async def _drawn(
        self, request: web.Request, at: str = "", typed: str = "", problem: str = "", status: int = 200
    ) -> Answer:
        shelves: list[Shelf] = []
        for pbx in self.pages.hub.configured.settings.pbx:
            found = await asyncio.to_thread(sounds.listed, pbx.sounds) if pbx.sounds is not None else None
            shelves.append(Shelf(pbx.name, found))
        return self.pages.render(
            request,
            "office/sounds.html",
            status=status,
            shelves=shelves,
            at=at,
            typed=typed,
            problem=problem,
            largest=MAX_SOUND,
        )


async def _given(request: web.Request, typed: str) -> tuple[str, bytes]:
    """The name of a sound, that of its file where none was typed, and its content. Raises InvalidInput."""
    given = (await request.post()).get("file")
    if not isinstance(given, web.FileField) or not given.filename:
        raise InvalidInput(_("Choose a file: WAV, one channel, 16 bits, 8 or 16 kHz."))
    name = typed or PurePath(unquote(given.filename, errors="replace")).stem.lower()
    sounds.demand_name(name)
    content = await asyncio.to_thread(given.file.read, MAX_SOUND + 1)
    if len(content) > MAX_SOUND:
        raise InvalidInput(_("The file is larger than {size} MB.").format(size=MAX_SOUND // 1024 // 1024))
    return name, content


def _folder(pbx: PbxSettings) -> Path:
    if pbx.sounds is None:
        raise NotFound("the sounds of «{name}» can't be reached", name=pbx.name)
    return pbx.sounds
