"""Whether what a template of a document names is there: a name that never is would leave a gap in every document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crm_core.errors import InvalidInput
from crm_core.model.definitions.documents import DocumentBody
from crm_core.model.selling import LineItemRecord, PaymentRecord
from crm_core.model.templates import paths
from crm_core.services.desk import Desk
from crm_core.services.letters.documents import NAMES
from crm_core.services.scope import nearest, unknown_paths

Path = tuple[str, ...]

_ROWS: Mapping[str, type] = {"item": LineItemRecord, "payment": PaymentRecord}
"""What a row of a Word file names, which is repeated for each of them."""
_OF_ROWS = frozenset({"position", "currency"})
"""What rows have besides their columns."""
_PLAIN: Mapping[str, frozenset[str]] = {
    "manager": frozenset({"name", "login", "email", "extension"}),
    "author": frozenset({"name", "email", "extension"}),
    "office": frozenset({"language", "url"}),
}
"""What is made for documents alone, and its parts."""


def check_document(desk: Desk, body: DocumentBody) -> None:
    """Raise InvalidInput for the first thing that the texts of a template name and that no document ever has, with what
    was probably meant. What its Word file names is asked of whoever opens it: see `check_paths`."""
    for name, text in (("title", body.title), ("file_name", body.file_name), ("html", body.html)):
        try:
            check_paths(desk, body.of, paths(text, html=name == "html"), rows=False)
        except InvalidInput as err:
            raise InvalidInput("{where}: {why}", where=name, why=err) from err


def check_paths(desk: Desk, of: str, named: Iterable[Path], *, rows: bool) -> None:
    """The same of names, step by step, of a template for records of the kind `of`; `rows` says that rows are repeated,
    as those of a Word file are."""
    known = (*NAMES, *(_ROWS if rows else ()))
    more: dict[str, type | None] = {**dict.fromkeys(NAMES), **(_ROWS if rows else {})}
    for record in ("contact", "deal", "company", "lead", "client", "fields"):
        del more[record]  # the record's own are known
    for path in sorted(named):
        name, *steps = path
        if name not in known:
            raise InvalidInput("there is no «{name}»{meant}", name=name, meant=nearest(name, known))
        if name in _PLAIN and steps and steps[0] not in _PLAIN[name]:
            meant = nearest(steps[0], _PLAIN[name])
            raise InvalidInput("«{name}» has no «{part}»{meant}", name=name, part=steps[0], meant=meant)
        if name in _ROWS and steps and steps[0] in _OF_ROWS:
            continue
        if found := unknown_paths(desk.catalogue, [path], of, more):
            raise InvalidInput(found[0])
