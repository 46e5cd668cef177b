"""Handing over all that is somebody's, by the stretch until nothing is left; told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from crm_core.model.access import Access, Right
from crm_core.model.auditing import Act
from crm_core.services.acts import handing_over
from crm_core.services.acts.handing_over import HandOver
from crm_core.services.auditing import note
from crm_core.services.desk import Desk
from crm_core.storage.store import Store
from crm_core.storage.users import disable_user


async def hand_over(
    store: Store,
    giver: str,
    *,
    author: str,
    to: Sequence[str] = (),
    group: str | None = None,
    disable: bool = False,
    access: Access | None = None,
    remote: str = "",
) -> HandOver:
    """Give everything of one person to others, and disable them where that is wanted. With `access` it is asked whether
    its person may. Raises InvalidInput, Forbidden.

    Where it was stopped in the middle, the same act again gives what is left.
    """

    def begin(desk: Desk) -> HandOver:
        if access is not None:
            desk.acts_for(access.user, remote)
            if disable:
                desk.demand(Right.KEEP_STAFF)
        begun = handing_over.begin(desk, giver, to, group)
        note(desk, Act.HANDED_OVER, login=author, remote=remote, detail=f"{giver} → {', '.join(begun.takers)}")
        return begun

    act = await store.run(begin)
    if disable:
        # first of all, so that nothing new comes to them meanwhile
        await store.run(lambda desk: disable_user(desk, giver))
    while True:
        given = await store.run(lambda desk: handing_over.stretch(desk, act, author))
        if given is None:
            break
        for login, counts in given.items():
            act.given[login] = act.given.get(login, Counter()) + counts
    if act.given:
        await store.run(lambda desk: handing_over.told(desk, act, f"{desk.now:%Y-%m-%dT%H:%M:%S}"))
    return act
