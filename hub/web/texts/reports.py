"""Reports: the list of them, and one with its figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReportTexts:
    """Its texts in one language."""

    nav_reports: str
    reports_title: str
    report_from: str
    report_to: str
    report_by: str
    report_one_by_one: str
    report_groups: dict[str, str]
    report_show: str
    report_csv: str
    report_empty: str
    report_cut: str
    report_nobody: str
    report_unnamed: str
    report_recording: str


RU = ReportTexts(
    nav_reports="Отчёты",
    reports_title="Отчёты",
    report_from="С",
    report_to="По",
    report_by="Сгруппировать",
    report_one_by_one="по одному",
    report_groups={"manager": "по менеджерам", "line": "по линиям", "month": "по месяцам"},
    report_show="Показать",
    report_csv="Скачать CSV",
    report_empty="За этот период ничего нет.",
    report_cut="Показано не всё: выберите период короче или скачайте CSV.",
    report_nobody="не назначен",
    report_unnamed="без имени",
    report_recording="Запись {number}",
)

EN = ReportTexts(
    nav_reports="Reports",
    reports_title="Reports",
    report_from="From",
    report_to="To",
    report_by="Group",
    report_one_by_one="one by one",
    report_groups={"manager": "by manager", "line": "by line", "month": "by month"},
    report_show="Show",
    report_csv="Download CSV",
    report_empty="There is nothing in this period.",
    report_cut="Not everything is shown: choose a shorter period, or download the CSV.",
    report_nobody="none",
    report_unnamed="unnamed",
    report_recording="Recording {number}",
)
