"""By what ids other programs know records: said by whoever brings a record, looked up by whoever asks for one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crm_core.errors import Duplicate, InvalidInput
from crm_core.model.exchange import ExternalRefRecord
from crm_core.services.desk import Desk

_LONGEST = 200
_LONGEST_SYSTEM = 50


def key_of(kind: str, system: str, external_id: str) -> str:
    """The key of an id in another program; raises InvalidInput where it can't be one."""
    system, external_id = system.strip(), external_id.strip()
    if not system or len(system) > _LONGEST_SYSTEM or ":" in system or "\x00" in system:
        raise InvalidInput(
            "external: the name of a program has 1 to {most} characters and no «:»", most=_LONGEST_SYSTEM
        )
    if not external_id or len(external_id) > _LONGEST or "\x00" in external_id:
        raise InvalidInput("external: an id of «{system}» has 1 to {most} characters", system=system, most=_LONGEST)
    return f"{kind}:{system}:{external_id}"


def key_or_empty(kind: str, system: str, external_id: str) -> str:
    """The key of an id, empty where it can't be one: then it stands for nothing."""
    try:
        return key_of(kind, system, external_id)
    except InvalidInput:
        return ""


def parse(kind: str, text: str) -> str:
    """The key of an id written `system:id`; raises InvalidInput."""
    system, colon, external_id = text.partition(":")
    if not colon:
        raise InvalidInput("external: write it as «system:id», e.g. «1c:000123»")
    return key_of(kind, system, external_id)


def keep(desk: Desk, kind: str, subject_id: int, given: Mapping[str, str | None]) -> None:
    """Say by what ids programs know a record, one id a program; None forgets it.

    Raises Duplicate where another record has such an id, InvalidInput where it can't be one.
    """
    if not given:
        return
    keys = {key_of(kind, system, value): system for system, value in given.items() if value is not None}
    for system in given:
        key_of(kind, system, "-")
    known = {each.key for each in desk.work.external_ids_of(kind, [subject_id]).get(subject_id, ())}
    for key, found in desk.work.external_refs(keys).items():
        if found.subject_id != subject_id:
            raise Duplicate(
                "external: «{key}» is {kind} {found} already",
                key=key.partition(":")[2],
                kind=kind,
                found=found.subject_id,
            )
    for key in known - set(keys):
        if key.split(":", 2)[1] in given:
            desk.work.remove(ExternalRefRecord, key)
    for key in keys:
        if key not in known:
            desk.work.put(ExternalRefRecord(key, kind, subject_id, desk.now))


def found(desk: Desk, keys: Iterable[str]) -> dict[str, int]:
    """The records that these keys stand for, by key; one question for all."""
    return {key: each.subject_id for key, each in desk.work.external_refs(keys).items()}


def shown(refs: Iterable[ExternalRefRecord]) -> dict[str, str]:
    """Ids by program, as they are given out."""
    parts = (each.key.split(":", 2) for each in refs)
    return {system: external_id for _, system, external_id in sorted(parts)}
