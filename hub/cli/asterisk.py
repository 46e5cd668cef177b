"""`hub asterisk …`: what is pasted into Asterisk."""

from __future__ import annotations

from dataclasses import replace
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


class SnippetForm(StrEnum):
    """Whose files they are."""

    PLAIN = "plain"
    FREEPBX = "freepbx"


@asterisk.callback()
def _group() -> None:
    """Подключение Asterisk и FreePBX."""


@asterisk.command("snippet")
def snippet(
    part: Annotated[SnippetPart | None, typer.Option("--part", help="Только эта часть.")] = None,
    pbx: Annotated[str | None, typer.Option("--pbx", help="Имя из [[pbx]], если их несколько.")] = None,
    form: Annotated[
        SnippetForm, typer.Option("--form", help="plain: Asterisk, настроенный вручную; freepbx: файлы *_custom.conf.")
    ] = SnippetForm.PLAIN,
    hub: Annotated[
        list[str] | None,
        typer.Option(
            "--hub",
            help="Как Asterisk видит хаб: host, host:port или hagi://имя (SRV). Второй --hub спрашивают, если молчит "
            "первый.",
        ),
    ] = None,
) -> None:
    """Напечатать, что вставить в extensions.conf, manager.conf и cdr.conf."""
    from channels.pbx.snippet import Form, Part
    from channels.pbx.snippet import snippet as pbx_snippet
    from hub.cli.working import settings_in_force
    from hub.connectors import pbx_config
    from hub.settings import PbxSettings, Secret, ServerUrl

    settings = settings_in_force()
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
        config = replace(pbx_config(chosen, settings), hubs=_named(hub))
        text = pbx_snippet(config, Part(part.value) if part is not None else None, Form(form.value))
    except ValueError as err:
        raise Failure(f"[[pbx]] {chosen.name}: {err}") from err
    typer.echo(text, nl=not text.endswith("\n"))


def _named(hubs: list[str] | None) -> tuple[str, ...]:
    return tuple(name.strip() for given in hubs or () for name in given.split(",") if name.strip())
