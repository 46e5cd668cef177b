"""`hub asterisk …`: what is pasted into Asterisk."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from hub.cli.output import Failure

asterisk = typer.Typer(help="Подключение Asterisk и FreePBX.", no_args_is_help=True)


class SnippetPart(StrEnum):
    """The files of Asterisk that get a piece."""

    DIALPLAN = "dialplan"
    MANAGER = "manager"
    CDR = "cdr"


@asterisk.callback()
def _group() -> None:
    """Подключение Asterisk и FreePBX."""


@asterisk.command("snippet")
def snippet(
    part: Annotated[SnippetPart | None, typer.Option("--part", help="Только эта часть.")] = None,
    pbx: Annotated[str | None, typer.Option("--pbx", help="Имя из [[pbx]], если их несколько.")] = None,
) -> None:
    """Напечатать, что вставить в extensions.conf, manager.conf и cdr.conf."""
    from channels.pbx.snippet import Part
    from channels.pbx.snippet import snippet as pbx_snippet
    from hub.cli.working import settings_for_command
    from hub.connectors import pbx_config
    from hub.settings import PbxSettings, Secret, ServerUrl

    settings = settings_for_command()
    accounts = {each.name: each for each in settings.pbx}
    if not accounts:
        typer.echo(
            'В hub.toml нет [[pbx]]; печатаю для ami = "ami://hub:CHANGE-ME@127.0.0.1:5038": замените пароль.', err=True
        )
        accounts["office"] = PbxSettings("office", ServerUrl("ami", "127.0.0.1", 5038, "hub", Secret("CHANGE-ME")))
    if pbx is None and len(accounts) > 1:
        raise typer.BadParameter(f"назовите --pbx: {', '.join(accounts)}")
    chosen = accounts.get(pbx) if pbx is not None else next(iter(accounts.values()))
    if chosen is None:
        raise typer.BadParameter(f"нет [[pbx]] с именем «{pbx}»; есть: {', '.join(accounts)}")
    try:
        text = pbx_snippet(pbx_config(chosen, settings), Part(part.value) if part is not None else None)
    except ValueError as err:
        raise Failure(f"[[pbx]] {chosen.name}: {err}") from err
    typer.echo(text, nl=not text.endswith("\n"))
