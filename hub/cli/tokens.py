"""`hub token …`: API tokens made, shown and revoked on the machine of the hub."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

import typer

from hub.cli.output import print_json, print_table

tokens = typer.Typer(help="Токены для API.", no_args_is_help=True)

Login = Annotated[str, typer.Option("--login", help="Логин.")]
_LIFE = re.compile(r"([1-9][0-9]{0,4})([hdw])\Z")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@tokens.command("issue")
def issue(
    login: Login,
    name: Annotated[str, typer.Option("--name", help="Для чего он.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="read, write, calls:read…; несколько раз; без него всё, что можно сотруднику."),
    ] = None,
    expires: Annotated[str | None, typer.Option("--expires", help="Срок: 12h, 90d, 52w; без него бессрочно.")] = None,
) -> None:
    """Выдать токен API. Печатается один раз и только он; хаб хранит лишь его отпечаток."""
    from crm_core.model.scopes import Scopes
    from crm_core.services.desk import Desk
    from crm_core.storage.queries.within import connection_of
    from crm_core.storage.store import Store
    from crm_core.storage.tokens import add_token
    from crm_core.storage.users import find_user
    from hub.access.noting import Noted, note
    from hub.access.security import new_token, token_digest
    from hub.cli.working import with_store
    from hub.http.api import OPERATIONS

    life = _life(expires)
    scopes = Scopes.parse(scope or None, {operation.tag for operation in OPERATIONS})
    token = new_token()

    async def act(store: Store) -> None:
        def service(desk: Desk) -> None:
            ends = desk.now + life if life is not None else None
            token_id = add_token(desk, login, token_digest(token), name=name, scopes=scopes, expires_at=ends)
            user = find_user(connection_of(desk), None, login)
            if user is not None:
                opens = " ".join(scopes.plain() or ["everything"])
                note(desk, Noted.TOKEN_ISSUED, user, by="cli", remote="", subject_id=token_id, detail=opens)

        await store.run(service)

    with_store(act)
    typer.echo(token)


@tokens.command("list")
def list_all(
    login: Annotated[str | None, typer.Option("--login", help="Чьи; без него все.")] = None,
    revoked: Annotated[bool, typer.Option("--revoked", help="И отозванные.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False,
) -> None:
    """Показать токены: чьи, что открывают, до какого времени, когда использованы."""
    from crm_core.storage.store import Store
    from crm_core.storage.tokens import Token, list_tokens
    from hub.cli.working import with_store

    async def act(store: Store) -> tuple[Token, ...]:
        return await store.read(lambda conn: list_tokens(conn, None, login, revoked=revoked))

    rows: list[dict[str, Any]] = [
        {
            "id": each.id,
            "login": each.login,
            "name": each.name,
            "scopes": each.scopes.plain() if as_json else " ".join(each.scopes.plain() or ["*"]),
            "created_at": each.created_at,
            "expires_at": each.expires_at,
            "last_used_at": each.last_used_at,
            "revoked_at": each.revoked_at,
        }
        for each in with_store(act)
    ]
    if as_json:
        print_json(rows)
        return
    columns = {
        "id": "№",
        "login": "логин",
        "name": "для чего",
        "scopes": "открывает",
        "expires_at": "до",
        "last_used_at": "использован",
    }
    if revoked:
        columns["revoked_at"] = "отозван"
    print_table(rows, columns, "Токенов нет. Выдаст: hub token issue --login ivan.")


@tokens.command("revoke")
def revoke(token_id: Annotated[int, typer.Argument(metavar="№", help="Номер из hub token list.")]) -> None:
    """Отозвать: токен больше ничего не открывает."""
    from crm_core.services.desk import Desk
    from crm_core.storage.queries.within import connection_of
    from crm_core.storage.store import Store
    from crm_core.storage.tokens import Token, revoke_token
    from crm_core.storage.users import find_user
    from hub.access.noting import Noted, note
    from hub.cli.working import with_store

    async def act(store: Store) -> Token:
        def service(desk: Desk) -> Token:
            token = revoke_token(desk, token_id)
            user = find_user(connection_of(desk), None, token.login)
            if token.revoked_at is None and user is not None:
                note(desk, Noted.TOKEN_REVOKED, user, by="cli", remote="", subject_id=token_id)
            return token

        return await store.run(service)

    typer.echo(f"{token_id} ({with_store(act).login}): отозван")


def _life(written: str | None) -> timedelta | None:
    if written is None:
        return None
    found = _LIFE.match(written.strip())
    if found is None:
        raise typer.BadParameter("--expires: число и единица, например 90d")
    return int(found[1]) * _UNITS[found[2]]
