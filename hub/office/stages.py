"""Taking a stage out of use with the cards on it: first nobody enters it any more, then its cards go by hundreds."""

from __future__ import annotations

from crm_core.model.user import User
from crm_core.services.acts import pipeline_keeping as services
from crm_core.services.desk import Desk
from crm_core.storage.queries import deals as queries
from crm_core.storage.queries.within import connection_of
from crm_core.storage.store import Store


async def remove_stage(
    store: Store, pipeline_id: int, stage_id: int, move_to: int | None, user: User, remote: str = ""
) -> int:
    """In transactions of their own; how many cards moved to stage `move_to`. Where that is cut short, the same again
    goes on with it. Raises NotFound, InvalidInput, Forbidden, Conflict that says how many cards stand there."""

    def closed(desk: Desk) -> None:
        desk.acts_for(user, remote)
        services.own_stage(desk, pipeline_id, stage_id)
        desk.work.close_stage(stage_id)
        standing = queries.standing_on(connection_of(desk), desk.access, stage_id)
        services.close_stage(desk, pipeline_id, stage_id, move_to, standing)

    def some_moved(desk: Desk) -> int | None:
        desk.work.author = user.login
        return services.empty_stage(desk, stage_id, move_to) if move_to is not None else None

    await store.run(closed)
    moved = 0
    while (count := await store.run(some_moved)) is not None:
        moved += count
    return moved
