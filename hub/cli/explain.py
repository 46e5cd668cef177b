"""`hub explain …`: why a call rings whom it rings, and why a case stands where it stands."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from hub.cli.output import print_json, printable

if TYPE_CHECKING:
    from crm_core.messages import RouteDecision
    from crm_core.storage.store import Store
    from hub.bootstrap import Hub
    from hub.explaining import CaseExplained, Telling

explain = typer.Typer(help="Почему хаб решил так, а не иначе.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Печатать JSON.")]
_ACTIONS = {
    "dial": "звонить",
    "reject": "отказать",
    "callback": "предложить перезвонить",
    "fallback": "запасной набор Asterisk",
}
_STAGES = {
    "list": "особый список",
    "manager": "личный менеджер",
    "deputy": "заместитель",
    "group": "группа",
    "duty": "дежурные",
    "callback": "обратный звонок",
}
_VERDICTS = {
    "rings": "звонит",
    "absent": "отсутствует",
    "busy": "занят",
    "unreachable": "телефон не на связи",
    "do_not_disturb": "не беспокоить",
    "no_extension": "нет телефона",
    "disabled": "отключён",
    "tried": "уже звонили",
    "nobody": "никого",
    "listed": "номер в списке",
}
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
    as_json: AsJson = False,
) -> None:
    """Кому позвонит хаб, в каком порядке и почему. Занятость телефонов знает только работающий хаб."""
    from hub.cli.working import with_hub

    async def act(hub: Hub) -> list[RouteDecision]:
        moment = _moment(at, hub.settings.time_zone) if at is not None else None
        await hub.directory.start()
        return hub.directory.explain(number, line, moment)

    decisions = with_hub(act)
    if as_json:
        print_json([_decision_row(attempt, each) for attempt, each in enumerate(decisions)])
        return
    for attempt, decision in enumerate(decisions):
        whom = f" {', '.join(decision.endpoints)}, {decision.ring_s} с" if decision.endpoints else ""
        typer.echo(f"Попытка {attempt}: {_ACTIONS[decision.action.value]}{whom} ({decision.reason})")
        for step in decision.trace:
            who = f" {step.login}" if step.login else ""
            detail = f" ({printable(step.detail)})" if step.detail else ""
            typer.echo(f"  {_STAGES[step.stage.value]}{who}: {_VERDICTS[step.verdict.value]}{detail}")


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


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as err:
        raise typer.BadParameter(f"«{text}» не время: 2026-11-22T10:00 или 2026-11-22T10:00:00+03:00") from err
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)


def _decision_row(attempt: int, decision: RouteDecision) -> dict[str, Any]:
    return {
        "attempt": attempt,
        "action": decision.action.value,
        "endpoints": list(decision.endpoints),
        "ring_s": decision.ring_s,
        "reason": decision.reason,
        "contact_id": decision.contact_id,
        "trace": [
            {"stage": step.stage.value, "verdict": step.verdict.value, "login": step.login, "detail": step.detail}
            for step in decision.trace
        ],
    }
