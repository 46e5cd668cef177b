"""`hub user …`: the people of the office. A running hub hears of the change by itself."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from crm_core.model.user import Role, User
from hub.cli.output import Failure, print_json, print_table

users = typer.Typer(help="Сотрудники: добавить, изменить, показать, отключить.", no_args_is_help=True)

OidcSubject = Annotated[
    str | None, typer.Option("--oidc-subject", help="Учётная запись у провайдера из [oidc]: его sub; «» отвязывает.")
]
Login = Annotated[str, typer.Option("--login", help="Логин.")]
Extension = Annotated[str | None, typer.Option("--extension", help="Телефон: 101 или PJSIP/101.")]
TelegramId = Annotated[int | None, typer.Option("--telegram-id", help="Число из Telegram: туда приходят уведомления.")]
Email = Annotated[str | None, typer.Option("--email", help="Почта.")]
Group = Annotated[str | None, typer.Option("--group", help="Группа; новой хаб заведёт запись.")]
Deputy = Annotated[str | None, typer.Option("--deputy", help="Логин заместителя.")]
Controller = Annotated[str | None, typer.Option("--controller", help="Логин личного контролёра (иначе сообщают всем).")]
Hours = Annotated[str | None, typer.Option("--hours", help="Календарь из [[hours]]; any: круглые сутки.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Прочитать пароль: одну строку со стандартного ввода.")
]
_SHORT = 8


@users.command("add")
def add(  # noqa: PLR0913, PLR0917 - one a command-line option, and typer passes them by name
    login: Login,
    name: Annotated[str, typer.Option("--name", help="Имя и фамилия.")],
    role: Annotated[Role, typer.Option("--role", help="Роль.")],
    extension: Extension = None,
    telegram_id: TelegramId = None,
    email: Email = None,
    group: Group = None,
    deputy: Deputy = None,
    controller: Controller = None,
    hours: Hours = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Добавить сотрудника. Без --password-stdin у него нет пароля, и на страницы он не войдёт."""
    from crm_core.storage.store import Store
    from crm_core.storage.users import NewUser, add_user
    from hub.access.security import Passwords
    from hub.cli.working import by_command, with_store

    password = _read_password() if password_stdin else None

    async def act(store: Store) -> User:
        new = NewUser(
            login=login,
            name=name,
            role=role,
            extension=extension,
            telegram_id=telegram_id,
            email=email,
            group=group,
            deputy=deputy,
            controller=controller,
            hours=hours,
            password_hash=await Passwords().hash(password) if password is not None else None,
        )
        return await store.run(lambda desk: add_user(by_command(desk), new))

    user = with_store(act)
    typer.echo(f"{user.login}: {user.name}, {user.role.value}")


@users.command("update")
def update(  # noqa: PLR0913, PLR0917 - one a command-line option, and typer passes them by name
    login: Login,
    name: Annotated[str | None, typer.Option("--name", help="Имя и фамилия.")] = None,
    role: Annotated[Role | None, typer.Option("--role", help="Роль.")] = None,
    extension: Extension = None,
    telegram_id: TelegramId = None,
    email: Email = None,
    group: Group = None,
    deputy: Deputy = None,
    controller: Controller = None,
    hours: Hours = None,
    password_stdin: PasswordStdin = False,
    oidc_subject: OidcSubject = None,
    enable: Annotated[bool, typer.Option("--enable", help="Включить отключённого.")] = False,
) -> None:
    """Изменить то, что названо; пустая строка («--deputy ""») убирает значение."""
    from crm_core.storage.store import Store
    from crm_core.storage.users import UserChange, update_user
    from hub.access.security import Passwords
    from hub.cli.working import by_command, with_store

    texts = {"extension": extension, "email": email, "group": group, "deputy": deputy, "controller": controller}
    texts["hours"] = hours
    given: dict[str, Any] = {key: text or None for key, text in texts.items() if text is not None}
    wanted = {"name": name, "role": role, "telegram_id": telegram_id}
    given |= {key: value for key, value in wanted.items() if value is not None}
    if enable:
        given["active"] = True
    if oidc_subject is not None:
        given["oidc_subject"] = _account(oidc_subject)
    password = _read_password() if password_stdin else None
    if not given and password is None:
        raise typer.BadParameter("назовите хотя бы одно, что изменить")

    async def act(store: Store) -> User:
        if password is not None:
            given["password_hash"] = await Passwords().hash(password)
        return await store.run(lambda desk: update_user(by_command(desk), login, UserChange(**given)))

    user = with_store(act)
    typer.echo(f"{user.login}: {user.name}, {user.role.value}")


