"""`hub import contacts|companies|leads|deals|products|sales|tasks FILE`."""

from __future__ import annotations

import csv
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from crm_core.model.importing import ImportKind, Policy

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from crm_core.model.exchange import ImportRecord
    from crm_core.model.importing import How, Line, Outcome
    from crm_core.storage.store import Store
    from hub.exchange.importing import Opened
    from hub.files import DiskFiles

_SHOWN = 50
_NOBODY = "import"
_TITLES = {
    ImportKind.CONTACTS: "Загрузить контакты из CSV или XLSX.",
    ImportKind.COMPANIES: "Загрузить компании из CSV или XLSX.",
    ImportKind.LEADS: "Загрузить лиды из CSV или XLSX.",
    ImportKind.DEALS: "Загрузить сделки из CSV или XLSX.",
    ImportKind.PRODUCTS: "Загрузить товары из CSV или XLSX.",
    ImportKind.SALES: "Загрузить продажи (отгрузки) из CSV или XLSX.",
    ImportKind.PAYMENTS: "Загрузить оплаты из CSV или XLSX.",
    ImportKind.TASKS: "Загрузить задачи из CSV или XLSX.",
}
_BECAME = {"created": "создано", "updated": "изменено", "unchanged": "без изменений", "failed": "не принято"}


def add_commands(app: typer.Typer) -> None:
    """A command for each kind of table."""
    for kind in ImportKind:
        app.command(kind.value, help=_TITLES[kind])(_command(kind))


def _command(kind: ImportKind) -> Callable[..., None]:
    def run(  # noqa: PLR0913, PLR0917 - one a command-line option, and typer passes them by name
        file: Annotated[Path, typer.Argument(help="Файл CSV или XLSX.")],
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Только показать, что было бы с каждой строкой.")
        ] = False,
        mapping: Annotated[
            list[str] | None, typer.Option("--map", help="Столбец и его смысл: «Телефон раб.=phone»; skip: пропустить.")
        ] = None,
        value: Annotated[
            list[str] | None, typer.Option("--value", help="Замена значения: «stage:Первичный контакт=Новая».")
        ] = None,
        policy: Annotated[
            Policy,
            typer.Option(
                "--policy", help="Что с известными: fill заполнить пустое, overwrite заменить, skip не трогать."
            ),
        ] = Policy.FILL,
        system: Annotated[str | None, typer.Option("--system", help="Чьи ID в файле: amocrm, bitrix24, 1c …")] = None,
        manager: Annotated[
            str | None, typer.Option("--manager", help="Логин ответственного там, где он не назван.")
        ] = None,
        pipeline: Annotated[str | None, typer.Option("--pipeline", help="Воронка сделок, где она не названа.")] = None,
        rules: Annotated[bool, typer.Option("--rules", help="Пусть сработают правила, цепочки и вебхуки.")] = False,
        author: Annotated[str | None, typer.Option("--author", help="Логин того, кто загружает.")] = None,
        encoding: Annotated[str | None, typer.Option("--encoding", help="Кодировка, если она узнана неверно.")] = None,
        separator: Annotated[
            str | None, typer.Option("--separator", help="Разделитель, если он узнан неверно.")
        ] = None,
        sheet: Annotated[str | None, typer.Option("--sheet", help="Лист книги XLSX.")] = None,
        report: Annotated[
            Path | None, typer.Option("--report", help="Куда записать, что стало с каждой строкой (CSV).")
        ] = None,
        failed: Annotated[Path | None, typer.Option("--failed", help="Куда записать непринятые строки (CSV).")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False,
    ) -> None:
        from crm_core.model.importing import How

        how = How(
            policy=policy,
            rules=rules,
            author=author or _NOBODY,
            values=_values(value or ()),
            manager=manager,
            pipeline=pipeline,
            separator=separator,
            encoding=encoding,
            sheet=sheet,
            dry_run=dry_run,
        )
        _run(_Wanted(kind, file, how, _pairs(mapping or (), "--map"), system, report, failed, as_json))

    return run


