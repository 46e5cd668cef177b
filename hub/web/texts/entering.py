"""The first run, logging in and out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EnteringTexts:
    """Its texts in one language."""

    log_in: str
    label_pw: str
    label_pw_again: str
    setup_title: str
    setup_lead: str
    setup_button: str
    setup_mismatch: str
    setup_short: str
    setup_taken: str
    login_title: str
    login_wrong: str
    login_wait: str


RU = EnteringTexts(
    log_in="Войти",
    label_pw="Пароль",
    label_pw_again="Пароль ещё раз",
    setup_title="Первый вход",
    setup_lead="Хаб только что запущен. Заведите администратора: он добавит остальных.",
    setup_button="Завести администратора",
    setup_mismatch="Пароли не совпали.",
    setup_short="Пароль короче {count} знаков.",
    setup_taken="Администратор уже есть. Войдите под своим логином.",
    login_title="Вход",
    login_wrong="Неверный логин или пароль.",
    login_wait="Слишком много попыток. Подождите {minutes} мин.",
)


EN = EnteringTexts(
    log_in="Log in",
    label_pw="Password",
    label_pw_again="Password again",
    setup_title="First visit",
    setup_lead="The hub has just been started. Create the administrator, who will add everybody else.",
    setup_button="Create the administrator",
    setup_mismatch="The passwords differ.",
    setup_short="The password is shorter than {count} characters.",
    setup_taken="There is an administrator already. Log in with your own login.",
    login_title="Log in",
    login_wrong="Wrong login or password.",
    login_wait="Too many attempts. Wait {minutes} min.",
)
