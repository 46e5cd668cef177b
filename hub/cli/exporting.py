"""`hub export`: what an office takes along, as CSV or XLSX; every export is noted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_BY = "cli"


def export(
    kind: Annotated[
        str,
        typer.Argument(
            help="contacts, companies, leads, deals, tasks, products, sales, ключ своего типа записей;"
            " audience: SHA-256 телефонов и почты для рекламных систем."
        ),
    ],
    to: Annotated[Path, typer.Option("--to", help="Файл .csv или .xlsx.")],
    wanted: Annotated[str | None, typer.Option("--filter", help="Фильтр, JSON: как в API.")] = None,
    author: Annotated[str | None, typer.Option("--author", help="Логин того, кто выгружает.")] = None,
) -> None:
    """Выгрузить записи в таблицу. Кто, что и сколько выгрузил, остаётся в журнале доступа."""
    from crm_core.storage.staff import load_staff
    from crm_core.storage.store import Store
    from hub.cli.output import Failure
    from hub.cli.working import with_store
    from hub.clock import SystemClock
    from hub.exchange import exporting

    form = exporting.form_of(to)
    chosen = exporting.wanted_of(wanted)

    async def act(store: Store) -> exporting.Export:
        if author is not None and (await store.read(load_staff)).get(author) is None:
            raise Failure(f"there is no user «{author}»: hub user list shows them")
        table = await exporting.export(store, SystemClock(), kind, chosen, login=author or _BY, remote=_BY, form=form)
        await exporting.write(table, to)
        return table

    done = with_store(act)
    typer.echo(f"{to}: {done.count}", err=True)
