"""Taking the lines of a batch in, whatever they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crm_core.model.importing import How, ImportKind, Line, Outcome, Plan
from crm_core.services.desk import Desk
from crm_core.services.importing import cards, companies, contacts, enquiries, goods, jobs, paid, sold
from crm_core.services.importing.batch import Batch, Given

_TAKE: dict[ImportKind, Callable[[Batch, list[Given]], None]] = {
    ImportKind.CONTACTS: contacts.take,
    ImportKind.COMPANIES: companies.take,
    ImportKind.LEADS: enquiries.take,
    ImportKind.DEALS: cards.take,
    ImportKind.PRODUCTS: goods.take,
    ImportKind.SALES: sold.take,
    ImportKind.PAYMENTS: paid.take,
    ImportKind.TASKS: jobs.take,
}


def take(desk: Desk, plan: Plan, how: How, lines: Sequence[Line], dry: set[int]) -> list[Outcome]:
    """Take lines in, all in this transaction; what became of each, in their order.

    What is wrong with a line is said in its outcome. Raises InvalidInput, Conflict where the transaction as a whole
    can't be: then a smaller batch shows which line it is.
    """
    desk.quiet = not how.rules
    desk.work.author = how.author
    batch = Batch(desk, plan, how, dry)
    _TAKE[plan.kind](batch, batch.given(lines))
    return sorted(batch.outcomes, key=lambda each: each.line)
