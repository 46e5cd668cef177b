"""`hub preset`: whole offices by configuration: shown, applied with a look first, given out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from crm_core.services.configuration import Configuration, Difference
    from crm_core.services.desk import Desk
    from crm_core.storage.store import Store

presets = typer.Typer(help="Готовые настройки целых компаний.", no_args_is_help=True)

_LOGIN = "preset"
_VERBS = {"add": "добавить", "change": "изменить", "return": "вернуть"}
_LONGEST = 70


@presets.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False) -> None:
    """Какие готовые настройки есть."""
    from crm_core import presets as bundled
    from hub.cli.output import print_json, print_table
    from hub.office.presets import parsed

    rows = []
    for name in bundled.names():
        found = parsed(bundled.text(name), name)
        rows.append({"name": name, "title": found.title, "pipelines": len(found.pipelines)})
    if as_json:
        print_json(rows)
    else:
        columns = {"name": "Имя", "title": "Что это", "pipelines": "Воронок"}
        print_table(rows, columns, "Готовых настроек нет.")


@presets.command()
def show(name: Annotated[str, typer.Argument(help="Имя готовой настройки.")]) -> None:
    """Показать готовую настройку целиком: её можно сохранить в файл, поправить и применить."""
    typer.echo(_text(name), nl=False)


@presets.command()
def apply(
    name: Annotated[str, typer.Argument(help="Имя готовой настройки или файл .toml.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Только показать отличия.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Применить, даже если сломает настроенное.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False,
) -> None:
    """Привести настройку к готовой. Чего в ней нет, остаётся; повторно ничего не меняет.

    Что не сработает, сказано до записи; если сломалось бы уже настроенное, без --force ничего не пишется.
    """
    from crm_core.services.configuration import applied, clashes, problems
    from hub.cli.output import Failure, print_json
    from hub.cli.working import with_store

    wanted = _wanted(name)

    def act(desk: Desk) -> list[Difference]:
        desk.work.author = _LOGIN
        return applied(desk, wanted, _LOGIN)

    async def acting(store: Store) -> tuple[list[Difference], tuple[str, ...], tuple[str, ...]]:
        before = await store.look(problems)
        differences, after = await store.rehearse(act, problems)
        broken = clashes(wanted, before, after)
        if not dry_run and (force or not broken):
            await store.run(act)
        return differences, after, broken

    found, wrong, broken = with_store(acting)
    for told in wrong:
        words = "Перестанет работать то, что уже настроено" if told in broken else "Не сработает, поправьте"
        typer.echo(f"{words}: {told}", err=True)
    if broken and not (dry_run or force):
        raise Failure(
            f"«{name}» не сочетается с тем, что уже настроено (выше). Ничего не записано. Поправьте настройку, "
            "сохранив её в файл (hub preset show), или примените с --force."
        )
    if as_json:
        print_json([_row(each) for each in found])
        return
    for each in found:
        typer.echo(f"{_VERBS[each.verb.value]} {each.section} «{each.name}»")
        for key, old, new in each.changes:
            typer.echo(f"    {key}: {_brief(old)} → {_brief(new)}")
    if not found:
        typer.echo("Всё уже так: менять нечего.")
    elif dry_run:
        typer.echo(f"Отличий: {len(found)}. Ничего не записано (--dry-run).")
    else:
        typer.echo(f"Сделано: {len(found)}.")


@presets.command()
def export(
    to: Annotated[Path | None, typer.Option("--to", help="Файл; без него печатается.")] = None,
    title: Annotated[str, typer.Option("--title", help="Заголовок.")] = "",
) -> None:
    """Выгрузить настройку этого офиса в том же виде: её можно применить в другом."""
    from crm_core.services.configuration import given_out
    from hub.cli.working import with_store
    from hub.office.presets import written

    text = written(with_store(lambda store: store.run(lambda desk: given_out(desk, title))))
    if to is None:
        typer.echo(text, nl=False)
    else:
        to.write_text(text, encoding="utf-8")
        typer.echo(f"{to}: {len(text.splitlines())} строк")


def _wanted(name: str) -> Configuration:
    from hub.office.presets import parsed

    return parsed(_text(name), name)


def _text(name: str) -> str:
    from crm_core import presets as bundled
    from hub.cli.output import Failure

    if name in bundled.names():
        return bundled.text(name)
    file = Path(name)
    if file.suffix == ".toml" or file.exists():
        try:
            return file.read_bytes().decode("utf-8-sig")
        except OSError as err:
            raise Failure(f"{name}: {err.strerror}") from err
        except UnicodeDecodeError as err:
            raise Failure(f"{name}: the text is not UTF-8: save the file as UTF-8") from err
    raise Failure(
        f"there is no preset «{name}»: there are {', '.join(bundled.names()) or 'none'}; or name a .toml file"
    )


def _row(each: Difference) -> dict[str, Any]:
    changes = [{"key": key, "old": old, "new": new} for key, old, new in each.changes]
    return {"verb": each.verb.value, "section": each.section, "name": each.name, "changes": changes}


def _brief(value: Any) -> str:
    text = "—" if value is None else " ".join(str(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
