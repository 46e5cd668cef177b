"""`hub explain …`: why a call rings whom it rings, and why a case stands where it stands."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.moments import moment
from hub.cli.output import print_json, printable

if TYPE_CHECKING:
    from crm_core.storage.store import Store
    from hub.bootstrap import Hub
    from hub.explaining import CaseExplained, Telling

explain = typer.Typer(help="Почему хаб решил так, а не иначе.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Печатать JSON.")]
_TELLS = {
    "manager": "менеджер",
    "deputy": "заместитель",
    "controller": "контролёр",
    "head": "руководитель",
    "director": "директор",
    "admin": "администратор",
}
_SENT = {"queued": "в очереди", "done": "доставлено", "failed": "не доставлено"}


@explain.command("route")
def route(
    number: Annotated[str, typer.Option("--number", help="Номер клиента.")],
    line: Annotated[str, typer.Option("--line", help="Номер офиса, на который он звонит.")],
    at: Annotated[str | None, typer.Option("--at", help="Момент: 2026-11-22T10:00 (пояс офиса) или с поясом.")] = None,
    key: Annotated[str, typer.Option("--key", help="Клавиша, которую он нажмёт в меню линии.")] = "",
    as_json: AsJson = False,
) -> None:
    """Кому позвонит хаб, в каком порядке и почему. Что делают телефоны, знает работающий хаб: спрашиваем его."""
    from hub.cli.running_hub import asked
    from hub.cli.working import with_hub
    from hub.http.api.telephony.explain import attempts_json

    if len(key) > 1 or key not in "0123456789*":
        raise typer.BadParameter("клавиша: одна из 0123456789*")

    async def act(hub: Hub) -> tuple[list[dict[str, Any]], bool]:
        moment_ = moment(at, hub.settings.time_zone) if at is not None else None
        query = {"number": number, "line": line, "key": key}
        if moment_ is not None:
            query["at"] = moment_.isoformat()
        found = await asked(hub.settings, hub.store, "/explain/route", query)
        if found is not None:
            return found["attempts"], True
        await hub.directory.start()
        decisions = hub.directory.explain(number, line, moment_, key=key)
        return [each.model_dump() for each in attempts_json(decisions, hub.store.office.language)], False

    attempts, known = with_hub(act)
    if not known:
        typer.echo("Работающий хаб не ответил: что делают телефоны, неизвестно, все считаются свободными.", err=True)
    if as_json:
        print_json(attempts)
        return
    for attempt in attempts:
        typer.echo(printable(f"Попытка {attempt['attempt'] + 1}: {attempt['words']}"))
        for reason in attempt["reasons"]:
            typer.echo(printable(f"  {reason}"))


@explain.command("case")
def case(case_id: Annotated[int, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Почему обращение стоит там, где стоит: кому сообщено, кому и когда будет."""
    from hub.cli.working import settings_for_command, with_store
    from hub.explaining import explain_case

    zone = settings_for_command().time_zone

    async def act(store: Store) -> CaseExplained:
        return await store.run(lambda desk: explain_case(desk, case_id))

    found = with_store(act)
    if as_json:
        print_json(asdict(found))
        return

    def local(moment: datetime | None) -> str:
        return moment.astimezone(zone).strftime("%d.%m.%Y %H:%M:%S") if moment is not None else "—"

    kind = "звонок" if found.kind == "call" else "сообщение"
    typer.echo(printable(f"Обращение {found.id} ({kind}): {found.client}"))
    typer.echo(f"Ждёт с {local(found.opened_at)}, обращений: {found.count}, менеджер: {found.manager or '—'}")
    if found.closed_at is not None:
        typer.echo(printable(f"Закрыто {local(found.closed_at)}: {found.reason}"))
    elif found.promised_at is not None:
        typer.echo(f"Обещано ответить до {local(found.promised_at)}: до тех пор лестница стоит")
    for rung in found.rungs:
        tells = ", ".join(_TELLS[each] for each in rung.tells)
        state = "сообщено" if rung.told else f"в {local(rung.due_at)}"
        typer.echo(f"  Ступень {rung.rung} ({tells}): {state}")
        for person in rung.people:
            typer.echo(printable(f"    {_person(person)}"))
    if found.state == "open" and found.next_at is None:
        typer.echo("Больше ступеней нет: обращение ждёт ответа клиенту.")


def _person(person: Telling) -> str:
    if not person.by:
        return person.login
    error = f": {person.error}" if person.error else ""
    return f"{person.login}, {person.by}: {_SENT[person.state]}{error}"
