"""Mails of ours in their threads: known, before a server has seen them, by the key that makes their Message-ID."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.messages import ChannelKey, Thread
from crm_core.model.call import Direction
from crm_core.model.conversation import ThreadRecord
from crm_core.model.records import EntryRecord
from crm_core.model.subject import bare_subject
from crm_core.services.desk import Desk
from crm_core.services.letters.threads import join, mail_key, topmost
from crm_core.services.recognising.recognition import Recognition, ref_in

_MOST_REFERENCES = 20
_MOST_LOOKED_AT = 200


def outgoing_key(entry_id: int) -> str:
    """The idempotency key of a message, by which an answer or a bounce names our mail."""
    return f"message:{entry_id}"


def threaded(desk: Desk, entry: EntryRecord, last: EntryRecord | None) -> tuple[EntryRecord, dict[str, Any]]:
    """Our mail in the thread of the one it answers, or in one of its own; and what its headers are made of.

    The entry is not written here. `{reply_to, references, thread}`: ids of mails, the references oldest first.
    """
    key = ChannelKey(entry.channel or "", entry.account or "")
    own, answered = outgoing_key(entry.id), provider_ref(last)
    recognition = Recognition()
    names = [own, *([answered] if answered is not None else [])]
    before = last.thread_id if last is not None else None
    recognition.threads, relatives = desk.work.threads(
        [mail_key(key, each) for each in names], [before] if before is not None else []
    )
    recognition.family = {each.id: None for each in relatives}
    thread = Thread(own, tuple(names[1:]), before, bare_subject(entry.subject))
    found = join(desk, recognition, key, thread, entry.contact_id, entry.occurred_at)
    entry = entry._replace(thread_id=found.thread_id, ref=ref_in(key, entry.conversation or "", own))
    references = _references(desk, recognition, found.thread_id, before, answered)
    return entry, {"reply_to": answered, "references": references, "thread": found.thread_id}


def last_of_thread(desk: Desk, contact_id: int, thread_id: int) -> EntryRecord:
    """The client's newest mail in a thread; raises InvalidInput where there is none."""
    _, relatives = desk.work.threads([], [thread_id])
    known = {each.id for each in relatives}
    if thread_id in known:
        same = _same_topic(desk, known, thread_id)
        for entry in reversed(desk.work.last_of_threads(same, _MOST_LOOKED_AT)):
            if entry.contact_id == contact_id and entry.direction is Direction.IN:
                return entry
    raise InvalidInput("thread_id: the client has written nothing in thread {thread}", thread=thread_id)


def provider_ref(entry: EntryRecord | None) -> str | None:
    """The mail's own id, where it has one that others know."""
    if entry is None or entry.channel != "email":
        return None
    ident = entry.external_id if entry.direction is Direction.OUT else (entry.ref or "").partition("::")[2]
    return ident if ident and ident.startswith("<") else None


def _references(
    desk: Desk, recognition: Recognition, thread_id: int, before: int | None, answered: str | None
) -> list[str]:
    """The mails before it, oldest first, the answered one last."""
    same = _same_topic(desk, recognition.family, thread_id)
    entries = desk.work.last_of_threads({*same, *([before] if before is not None else [])}, _MOST_REFERENCES)
    known = dict.fromkeys(ref for each in entries if (ref := provider_ref(each)) is not None and ref != answered)
    return [*known, *([answered] if answered is not None else [])][-_MOST_REFERENCES:]


def _same_topic(desk: Desk, family: Collection[int], thread_id: int) -> set[int]:
    """The threads of a family that are one with this one."""
    top = topmost(desk, thread_id).id
    stored = (each for each in family if desk.work.peek(ThreadRecord, each) is not None)
    return {each for each in stored if topmost(desk, each).id == top}
