"""Threads of mail: which mails answer each other, and under which subject.

A mail joins by the ids it refers to, else by the token of our reply address, never by its subject. Under another
subject it begins a thread of its own beside the ones it grew out of. Mails come in any order: whatever refers to each
other is one family, and a family has one thread a subject. A thread under a parent of the same subject was begun twice,
before it was known that both are one: the topmost of them stands for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_core.messages import ChannelKey, InboundEvent, Thread
from crm_core.model.conversation import ThreadRecord, ThreadRefRecord
from crm_core.model.subject import bare_subject, topic_of
from crm_core.services.desk import Desk
from crm_core.services.recognising.recognition import Recognition

MOST_ANSWERS = 50


@dataclass(frozen=True, slots=True)
class Joined:
    """The thread that a mail is of; `host_id` is the client whose thread it continues, None where it begins one."""

    thread_id: int
    host_id: int | None


def mail_key(key: ChannelKey, ref: str) -> str:
    """How a mail of an account is named in threads."""
    return f"{key}:{ref}"


def names_of(thread: Thread) -> tuple[str, ...]:
    """The mails that a mail names: itself, and those before it, the nearest first."""
    return tuple(dict.fromkeys(each for each in (thread.own, *thread.answers[:MOST_ANSWERS]) if each))


def joined(
    desk: Desk, recognition: Recognition, event: InboundEvent, thread: Thread, contact_id: int, *, known: bool = True
) -> Joined:
    """Put a mail into its thread; `known` says that its sender is who they say, so that the thread may be theirs."""
    return join(desk, recognition, event.key, thread, contact_id, event.occurred_at if known else None)


def join(
    desk: Desk,
    recognition: Recognition,
    key: ChannelKey,
    thread: Thread,
    contact_id: int,
    at: datetime | None,
) -> Joined:
    """The same of any mail. `at` is when it was written, None where it can't be what the thread began with."""
    family = recognition.family
    keys = [mail_key(key, each) for each in names_of(thread)]
    found = [recognition.threads[each] for each in keys if each in recognition.threads]
    if not found and thread.token is not None and _is_of(desk, thread.token, key):
        found = [thread.token]
    if not found:
        topic = _begin(desk, recognition, key, contact_id, bare_subject(thread.subject), at)
    else:
        root = _united(desk, family, [_root(desk, each) for each in found])
        topic = _topic(desk, family, root, found[0], thread.subject) or _begin(
            desk, recognition, key, contact_id, bare_subject(thread.subject), at, parent_id=found[0]
        )
        if at is not None and at < topic.created_at:
            topic = topic._replace(contact_id=contact_id, created_at=at)
            desk.work.put(topic)
    for each in keys:
        if each not in recognition.threads:
            recognition.threads[each] = topic.id
            desk.work.put(ThreadRefRecord(each, topic.id))
    host = desk.work.peek(ThreadRecord, found[0]) if found else None
    return Joined(topic.id, host.contact_id if host is not None else None)


def topmost(desk: Desk, thread_id: int) -> ThreadRecord:
    """The thread that stands for this one: itself, or the first of those begun twice."""
    thread = _thread(desk, thread_id)
    while thread.parent_id is not None:
        parent = _thread(desk, thread.parent_id)
        if topic_of(parent.subject) != topic_of(thread.subject):
            break
        thread = parent
    return thread


def _thread(desk: Desk, thread_id: int) -> ThreadRecord:
    """A thread, asked for only where it was not read ahead."""
    return desk.work.peek(ThreadRecord, thread_id) or desk.work.get(ThreadRecord, thread_id)


def _begin(
    desk: Desk,
    recognition: Recognition,
    key: ChannelKey,
    contact_id: int,
    subject: str,
    at: datetime | None,
    *,
    parent_id: int | None = None,
) -> ThreadRecord:
    thread = ThreadRecord(desk.work.next_id(), key.channel, key.account, contact_id, subject, at or desk.now, parent_id)
    desk.work.put(thread)
    recognition.family[thread.id] = None
    return thread


def _is_of(desk: Desk, thread_id: int, key: ChannelKey) -> bool:
    found = desk.work.peek(ThreadRecord, thread_id)
    return found is not None and (found.channel, found.account) == (key.channel, key.account)


def _root(desk: Desk, thread_id: int) -> int:
    """What the thread grew out of in the end."""
    thread = desk.work.peek(ThreadRecord, thread_id)
    while thread is not None and thread.parent_id is not None:
        thread_id = thread.parent_id
        thread = desk.work.peek(ThreadRecord, thread_id)
    return thread_id


def _united(desk: Desk, family: dict[int, None], roots: Sequence[int]) -> int:
    """One family out of several that a mail shows to be one; threads of one subject become one too."""
    first, *others = sorted(set(roots))
    for other in others:
        mine = {topic_of(each.subject): each.id for each in reversed(_members(desk, family, first))}
        theirs = _members(desk, family, other)
        for thread in theirs:
            twin = mine.get(topic_of(thread.subject))
            if twin is not None:
                # Nothing of the first family stands under the other one: this can't make a circle.
                desk.work.put(thread._replace(parent_id=twin))
        root = _thread(desk, other)
        if root.parent_id is None:
            desk.work.put(root._replace(parent_id=first))
    return first


def _members(desk: Desk, family: dict[int, None], root: int) -> list[ThreadRecord]:
    """The threads of a family, the oldest first."""
    found = (desk.work.peek(ThreadRecord, each) for each in sorted(family))
    return [each for each in found if each is not None and _root(desk, each.id) == root]


def _topic(desk: Desk, family: dict[int, None], root: int, nearest: int, subject: str) -> ThreadRecord | None:
    """The family's thread of this subject; of a mail without one, the thread that it answers."""
    wanted = topic_of(subject)
    if not wanted:
        return topmost(desk, nearest)
    members = _members(desk, family, root)
    same = next((each for each in members if topic_of(each.subject) == wanted), None)
    if same is not None:
        return topmost(desk, same.id)
    nameless = next((each for each in members if not each.subject), None)
    if nameless is None:
        return None
    named = nameless._replace(subject=bare_subject(subject))
    desk.work.put(named)
    return named
