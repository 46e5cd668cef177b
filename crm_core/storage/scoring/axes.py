"""An axis of a score as SQL: points of what was chosen in fields, as a share of the most there could be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_core.model.definitions.scoring import Part


def axis(
    parts: Sequence[Part], name: str, values: dict[str, Any], *, columns: frozenset[str], alias: str, sqlite: bool
) -> str:
    """SQL for a number from 0 to 100, NULL without parts. `columns` stand beside `fields` in `alias`; the texts to
    compare with go into `values`."""
    if not parts:
        return "NULL"
    most = sum(part.weight * max(part.points.values()) for part in parts)
    terms = []
    for number, part in enumerate(parts):
        for place, (option, points) in enumerate(part.points.items()):
            key = f"{name}_{number}_{place}"
            values[key] = option
            if part.field in columns:
                chosen = f"CAST({alias}.{part.field} AS TEXT) = CAST(:{key} AS TEXT)"
            else:
                chosen = _chosen(f"{alias}.fields", part.field, key, option, sqlite=sqlite)
            terms.append(f"CASE WHEN {chosen} THEN {part.weight * points!r} ELSE 0.0 END")
    share = f"ROUND(100.0 * ({' + '.join(terms)}) / {most!r})"
    return f"CAST(CASE WHEN {share} < 0 THEN 0 WHEN {share} > 100 THEN 100 ELSE {share} END AS INTEGER)"


def _chosen(fields: str, field: str, key: str, option: str, *, sqlite: bool) -> str:
    """Whether a value was chosen: alone, among others, or as a flag."""
    if sqlite:
        flag = " OR v.type = :" + key if option in {"true", "false"} else ""
        return f"EXISTS (SELECT 1 FROM json_each({fields}, '$.{field}') AS v WHERE v.value = :{key}{flag})"
    flag = f" OR {fields} -> '{field}' = '{option}'::jsonb" if option in {"true", "false"} else ""
    return f"(COALESCE({fields} -> '{field}' @> to_jsonb(CAST(:{key} AS TEXT)), FALSE){flag})"
