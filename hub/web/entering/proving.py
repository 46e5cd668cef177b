"""Using a code of somebody's second factor, of the telephone or on paper, and doing in the same transaction what it
was given for."""

from __future__ import annotations

from collections.abc import Callable

from crm_core.errors import NotFound
from crm_core.services.desk import Desk
from crm_core.storage.entering import factor_of, use_code, use_step
from hub.access.second_factor import SecondFactors
from hub.web.pages import Pages


async def proved(
    pages: Pages, factors: SecondFactors, login: str, code: str, then: Callable[[Desk, bool], None]
) -> int | None:
    """How many codes on paper are left after one was used, -1 where it was one of the telephone, None for a code that
    opens nothing. `then` is told whether the code was on paper. Raises NotFound where there is no second factor."""
    store = pages.hub.store
    factor = await store.read(lambda conn: factor_of(conn, None, login))
    if factor is None:
        raise NotFound("user «{login}» has no second factor", login=login)
    secret = factors.open(login, factor.sealed)
    step = factors.step(secret, code) if secret is not None else None
    digest = factors.digest(login, code)

    def service(desk: Desk) -> int | None:
        if step is not None and use_step(desk, login, step):
            then(desk, False)
            return -1
        if step is None and use_code(desk, login, digest):
            then(desk, True)
            return factor.codes - 1
        return None

    return await store.run(service)
