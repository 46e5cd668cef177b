"""`hub import`: what an office brings along."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.importing_tables import add_commands

if TYPE_CHECKING:
    from crm_core.storage.store import Store
    from hub.exchange.special_lists import Imported

importing = typer.Typer(help="Загрузить данные из файлов.", no_args_is_help=True)
add_commands(importing)

_BAD_SHOWN = 50
_NOBODY = "import"


@importing.callback()
def _group() -> None:
    """Загрузить данные из файлов."""


@importing.command("list")
def list_(
    name: Annotated[str, typer.Argument(help="Имя особого списка из [[list]].")],
    file: Annotated[Path, typer.Argument(help="CSV: номер и причина; «-» читает стандартный ввод.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Только показать, что было бы.")] = False,
    author: Annotated[str | None, typer.Option("--author", help="Логин того, кто вносит номера.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Причина для строк, где её нет.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False,
) -> None:
    """Внести номера из файла в особый список. Повторная загрузка ничего не меняет."""
    from crm_core.storage.staff import load_staff
    from hub.cli import FAILED
    from hub.cli.output import Failure, print_json
    from hub.cli.working import with_store
    from hub.exchange.special_lists import import_list

    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    why = reason or (f"импорт {file.name}" if str(file) != "-" else "импорт")

    async def act(store: Store) -> Imported:
        if author is not None and (await store.read(load_staff)).get(author) is None:
            raise Failure(f"there is no user «{author}»: hub user list shows them")
        return await import_list(store, name, content, author or _NOBODY, reason=why, dry_run=dry_run)

    done = with_store(act)
    if as_json:
        print_json(_row(done, name, dry_run=dry_run))
    else:
        _tell(done, name, dry_run=dry_run)
    if done.file.bad:
        raise typer.Exit(FAILED)


def _row(done: Imported, name: str, *, dry_run: bool) -> dict[str, object]:
    written = done.written
    return {
        "list": name,
        "dry_run": dry_run,
        "added": written.added,
        "moved": written.moved,
        "changed": written.changed,
        "same": written.same,
        "repeated": done.file.repeated,
        "bad": [{"line": each.line, "text": each.text, "problem": each.problem} for each in done.file.bad],
    }


def _tell(done: Imported, name: str, *, dry_run: bool) -> None:
    from hub.cli.output import printable

    written, bad = done.written, done.file.bad
    head = f"Список «{name}», проба, ничего не записано" if dry_run else f"Список «{name}»"
    typer.echo(
        f"{head}: новых {written.added}, из других списков {written.moved}, с новой причиной {written.changed},"
        f" без изменений {written.same}, повторов в файле {done.file.repeated}, пропущено строк {len(bad)}"
    )
    for each in bad[:_BAD_SHOWN]:
        typer.echo(printable(f"  строка {each.line}: {each.text} — {each.problem}"), err=True)
    if len(bad) > _BAD_SHOWN:
        typer.echo(f"  … и ещё {len(bad) - _BAD_SHOWN}; все: --json", err=True)
