"""The tree of commands. Each command imports what it needs when it runs, so that the command line stays quick."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import (
    asterisk,
    erasing,
    explain,
    exporting,
    importing,
    journal,
    presets,
    reconcile,
    rules,
    scores,
    tokens,
    users,
)

HELP = "Хаб отдела продаж: звонки, чаты, формы и почта в одном месте. Настройка: hub.toml и переменные HUB_*."

app = typer.Typer(
    name="hub",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(users.users, name="user")
app.add_typer(tokens.tokens, name="token")
app.add_typer(importing.importing, name="import")
app.add_typer(presets.presets, name="preset")
app.add_typer(erasing.erasing, name="erase")
app.command("export")(exporting.export)
app.add_typer(rules.rules, name="rules")
app.add_typer(journal.journal, name="journal")
app.add_typer(explain.explain, name="explain")
app.add_typer(asterisk.asterisk, name="asterisk")
app.add_typer(reconcile.reconcile, name="reconcile")
app.add_typer(scores.scores, name="scores")


@app.command()
def run() -> None:
    """Запустить хаб. Остановка: Ctrl-C или SIGTERM."""
    import gc

    # Nothing of what is loaded now is garbage: looking for it would take a sixth of the start.
    gc.disable()
    try:
        from hub.cli.running import run_hub

        run_hub()
    finally:
        gc.enable()


@app.command()
def migrate() -> None:
    """Привести базу к схеме этой версии (hub run делает это сам)."""
    from hub.cli.working import migrated

    revision, place = migrated()
    typer.echo(f"{place}: схема {revision}")


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False,
) -> None:
    """Проверить настройку и каждое подключение: что не так и как исправить."""
    from hub.cli.checking import run_checks

    raise typer.Exit(run_checks(as_json=as_json))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def demo(context: typer.Context) -> None:
    """Показать хаб в работе: звонки, чаты, формы и письма приходят через его настоящие порты."""
    from hub.demo.run import main

    raise typer.Exit(main(context.args))
