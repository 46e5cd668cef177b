"""`hub scores …`: what sales tell of clients."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from hub.cli.output import Failure, print_json, print_table

scores = typer.Typer(help="Статусы, группы и потребности клиентов по продажам.", no_args_is_help=True)

_COLUMNS = {"day": "день", "scored": "пересчитано", "needs": "потребностей", "statuses": "сменили статус"}


@scores.callback()
def _group() -> None:
    """Статусы, группы и потребности клиентов по продажам."""


@scores.command("run")
def run(as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False) -> None:
    """Пересчитать всех клиентов сейчас; повторный запуск ничего не меняет."""
    from crm_core.errors import CoreError
    from crm_core.storage.scoring import run_scores
    from hub.cli.working import with_store

    try:
        tally = asdict(with_store(run_scores))
    except CoreError as err:
        raise Failure(f"не пересчитано: {err}") from err
    row = {**tally, "day": tally["day"].isoformat()}
    if as_json:
        print_json(row)
    else:
        print_table([row], _COLUMNS, "")
