"""`hub user …` and `hub token …`: the people of the office. A running hub hears of the change by itself."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from crm_core.model.user import Role, User
from hub.cli.output import Failure, print_json, print_table

users = typer.Typer(help="Сотрудники: добавить, изменить, показать, отключить.", no_args_is_help=True)
tokens = typer.Typer(help="Токены для API.", no_args_is_help=True)

Login = Annotated[str, typer.Option("--login", help="Логин.")]
Extension = Annotated[str | None, typer.Option("--extension", help="Телефон: 101 или PJSIP/101.")]
TelegramId = Annotated[int | None, typer.Option("--telegram-id", help="Число из Telegram: туда приходят уведомления.")]
Email = Annotated[str | None, typer.Option("--email", help="Почта.")]
Group = Annotated[str | None, typer.Option("--group", help="Группа; новой хаб заведёт запись.")]
Deputy = Annotated[str | None, typer.Option("--deputy", help="Логин заместителя.")]
Controller = Annotated[str | None, typer.Option("--controller", help="Логин личного контролёра (иначе сообщают всем).")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Прочитать пароль: одну строку со стандартного ввода.")
]
_SHORT = 8


@users.command("add")
def add(  # noqa: PLR0917 - one a command-line option, and typer passes them by name
    login: Login,
    name: Annotated[str, typer.Option("--name", help="Имя и фамилия.")],
    role: Annotated[Role, typer.Option("--role", help="Роль.")],
    extension: Extension = None,
    telegram_id: TelegramId = None,
    email: Email = None,
    group: Group = None,
    deputy: Deputy = None,
    controller: Controller = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Добавить сотрудника. Без --password-stdin у него нет пароля, и на страницы он не войдёт."""
    from crm_core.storage.store import Store
    from crm_core.storage.users import NewUser, add_user
    from hub.cli.working import with_store
    from hub.security import Passwords

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
            password_hash=await Passwords().hash(password) if password is not None else None,
        )
        return await store.run(lambda desk: add_user(desk, new))

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
    password_stdin: PasswordStdin = False,
    enable: Annotated[bool, typer.Option("--enable", help="Включить отключённого.")] = False,
) -> None:
    """Изменить то, что названо; пустая строка («--deputy ""») убирает значение."""
    from crm_core.storage.store import Store
    from crm_core.storage.users import UserChange, update_user
    from hub.cli.working import with_store
    from hub.security import Passwords

    texts = {"extension": extension, "email": email, "group": group, "deputy": deputy, "controller": controller}
    given: dict[str, Any] = {key: text or None for key, text in texts.items() if text is not None}
    wanted = {"name": name, "role": role, "telegram_id": telegram_id}
    given |= {key: value for key, value in wanted.items() if value is not None}
    if enable:
        given["active"] = True
    password = _read_password() if password_stdin else None
    if not given and password is None:
        raise typer.BadParameter("назовите хотя бы одно, что изменить")

    async def act(store: Store) -> User:
        if password is not None:
            given["password_hash"] = await Passwords().hash(password)
        return await store.run(lambda desk: update_user(desk, login, UserChange(**given)))

    user = with_store(act)
    typer.echo(f"{user.login}: {user.name}, {user.role.value}")


@users.command("list")
def list_all(as_json: Annotated[bool, typer.Option("--json", help="Печатать JSON.")] = False) -> None:
    """Показать всех, и отключённых тоже."""
    from crm_core.storage.store import Store
    from crm_core.storage.users import list_users
    from hub.cli.working import with_store

    async def act(store: Store) -> tuple[User, ...]:
        return await store.read(list_users)

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
    from hub.cli.working import with_store

    chosen = login or who
    if not chosen or (login and who):
        raise typer.BadParameter("назовите один логин: hub user disable --login ivan")

    async def act(store: Store) -> User:
        return await store.run(lambda desk: disable_user(desk, chosen))

    typer.echo(f"{with_store(act).login}: отключён")


@tokens.command("issue")
def issue(login: Login) -> None:
    """Выдать токен API. Печатается один раз; хаб хранит только его отпечаток."""
    from crm_core.storage.store import Store
    from crm_core.storage.users import add_token
    from hub.cli.working import with_store
    from hub.security import new_token, token_digest

    token = new_token()

    async def act(store: Store) -> int:
        return await store.run(lambda desk: add_token(desk, login, token_digest(token)))

    with_store(act)
    typer.echo(token)


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
        "active": user.active,
    }