@users.command("list")
def list_all(as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False) -> None:
    """Показать всех, и отключённых тоже."""
    from crm_core.storage.store import Store
    from crm_core.storage.users import list_users
    from hub.cli.working import with_store

    async def act(store: Store) -> tuple[User, ...]:
        return await store.read(lambda conn: list_users(conn, None))

    rows = [_row(user) for user in with_store(act)]
    if as_json:
        print_json(rows)
        return
    columns = {
        "login": "логин",
        "name": "имя",
        "role": "роль",
        "extension": "телефон",
        "telegram_id": "telegram",
        "email": "почта",
        "group": "группа",
        "deputy": "заместитель",
        "controller": "контролёр",
        "hours": "часы",
        "active": "включён",
    }
    print_table(rows, columns, "Пока никого нет. Первого заведёт hub user add или страница хаба при первом входе.")


@users.command("disable")
def disable(
    who: Annotated[str | None, typer.Argument(metavar="[LOGIN]", help="Логин.", show_default=False)] = None,
    login: Annotated[str | None, typer.Option("--login", help="То же.")] = None,
) -> None:
    """Отключить: не войдёт, токены не действуют, новых лидов и звонков не получит. Сделанное остаётся."""
    from crm_core.storage.store import Store
    from crm_core.storage.users import disable_user
    from hub.cli.working import by_command, with_store

    chosen = login or who
    if not chosen or (login and who):
        raise typer.BadParameter("назовите один логин: hub user disable --login ivan")

    async def act(store: Store) -> User:
        return await store.run(lambda desk: disable_user(by_command(desk), chosen))

    typer.echo(f"{with_store(act).login}: отключён")


@users.command("reset-factor")
def reset_factor(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="Логин.")],
    author: Annotated[str, typer.Option("--author", help="Логин того, кто снимает.")] = "cli",
) -> None:
    """Снять второй фактор с того, кто потерял телефон и бумажные коды, и кончить его сеансы."""
    from crm_core.storage.store import Store
    from hub.access.others_keys import take_factor_off
    from hub.cli.working import with_store

    async def act(store: Store) -> bool:
        return await store.run(lambda desk: take_factor_off(desk, login, by=author, remote=""))

    typer.echo(f"{login}: второй фактор снят" if with_store(act) else f"{login}: второго фактора нет")


@users.command("sign-out")
def sign_out(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="Логин.")],
    author: Annotated[str, typer.Option("--author", help="Логин того, кто это делает.")] = "cli",
) -> None:
    """Кончить все сеансы: во всех браузерах придётся войти снова. Токены API остаются."""
    from crm_core.storage.store import Store
    from hub.access.others_keys import end_sessions
    from hub.cli.working import with_store

    async def act(store: Store) -> None:
        await store.run(lambda desk: end_sessions(desk, login, by=author, remote=""))

    with_store(act)
    typer.echo(f"{login}: все сеансы окончены")


