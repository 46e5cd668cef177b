"""`hub erase contact`: what is known of a person, given to them or erased."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from crm_core.storage.store import Store

erasing = typer.Typer(help="Персональные данные: выдать и стереть.", no_args_is_help=True)
_BY = "cli"


@erasing.callback()
def _group() -> None:
    """Персональные данные: выдать и стереть."""


@erasing.command("contact")
def contact(
    who: Annotated[str, typer.Argument(help="ID клиента или tel:+7…, mailto:…")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Только показать, сколько всего нашлось.")] = False,
    give: Annotated[Path | None, typer.Option("--give", help="Сначала сложить всё о человеке в этот .zip.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Не переспрашивать.")] = False,
    author: Annotated[str, typer.Option("--author", help="Логин того, кто стирает.")] = _BY,
    as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False,
) -> None:
    """Стереть всё о человеке: карточку, переписку, звонки, файлы, сырые данные. Числа в отчётах остаются."""
    from dataclasses import asdict

    from hub.bootstrap import Hub
    from hub.cli.output import Failure, print_json
    from hub.cli.working import with_hub
    from hub.exchange.erasing import Erased, erase
    from hub.exchange.erasing import give as give_all

    if not dry_run and not yes and not typer.confirm(f"Стереть всё о {who}? Вернуть будет нельзя"):
        raise Failure("nothing was erased")

    async def act(hub: Hub) -> Erased:
        contact_id = await _contact(hub.store, who)
        if give is not None:
            await give_all(hub.store, hub.files, hub.recordings, contact_id, give, login=author, remote=_BY)
        return await erase(hub.store, hub.files, hub.recordings, contact_id, login=author, remote=_BY, dry_run=dry_run)

    done = with_hub(act)
    if as_json:
        print_json(asdict(done))
        return
    rows = ", ".join(f"{name} {count}" for name, count in done.rows.items()) or "ничего"
    typer.echo(f"{'Нашлось' if dry_run else 'Стёрто'}: {rows}; файлов {done.files}, записей {done.recordings}")
    if done.left:
        typer.echo(f"Записей, которые сотрёт другой узел: {done.left}", err=True)


async def _contact(store: Store, who: str) -> int:
    from crm_core.errors import NotFound
    from crm_core.model.identity import parse_identity

    if who.isascii() and who.isdigit():
        return int(who)
    key = str(parse_identity(who, store.office.region))
    holders = await store.run(lambda desk: desk.work.contacts_by_identity([key]))
    if key not in holders:
        raise NotFound("nobody holds «{who}»", who=who)
    return holders[key].id
