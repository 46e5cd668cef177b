"""What is known of one person: given to them whole, or taken out of the record, the journal, the files, the recordings.

The record goes in one transaction; then what only names them in passing, by the stretch; then files that nothing
refers to any more. Where it is stopped in between, the same act again finds what is left by the log's own entry.
"""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import orjson

from crm_core.errors import CoreError, NotFound
from crm_core.model.access import Access
from crm_core.model.recording import RecordingState
from crm_core.model.records import RecordingRecord
from crm_core.services.desk import Desk
from crm_core.storage import persons
from crm_core.storage.queries import personal
from crm_core.storage.queries.personal import Person
from crm_core.storage.store import Store
from hub.files import DiskFiles
from hub.log import get_logger
from hub.recordings.bucket import Bucket
from hub.recordings.files import inside, remove

log = get_logger(__name__)

Result = TypeVar("Result")


class Recordings(Protocol):
    """Where recordings lie; see `hub.workers.recordings.RecordingKeeper`."""

    bucket: Bucket | None

    def folder(self, pbx: str) -> Path | None:
        """The folder of a PBX."""


@dataclass(slots=True)
class Erased:
    """How much of a person there was (or is): rows by table, files, recordings; `left` are recordings out of reach of
    this node, deleted by the node that has them."""

    contact_id: int
    dry_run: bool
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    recordings: int = 0
    left: int = 0


async def erase(
    store: Store,
    files: DiskFiles,
    recordings: Recordings,
    contact_id: int,
    *,
    login: str,
    remote: str,
    dry_run: bool = False,
    access: Access | None = None,
) -> Erased:
    """Take everything of a person out; with `dry_run` only count it. With `access` it is asked whether its person may.
    Raises NotFound, Forbidden."""
    done = Erased(contact_id, dry_run)
    if dry_run:
        known = await store.look(_by(access, remote, partial(persons.count, contact_id=contact_id)))
        done.rows, done.files, done.recordings = known.rows, len(known.files), len(known.recordings)
        return done
    act = partial(persons.take_out, contact_id=contact_id, login=login, remote=remote)
    taken = await store.run(_by(access, remote, act))
    done.rows = taken.rows
    await _sweep_journal(store, taken.person, done)
    for sha256 in sorted(taken.files):
        if not await store.read(partial(personal.files_in_use, hashes=[sha256])):
            done.files += await files.remove(sha256)
    for row in taken.recordings:
        await _drop_recording(store, recordings, row, done)
    log.info("a person was erased", contact=contact_id, files=done.files, recordings=done.recordings, left=done.left)
    return done


def _by(access: Access | None, remote: str, service: Callable[[Desk], Result]) -> Callable[[Desk], Result]:
    """A service as whoever has this access; as the hub itself without one."""

    def acting(desk: Desk) -> Result:
        if access is not None:
            desk.acts_for(access.user, remote)
        return service(desk)

    return acting


async def _sweep_journal(store: Store, person: Person, done: Erased) -> None:
    """Raw facts in which a number or an address stands although they are on nobody's timeline."""
    above: int | None = 0
    while above is not None:
        above, number = await store.database.write(partial(personal.sweep_journal, of=person, above=above))
        if number:
            done.rows["journal"] = done.rows.get("journal", 0) + number


async def _drop_recording(store: Store, recordings: Recordings, row: RecordingRecord, done: Erased) -> None:
    """Delete a recording's file where it is within reach; else the node that has it deletes it, as if it were too
    old."""
    gone = False
    try:
        folder = recordings.folder(row.pbx)
        path = await asyncio.to_thread(inside, folder, row.name)
        if path is not None and folder is not None:
            await asyncio.to_thread(remove, folder, row.name)
            gone = row.place is None
        if row.place is not None and recordings.bucket is not None:
            await recordings.bucket.delete(row.place)
            gone = True
    except (CoreError, OSError) as err:
        log.warning("a recording can't be deleted yet", call=row.call_id, error=str(err))
    await store.database.write(lambda conn: personal.recording_gone(conn, row.call_id, store.clock.now(), gone=gone))
    if gone:
        done.recordings += 1
    elif row.state in {RecordingState.STORED, RecordingState.REMOTE, RecordingState.EXPECTED}:
        done.left += 1


# ------------------------------------------------------------ everything of one person


async def give(
    store: Store,
    files: DiskFiles,
    recordings: Recordings,
    contact_id: int,
    path: Path,
    *,
    login: str,
    remote: str,
    access: Access | None = None,
) -> None:
    """Write everything of a person into a zip: a JSON file a table, raw facts as they came, files, recordings.

    Who took it is noted first. Raises NotFound, and Forbidden where there is an `access` that does not allow it.
    """
    act = partial(persons.give, contact_id=contact_id, login=login, remote=remote)
    person = await store.run(_by(access, remote, act))
    tables = await store.read(lambda conn: list(personal.everything(conn, person)))
    sounds = await store.read(lambda conn: personal.recordings_of(conn, person))
    places = [(row, recordings.folder(row.pbx)) for row in sounds]
    await asyncio.to_thread(_write_zip, path, tables, files, places)


def _write_zip(
    path: Path,
    tables: list[tuple[str, list[dict[str, Any]]]],
    files: DiskFiles,
    sounds: list[tuple[RecordingRecord, Path | None]],
) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables:
            if name == "journal":
                for row in rows:
                    archive.writestr(f"journal/{row['id']}{_ending(str(row['raw_type']))}", bytes(row["raw"]))
            plain = [{key: value for key, value in row.items() if not isinstance(value, bytes)} for row in rows]
            archive.writestr(f"{name}.json", orjson.dumps(plain, default=str, option=orjson.OPT_INDENT_2))
            for row in rows if name in {"attachment", "document"} else ():
                _add_file(archive, files, row)
        for recording, folder in sounds:
            found = inside(folder, recording.name)
            if found is not None:
                archive.write(found, f"recordings/{recording.call_id}{found.suffix}")


def _add_file(archive: zipfile.ZipFile, files: DiskFiles, row: Mapping[str, Any]) -> None:
    if not row["sha256"]:
        return
    try:
        path = files.path(str(row["sha256"]))
    except NotFound:
        return  # a row whose file was erased before
    if path.is_file():
        name = "".join(char if char.isalnum() or char in " ._-" else "_" for char in str(row["name"]))[:100]
        archive.write(path, f"files/{row['id']}-{name or 'file'}")


def _ending(media: str) -> str:
    return {"application/json": ".json", "message/rfc822": ".eml"}.get(media.partition(";")[0], ".bin")