class _Wanted:
    """What the command line asks for."""

    def __init__(
        self,
        kind: ImportKind,
        file: Path,
        how: How,
        mapping: dict[str, str],
        system: str | None,
        report: Path | None,
        failed: Path | None,
        as_json: bool,
    ) -> None:
        self.kind, self.file, self.how, self.mapping, self.system = kind, file, how, mapping, system
        self.report, self.failed, self.as_json = report, failed, as_json


def _pairs(given: Iterable[str], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        left, sign, right = each.rpartition("=")
        if not sign or not left.strip():
            raise typer.BadParameter(f"{option} «{each}»: напишите «столбец=смысл»")
        found[left.strip()] = right.strip()
    return found


def _values(given: Iterable[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, value in _pairs(given, "--value").items():
        target, colon, text = name.partition(":")
        if not colon:
            raise typer.BadParameter(f"--value «{name}»: напишите «stage:Как в файле=Как здесь»")
        found.setdefault(target.strip(), {})[text.strip()] = value
    return found


def _run(wanted: _Wanted) -> None:
    from hub.cli import FAILED
    from hub.cli.output import print_json
    from hub.cli.working import settings_for_command, with_store
    from hub.files import DiskFiles

    if not wanted.file.is_file():
        raise FileNotFoundError(2, "No such file or directory", str(wanted.file))
    files = DiskFiles(settings_for_command().files)
    reporting = _Report(wanted)

    async def act(store: Store) -> Counter[str]:
        return await _bring_in(store, files, wanted, reporting)

    with reporting:
        counts = with_store(act)
    if wanted.as_json:
        print_json(
            {
                "kind": wanted.kind.value,
                "dry_run": wanted.how.dry_run,
                **reporting.about,
                **_counts(counts),
                "lines": reporting.lines,
            }
        )
    else:
        reporting.tell(counts)
    if counts["failed"]:
        raise typer.Exit(FAILED)


def _counts(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in _BECAME}


async def _bring_in(store: Store, files: DiskFiles, wanted: _Wanted, reporting: _Report) -> Counter[str]:
    from crm_core.services.importing import runs
    from crm_core.storage.queries.imports import unfinished
    from crm_core.storage.staff import load_staff
    from hub.cli.output import Failure
    from hub.exchange.importing import Importer, keep_file, understand
    from hub.exchange.owning import claimed
    from hub.workers.importing import forget_file

    staff = await store.read(load_staff)
    for login in (wanted.how.manager, wanted.how.author if wanted.how.author != _NOBODY else None):
        if login is not None and staff.get(login) is None:
            raise Failure(f"there is no user «{login}»: hub user list shows them")
    opened = await understand(store, wanted.file, wanted.kind, wanted.how, wanted.mapping, wanted.system)
    reporting.opened(opened)
    if wanted.how.dry_run:
        counts: Counter[str] = Counter()
        async for outcome in Importer(store, opened.plan, opened.how, reporting.heard).rehearse(opened.table.lines):
            counts[outcome.became.value] += 1
        return counts
    sha256 = await keep_file(files, wanted.file)
    owner = f"{socket.gethostname()}:{os.getpid()}:import"
    record = await store.read(lambda conn: unfinished(conn, wanted.kind.value, sha256))

    def begin(desk: Any) -> ImportRecord:
        if wanted.mapping or wanted.system or wanted.how.values:
            runs.keep_mapping(desk, opened.plan, opened.how.values, wanted.how.author)
        return runs.begin(desk, wanted.kind, wanted.file.name, sha256, opened.plan, opened.how, opened.table.total)

    if record is None:
        record = await store.run(begin)
    else:
        typer.echo(f"Продолжаем загрузку {record.id} со строки {record.line + 1}", err=True)
    async with claimed(store, f"import:{record.id}", owner) as mine:
        if not mine:
            raise Failure(f"import {record.id} of this file is being done by another process")
        done = await Importer(store, runs.plan_of(record), runs.how_of(record), reporting.heard).run(
            record, opened.table.lines
        )
    if done.state not in runs.ACTIVE:
        await forget_file(store, files, sha256)
    return Counter(done.counts)


class _Report:
    """What is said of an import while it runs and afterwards."""

    def __init__(self, wanted: _Wanted) -> None:
        self._wanted = wanted
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._report: Any = None
        self._failed: Any = None
        self._open: list[Any] = []
        self._headings: Sequence[str] = ()
        self.about: dict[str, object] = {}
        self.lines: list[Mapping[str, object]] = []
        self.more = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()
        for file in self._open:
            file.close()

    def opened(self, opened: Opened) -> None:
        """How the file was understood."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        plan, table = opened.plan, opened.table
        self._headings = table.headings
        columns = {each.heading: each.target for each in plan.columns}
        self.about = {
            "file": table.form,
            "certainty": table.certainty,
            "system": plan.system,
            "remembered": plan.remembered,
            "columns": columns,
        }
        if not self._wanted.as_json:
            sure = f", уверенность {table.certainty}%" if table.certainty < 99 else ""
            shown = "; ".join(f"{each.heading} → {each.target or 'пропущен'}" for each in plan.columns)
            typer.echo(f"{table.form}{sure}, система {plan.system}\nСтолбцы: {shown}", err=True)
        console = Console(stderr=True)
        if console.is_terminal and not self._wanted.as_json:
            bar = (TextColumn("Загрузка"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._progress = Progress(*bar, console=console)
            self._progress.start()
            self._task = self._progress.add_task("", total=table.total)
        if self._wanted.report is not None:
            self._report = self._writer(self._wanted.report, ["строка", "итог", "id", "почему"])
        if self._wanted.failed is not None:
            self._failed = self._writer(self._wanted.failed, [*table.headings, "почему"])

    def _writer(self, path: Path, heading: Sequence[str]) -> Any:
        file = path.open("w", encoding="utf-8-sig", newline="")
        self._open.append(file)
        writer = csv.writer(file, delimiter=";")
        writer.writerow(heading)
        return writer

    def heard(self, batch: Sequence[Line], outcomes: Sequence[Outcome]) -> None:
        """A batch was taken in."""
        from crm_core.services.importing.cells import as_written, harmless
        from crm_core.wording import Joined
        from hub.tongues import told_in

        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, len(batch))
        cells = {line.number: line.cells for line in batch}
        for each in outcomes:
            why = told_in(Joined(each.notes), "ru")
            if self._report is not None:
                self._report.writerow([each.line, _BECAME[each.became.value], each.subject_id or "", harmless(why)])
            if each.became == "failed" and self._failed is not None:
                row = [as_written(cell) for cell in cells.get(each.line, ())][: len(self._headings)]
                row += [""] * (len(self._headings) - len(row))
                self._failed.writerow([*row, harmless(why)])
            if why or self._wanted.how.dry_run:
                if len(self.lines) < _SHOWN or self._wanted.as_json:
                    told = {"line": each.line, "became": each.became.value, "id": each.subject_id, "why": why}
                    self.lines.append(told)
                else:
                    self.more += 1

    def tell(self, counts: Counter[str]) -> None:
        """The end of it, for people."""
        from hub.cli.output import printable

        dry = self._wanted.how.dry_run
        for each in self.lines:
            why = f": {each['why']}" if each["why"] else ""
            typer.echo(printable(f"  строка {each['line']} {_BECAME[str(each['became'])]}{why}"), err=not dry)
        if self.more:
            typer.echo(f"  … и ещё {self.more}; все: --report FILE или --json", err=not dry)
        head = "Проба, ничего не записано" if dry else "Загружено"
        typer.echo(f"{head}: " + ", ".join(f"{word} {counts[name]}" for name, word in _BECAME.items()))
