"""What the views of the control list are called, and what each shows, in both languages."""

from __future__ import annotations

from crm_core.storage.queries.workspace.control.views import ControlView, View
from crm_core.storage.reports.base import Words


def _view(name: ControlView, ru: tuple[str, str], en: tuple[str, str], *, figures: bool = False) -> View:
    return View(name, Words(ru[0], en[0]), Words(ru[1], en[1]), figures)


_ALL = (
    _view(
        ControlView.MISSED_CALLS,
        ("Пропущенные звонки", "Клиенты, чей последний звонок за неделю пропущен и с кем с тех пор никто не говорил."),
        ("Missed calls", "Clients whose last call within a week was missed and with whom nobody has spoken since."),
    ),
    _view(
        ControlView.STUCK_LEADS,
        ("Застрявшие лиды", "Лиды, которые никто не взял за 4 часа, и взятые, по которым за 3 дня нет решения."),
        ("Stuck leads", "Leads that nobody took within 4 hours, and taken ones without a decision for 3 days."),
    ),
    _view(
        ControlView.REJECTIONS,
        ("Отказы на проверку",
         "Лиды, забракованные за неделю, отказ по которым не проверен: после него не выполнено ни одной новой задачи."),
        ("Rejections to check",
         "Leads rejected within a week that nobody checked: no task given since the rejection is done."),
    ),
    _view(
        ControlView.KEY_STAGE,
        ("Конверсия ключевого этапа",
         "Из сделок, заведённых за 90 дней: сколько дошло до ключевого этапа и сколько из них выиграно."),
        ("Key stage conversion",
         "Of deals opened within 90 days: how many came to the key stage, and how many of those were won."),
        figures=True,
    ),
    _view(
        ControlView.LARGE_DEALS,
        ("Крупные сделки", "Открытые сделки от 500 000."),
        ("Large deals", "Open deals of 500,000 and more."),
    ),
    _view(
        ControlView.MY_TASKS,
        ("Мои задачи", "Ваши открытые задачи, самые срочные сверху."),
        ("My tasks", "Your own open tasks, the most urgent first."),
    ),
    _view(
        ControlView.OVERDUE_DEALS,
        ("Сделки с просроченными задачами", "Открытые сделки, у которых есть невыполненная задача с прошедшим сроком."),
        ("Deals with overdue tasks", "Open deals with an open task whose deadline has passed."),
    ),
    _view(
        ControlView.TASKLESS_DEALS,
        ("Сделки без задач", "Открытые сделки, у которых нет ни одной открытой задачи."),
        ("Deals without tasks", "Open deals without any open task."),
    ),
    _view(
        ControlView.PLANLESS_DEALS,
        ("Сделки без следующего шага", "Открытые сделки без открытой задачи со сроком сегодня или позже."),
        ("Deals without a next step", "Open deals without an open task that is due today or later."),
    ),
    _view(
        ControlView.UNDATED_TASKS,
        ("Задачи без срока", "Открытые задачи, у которых не указан срок."),
        ("Tasks without a deadline", "Open tasks without a deadline."),
    ),
    _view(
        ControlView.LOAD,
        ("Нагрузка сотрудников",
         "Сколько у каждого сейчас ждущих клиентов, лидов, сделок, задач и просроченных задач."),
        ("Load per employee", "How many waiting clients, leads, deals, tasks and overdue tasks everybody has now."),
        figures=True,
    ),
    _view(
        ControlView.BAD_FIELDS,
        ("Незаполненные обязательные поля", "Открытые сделки, у которых пусто поле, обязательное для их этапа."),
        ("Empty required fields", "Open deals that lack a field which their stage asks for."),
    ),
    _view(
        ControlView.MALFORMED,
        ("Неверные значения полей", "Поля, у которых после изменения настройки есть значения, не подходящие под неё."),
        ("Malformed fields", "Fields with values that do not fit what was configured since."),
        figures=True,
    ),
    _view(
        ControlView.WRONG_STAGE,
        ("Не тот этап",
         "Сделки за 180 дней: выигранные, но не оплаченные полностью, и полностью оплаченные, но открытые."),
        ("Wrong stage", "Deals of 180 days: won but not paid in full, and paid in full but still open."),
    ),
    _view(
        ControlView.CONVERSIONS,
        ("Конверсия по этапам",
         "Из сделок, заведённых за 90 дней: какая доля дошла до этапа или дальше, от всех и от предыдущего этапа."),
        ("Conversions per stage",
         "Of deals opened within 90 days: which share came to a stage or beyond, of all and of the stage before."),
        figures=True,
    ),
    _view(
        ControlView.JAMS,
        ("Заторы", "Этапы, на которых стоят сделки: сколько, сколько дольше срока, как долго стоит средняя."),
        ("Jams", "Stages where deals stand: how many, how many too long, for how long the middle one."),
        figures=True,
    ),
    _view(
        ControlView.TIME_IN_STAGE,
        ("Время на этапе",
         "Сколько сделки, заведённые за 90 дней, провели на этапе: половина не дольше, 90 % не дольше."),
        ("Time in stage", "How long deals opened within 90 days spent on a stage: a half at most, 90% at most."),
        figures=True,
    ),
    _view(
        ControlView.LONG_CALLS,
        ("Послушать: длинные разговоры", "Разговоры за неделю от 10 минут."),
        ("To hear: long calls", "Conversations within a week of 10 minutes and more."),
    ),
    _view(
        ControlView.SHORT_CALLS,
        ("Послушать: короткие разговоры", "Разговоры за неделю до 20 секунд."),
        ("To hear: short calls", "Conversations within a week of 20 seconds at most."),
    ),
    _view(
        ControlView.FIRST_CALLS,
        ("Послушать: первые разговоры", "Первые разговоры с новыми клиентами за неделю."),
        ("To hear: first calls", "The first conversations with new clients within a week."),
    ),
    _view(
        ControlView.LOST_AFTER,
        ("Послушать: после них проиграли",
         "Последние разговоры за 30 дней перед тем, как сделка клиента была проиграна."),
        ("To hear: lost after", "The last conversations within 30 days before a deal of the client was lost."),
    ),
    _view(
        ControlView.AVERAGES,
        ("Средний чек и цикл",
         "По выигранным сделкам из заведённых за 90 дней: число, средний чек, длительность цикла."),
        ("Average order and cycle",
         "Of won deals opened within 90 days: how many, the average, the length of the cycle."),
        figures=True,
    ),
    _view(
        ControlView.LEADING,
        ("Опережающие показатели",
         "За 7 дней по людям: разговоры, выполненные встречи, замеры и визиты, предложения и счета, оплаты."),
        ("Leading indicators",
         "Of 7 days, by person: conversations, meetings and visits done, offers and invoices made, payments."),
        figures=True,
    ),
)  # fmt: skip

VIEWS = {each.name: each for each in _ALL}
"""All of them, in the order in which they are shown."""
