"""`hub reconcile …`: the proof that no call is missing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.output import Failure, print_json, print_table

if TYPE_CHECKING:
    from hub.bootstrap import Hub
    from hub.telephony.reconciling import Tally

reconcile = typer.Typer(help="Сверка с журналами звонков.", no_args_is_help=True)

_COLUMNS = {
    "pbx": "АТС",
    "day": "день",
    "calls": "звонков",
    "equal": "совпало",
    "settled": "внесено",
    "missing": "не хватает",
    "internal": "внутренних",
    "unreadable": "не прочитано",
}
_DETAILS = {
    "outcome": "итог",
    "why": "почему",
    "started_at": "начало",
    "number": "номер",
    "line": "линия",
    "answered_by": "ответил",
    "linkedid": "linkedid",
    "record": "строка журнала",
}


@reconcile.callback()
def _group() -> None:
    """Сверка с журналами звонков."""


@reconcile.command("pbx")
def pbx(
    name: Annotated[str | None, typer.Option("--pbx", help="Имя из [[pbx]]; без него все.")] = None,
    day: Annotated[
        datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="День офиса, YYYY-MM-DD; без него сегодня.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False,
) -> None:
    """Сверить каждый записанный АТС звонок дня с хабом и внести недостающее; код 1, если не сошлось."""
    from hub.cli.working import with_hub

    tallies = with_hub(lambda hub: _reconciled(hub, name, day.date() if day is not None else None))
    if as_json:
        print_json([asdict(tally) for tally in tallies])
    else:
        print_table([asdict(tally) for tally in tallies], _COLUMNS, "Сверять нечего.")
        for tally in tallies:
            if tally.details:
                typer.echo()
                print_table(tally.details, _DETAILS, "")
    raise typer.Exit(0 if all(tally.proved for tally in tallies) else 1)


async def _reconciled(hub: Hub, name: str | None, day: date | None) -> list[Tally]:
    from crm_core.errors import CoreError
    from crm_core.ports import KeepsCallRecords
    from hub.telephony.reconciling import Reconciler

    zone = hub.settings.time_zone
    chosen = [
        channel
        for key, channel in hub.channels.items()
        if key.channel == "pbx" and isinstance(channel, KeepsCallRecords) and name in {None, key.account}
    ]
    if not chosen:
        raise Failure(f"нет [[pbx]] с именем «{name}»" if name is not None else "в hub.toml нет [[pbx]]")
    unread = [channel.key.account for channel in chosen if not channel.keeps_records]
    if unread:
        raise Failure(f"[[pbx]] {', '.join(unread)}: не указано, где журнал звонков: cdr или cdr_sql")
    hub.intake.start()
    try:
        reconciler = Reconciler(hub.store, hub.intake, hub.clock, zone)
        wanted = day or hub.clock.now().astimezone(zone).date()
        return [await reconciler.day(channel, wanted) for channel in chosen]
    except CoreError as err:
        raise Failure(f"сверка не доведена до конца: {err}") from err
    finally:
        await hub.intake.stop()