@users.command("hand-over")
def hand_over(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="Чьё передать.")],
    to: Annotated[list[str] | None, typer.Option("--to", help="Кому; несколько раз: поровну.")] = None,
    group: Annotated[str | None, typer.Option("--to-group", help="Или группе: поровну её сотрудникам.")] = None,
    also_disable: Annotated[bool, typer.Option("--disable", help="И отключить сотрудника.")] = False,
    author: Annotated[str, typer.Option("--author", help="Логин того, кто передаёт.")] = "cli",
) -> None:
    """Передать клиентов, компании и всё незакрытое: лиды, сделки, задачи, ждущих ответа, обратные звонки."""
    from crm_core.services.acts.handing_over import HandOver
    from crm_core.storage.store import Store
    from hub.cli.working import with_store
    from hub.exchange import handing_over

    async def act(store: Store) -> HandOver:
        return await handing_over.hand_over(store, login, author=author, to=to or (), group=group, disable=also_disable)

    done = with_store(act)
    for who, counts in done.given.items():
        typer.echo(f"{who}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    if not done.given:
        typer.echo(f"{login}: передавать нечего")


@users.command("absent")
def absent(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="Логин.")],
    since: Annotated[
        str | None,
        typer.Option("--from", help="С какого времени: 2026-12-01 или 2026-12-01T12:00; без него сейчас."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--to", help="По какое: 2026-12-07 включительно, или со временем."),
    ] = None,
    deputy: Deputy = None,
    back: Annotated[bool, typer.Option("--back", help="Снова на месте.")] = False,
) -> None:
    """Отметить отсутствие: звонки и уведомления идут заместителю. «--back» возвращает сотрудника."""
    from crm_core.model.user import Absence
    from crm_core.storage.store import Store
    from crm_core.storage.users import UserChange, update_user
    from hub.cli.moments import moment
    from hub.cli.working import by_command, settings_for_command, with_store
    from hub.clock import SystemClock

    if back and (since or until or deputy is not None):
        raise typer.BadParameter("--back стоит один")
    zone = settings_for_command().time_zone
    begin = moment(since, zone) if since is not None else SystemClock().now()
    end = moment(until, zone, whole_day=True) if until is not None else None
    if end is not None and end <= begin:
        raise typer.BadParameter("--to раньше, чем --from")
    given: dict[str, Any] = {"absence": None if back else Absence(begin, end)}
    if deputy is not None:
        given["deputy"] = deputy or None

    async def act(store: Store) -> User:
        return await store.run(lambda desk: update_user(by_command(desk), login, UserChange(**given)))

    user = with_store(act)
    if user.absence is None:
        typer.echo(f"{user.login}: на месте")
        return
    shown = "бессрочно" if end is None else f"до {end.astimezone(zone):%d.%m.%Y %H:%M}"
    instead = f", заместитель {user.deputy}" if user.deputy else ", заместителя нет"
    typer.echo(f"{user.login}: отсутствует с {begin.astimezone(zone):%d.%m.%Y %H:%M} {shown}{instead}")


@users.command("dnd")
def do_not_disturb(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="Логин.")],
    off: Annotated[bool, typer.Option("--off", help="Снова принимает звонки.")] = False,
) -> None:
    """Не беспокоить: звонки обходят сотрудника, пока не снято («--off»)."""
    from crm_core.storage.store import Store
    from crm_core.storage.users import UserChange, update_user
    from hub.cli.working import by_command, with_store

    async def act(store: Store) -> User:
        return await store.run(lambda desk: update_user(by_command(desk), login, UserChange(do_not_disturb=not off)))

    user = with_store(act)
    typer.echo(f"{user.login}: {'не беспокоить' if user.do_not_disturb else 'принимает звонки'}")


def _account(subject: str) -> str | None:
    """The account at the configured provider as it is kept."""
    from hub.access.oidc import Vouched
    from hub.cli.working import settings_for_command

    if not subject.strip():
        return None
    oidc = settings_for_command().oidc
    if oidc is None:
        raise Failure("hub.toml has no [oidc]: there is no provider that the account could be of")
    return Vouched(oidc.issuer, subject.strip()).account


def _read_password() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Failure("no password on standard input: --password-stdin reads one line")
    if len(password) < _SHORT:
        typer.echo(f"hub: the password is shorter than {_SHORT} characters; consider a longer one", err=True)
    return password


def _row(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "login": user.login,
        "name": user.name,
        "role": user.role.value,
        "extension": user.extension,
        "telegram_id": user.telegram_id,
        "email": user.email,
        "group": user.group,
        "deputy": user.deputy,
        "controller": user.controller,
        "absent_since": user.absence.since if user.absence is not None else None,
        "absent_until": user.absence.until if user.absence is not None else None,
        "do_not_disturb": user.do_not_disturb,
        "hours": user.hours,
        "active": user.active,
    }
