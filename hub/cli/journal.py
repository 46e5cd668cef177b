"""`hub journal …`: every fact as it came in, and another try for those that were not understood."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_core.model.records import JournalRecord, JournalState
from hub.cli.output import print_json, print_table, printable

if TYPE_CHECKING:
    from crm_core.messages import Receipt
    from crm_core.storage.queries.journal import JournalRow
    from crm_core.storage.queries.pages import Page
    from crm_core.storage.store import Store
    from hub.bootstrap import Hub

journal = typer.Typer(help="Журнал входящего: всё, что пришло, и то, что не удалось понять.", no_args_is_help=True)

JournalId = Annotated[int, typer.Argument(metavar="ID", help="Номер строки журнала.")]
AsJson = Annotated[bool, typer.Option("--json", help="Печатать JSON.")]


@journal.command("list")
def list_rows(
    state: Annotated[JournalState | None, typer.Option("--state", help="Только с этим исходом.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Сколько последних.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Показать последние строки журнала, новые сверху."""
    from crm_core.storage.queries.journal import JournalFilter, list_journal
    from crm_core.storage.queries.pages import Slice
    from hub.cli.working import with_store

    async def act(store: Store) -> Page[JournalRow]:
        return await store.read(lambda conn: list_journal(conn, None, JournalFilter(state=state), Slice(limit=limit)))

    rows = [asdict(row) for row in with_store(act).items]
    if as_json:
        print_json(rows)
        return
    columns = {
        "id": "номер",
        "received_at": "получено (UTC)",
        "channel": "канал",
        "account": "счёт",
        "state": "исход",
        "what": "что",
        "attempts": "попыток",
        "error": "ошибка",
    }
    print_table(rows, columns, "Строк нет.")


@journal.command("show")
def show(journal_id: JournalId, as_json: AsJson = False) -> None:
    """Показать строку целиком, с тем, что пришло."""
    from crm_core.storage.queries.journal import one_fact
    from hub.cli.working import with_store

    async def act(store: Store) -> JournalRecord:
        return await store.read(lambda conn: one_fact(conn, None, journal_id))

    record = with_store(act)
    row: dict[str, Any] = record._asdict() | {"raw": record.raw.decode("utf-8", "backslashreplace")}
    if as_json:
        print_json(row)
        return
    for key, value in row.items():
        if key != "raw" and value is not None:
            typer.echo(printable(f"{key}: {value}"))
    typer.echo(f"raw ({len(record.raw)}):\n{printable(row['raw'])}")


@journal.command("replay")
def replay(journal_id: JournalId) -> None:
    """Прочитать неудавшийся факт ещё раз, когда причина устранена."""
    from hub.cli.output import Failure
    from hub.cli.working import with_hub

    async def act(hub: Hub) -> Receipt:
        try:
            return await hub.intake.replay(journal_id)
        except Exception as err:
            # Whatever stood in its way is noted in the journal by the intake; here it is the answer.
            raise Failure(f"journal row {journal_id}: {err}") from err

    receipt = with_hub(act)
    if receipt.state.value == "failed":
        raise Failure(f"journal row {journal_id} is still not understood: hub journal show {journal_id}")
    typer.echo(f"{journal_id}: {receipt.state.value}")
