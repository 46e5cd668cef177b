"""Payments that come as a table: put to deals by their numbers, or to the client's only unpaid one."""

from __future__ import annotations

from tests.integration.exchange.conftest import Office

DEALS = "id;название сделки;сумма;телефон\nD1;Окна;1000;+79161234567\nD2;Двери;500;+79161234568\n"
PAID = (
    "номер платежа;дата;сделка;телефон;сумма;назначение платежа\n"
    "P1;01.02.2026;D1;;400,50;аванс\n"
    "P2;02.02.2026;;8 (916) 123-45-68;500;\n"
    "P3;03.02.2026;D9;;100;\n"
    "P4;когда-то;D1;;100;\n"
    "P5;05.02.2026;D1;;много;\n"
    "P6;06.02.2026;;;100;\n"
)


async def test_payments_come_in_once_and_are_corrected(office: Office) -> None:
    await office.bring("deals", DEALS)
    assert await office.bring("payments", PAID) == {"created": 2, "failed": 4}
    notes = {each.line: each.notes[0] for each in office.outcomes if each.notes}
    assert "there is no deal «D9»" in notes[4]
    assert "дата" in notes[5]
    assert "сумма" in notes[6]
    assert "name the deal, or a client who is known" in notes[7]
    rows = await office.ask("SELECT d.title, d.paid, p.amount, p.note FROM payment p JOIN deal d ON d.id = p.deal_id")
    assert sorted(rows) == [("Двери", 50000, 50000, ""), ("Окна", 40050, 40050, "аванс")]
    # once more nothing changes; what accounting says later holds
    assert await office.bring("payments", PAID) == {"unchanged": 2, "failed": 4}
    corrected = PAID.replace("400,50", "600")
    assert await office.bring("payments", corrected, policy="skip") == {"unchanged": 2, "failed": 4}
    assert await office.bring("payments", corrected) == {"unchanged": 1, "updated": 1, "failed": 4}
    assert await office.ask("SELECT paid FROM deal WHERE title = 'Окна'") == [(60000,)]
    assert await office.ask("SELECT count(*) FROM payment") == [(2,)]


async def test_lines_without_a_number_are_told_apart_by_what_they_say(office: Office) -> None:
    await office.bring("deals", DEALS)
    table = "дата;сделка;сумма\n01.02.2026;D1;100\n02.02.2026;D1;100\n01.02.2026;D1;100\n"
    assert await office.bring("payments", table) == {"created": 2, "unchanged": 1}
    assert await office.bring("payments", table) == {"unchanged": 3}
