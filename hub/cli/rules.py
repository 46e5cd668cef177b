"""`hub rules try`: what rules would have done with what happened, writing nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from crm_core.services.automation.trying import Trial
    from hub.office.rules_trial import Report

rules = typer.Typer(help="Правила: проверка на том, что уже было.", no_args_is_help=True)

_SHOWN = 200


@rules.command("try")
def try_(
    since: Annotated[str, typer.Option("--since", help="За какое время: 30d, 12h или момент ISO 8601.")] = "30d",
    file: Annotated[Path | None, typer.Option("--file", help="Правила из файла .toml вместо действующих.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Только это правило.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="Сколько случаев показать.")] = _SHOWN,
    as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False,
) -> None:
    """Показать, что сделали бы правила за прошедшее время. Ничего не записывается и не отправляется."""
    from crm_core.errors import InvalidInput
    from hub.cli.moments import past
    from hub.cli.output import Failure, print_json
    from hub.cli.working import with_store
    from hub.office.rules_trial import rules_in, try_rules

    try:
        wanted = rules_in(file.read_text(encoding="utf-8")) if file is not None else None
    except (OSError, UnicodeDecodeError) as err:
        raise Failure(f"{file}: {err}") from err
    except InvalidInput as err:
        raise Failure(f"{file}: {err}") from err
    if wanted is not None and rule is not None:
        wanted = [each for each in wanted if each[0] == rule]

    async def act(store: Any) -> Report:
        return await try_rules(store, None, past(since, store.clock.now()), wanted, most_trials=max(limit, _SHOWN))

    try:
        report = with_store(act)
    except InvalidInput as err:
        raise Failure(str(err)) from err
    trials = [each for each in report.trials if rule is None or each.rule == rule][:limit]
    if as_json:
        print_json(_row(report, trials, rule))
        return
    _print(report, trials, rule)


def _row(report: Report, trials: list[Trial], rule: str | None) -> dict[str, Any]:
    return {
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "records": report.records,
        "complete": report.complete,
        "rules": [
            {"rule": name, "runs": count, "failed": report.failed[name]}
            for name, count in report.counts.items()
            if rule is None or name == rule
        ],
        "runs": [
            {
                "at": each.at.isoformat(),
                "rule": each.rule,
                "kind": each.kind,
                "subject_id": each.subject_id,
                "contact_id": each.contact_id,
                "title": each.title,
                "why": each.why,
                "actions": list(each.actions),
                "error": each.error,
            }
            for each in trials
        ],
    }


def _print(report: Report, trials: list[Trial], rule: str | None) -> None:
    from hub.cli.output import print_table, printable

    counted = [
        {"rule": name, "runs": count, "failed": report.failed[name] or ""}
        for name, count in report.counts.items()
        if rule is None or name == rule
    ]
    print_table(counted, {"rule": "правило", "runs": "сработало бы", "failed": "ошибок"}, "Правил нет.")
    for each in trials:
        what = each.error or "; ".join(_brief(action) for action in each.actions)
        about = f"{each.kind} {each.subject_id} «{each.title}»"
        typer.echo(printable(f"{each.at:%Y-%m-%d %H:%M} {about}: {each.rule} ({each.why}) → {what}"))
    more = sum(report.counts.values()) - len(trials)
    if more > 0:
        typer.echo(f"… и ещё {more}: --limit, --json")
    typer.echo(f"Просмотрено записей: {report.records}. Ничего не записано.")


def _brief(action: dict[str, Any]) -> str:
    details = [str(value) for key, value in action.items() if key != "do" and value not in (None, "", [], {})]
    return f"{action['do']} {', '.join(details)}" if details else str(action["do"])
