"""What to do where an account is not well: a sentence for whoever can mend it, by channel, state and reason.

Reasons are the words of the connectors' health and checks, which are English; the advice is Russian or English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crm_core.ports import ChannelHealth, ChannelState

RU, EN = "ru", "en"


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence in both languages."""

    ru: str
    en: str

    def of(self, language: str) -> str:
        """The sentence in a language; Russian for one that there is not."""
        return self.en if language == EN else self.ru


@dataclass(frozen=True, slots=True)
class _Case:
    """`reason` is searched for in the health's detail; empty `channels` and `states` mean any."""

    reason: str
    words: Words
    channels: tuple[str, ...] = ()
    states: tuple[ChannelState, ...] = ()

    def holds(self, channel: str, health: ChannelHealth) -> bool:
        """Whether this is the case."""
        if (self.channels and channel not in self.channels) or (self.states and health.state not in self.states):
            return False
        return re.search(self.reason, health.detail, re.IGNORECASE) is not None


def advice(channel: str, health: ChannelHealth, language: str = RU) -> str:
    """What to do about an account of a channel («telegram») that stands so; empty where nothing is to be done."""
    if health.state is ChannelState.CONNECTED and not health.detail:
        return ""
    found = next((each.words for each in _CASES if each.holds(channel, health)), None)
    return (found or _USUAL[health.state]).of(language)


_TELEGRAM, _VK, _EMAIL, _PBX, _GATEWAY = ("telegram",), ("vk",), ("email",), ("pbx",), ("gateway",)
_BAD = (ChannelState.BAD_CREDENTIALS,)
_HOOKS = ("telegram", "vk", "web", "gateway", "cti")

# The first that holds speaks: what is particular stands before what is general.
_CASES = (
    _Case(
        r"another node",
        Words(
            "Ничего делать не нужно: аккаунт ведёт другой узел, этот подхватит, если тот остановится.",
            "Nothing is to be done: another node has this account, this one takes over when that one stops.",
        ),
    ),
    _Case(
        r"sealed with another key",
        Words(
            "Секреты записаны с другим ключом. Верните прежний secret_key (на всех узлах он один) или введите секреты "
            "аккаунта заново.",
            "The secrets were sealed with another key. Bring the old secret_key back (it is the same on all nodes), or "
            "give the account's secrets anew.",
        ),
    ),
    _Case(
        r"takes no password|would cross the network|takes no login: leave",
        Words(
            "Сервер не принимает такой вход. Возьмите другой порт (imaps 993, smtps 465, smtp 587) и проверьте логин.",
            "The server takes no such login. Name its other port (imaps 993, smtps 465, smtp 587), and look at the "
            "login.",
        ),
        _EMAIL,
    ),
    _Case(
        r"certificate|SSL|TLS|CERTIFICATE_VERIFY",
        Words(
            "Не в порядке сертификат. Сервер в адресе должен называться так, как в сертификате; срок не должен истечь; "
            "для своего сертификата укажите tls_cert и tls_key, которые хаб может прочесть.",
            "A certificate is not right. The address must name the server as the certificate does; it must not have "
            "run out; of your own one, tls_cert and tls_key must be files that the hub can read.",
        ),
    ),
    _Case(
        r"can't listen|FastAGI can't be answered|address already in use|in use\b|is taken by",
        Words(
            "Адрес занят или чужой. Посмотрите, что там слушает (ss -ltnp), остановите это или назовите другой порт: "
            "у почты listen, у АТС agi (тогда его же — в диалплане).",
            "The address is taken, or not this machine's. See what listens there (ss -ltnp), stop that or name another "
            "port: listen of a mailbox, agi of a PBX (and then in the dialplan too).",
        ),
    ),
    _Case(
        r"public_url|post to https only|can't post|updates wait",
        Words(
            "Провайдер не может достучаться до хаба. В hub.toml нужен public_url с https, который ведёт сюда из "
            "интернета; проверьте DNS, обратный прокси и сертификат. Для Telegram можно обойтись без этого: "
            "mode = polling.",
            "The provider can't reach the hub. hub.toml needs a public_url with https that leads here from the "
            "internet; look at DNS, the reverse proxy and the certificate. Telegram does without: mode = polling.",
        ),
        _HOOKS,
    ),
    _Case(
        r"getUpdates|webhook is active|Conflict",
        Words(
            "Обновления этого бота забирает кто-то ещё. Остановите другую программу с этим токеном или выпустите новый "
            "токен у @BotFather.",
            "Somebody else takes this bot's updates. Stop the other program that has this token, or get a new token "
            "from @BotFather.",
        ),
        _TELEGRAM,
    ),
    _Case(
        r"",
        Words(
            "Telegram не принимает токен. Возьмите его заново у @BotFather: /mybots, бот, «API Token».",
            "Telegram refuses the token. Take it anew from @BotFather: /mybots, the bot, «API Token».",
        ),
        _TELEGRAM,
        _BAD,
    ),
    _Case(
        r"correct group_id|not of community",
        Words(
            "Ключ выпущен другим сообществом. Исправьте номер сообщества (group_id) или возьмите ключ в нужном.",
            "The token is another community's. Correct group_id, or take a token of the right one.",
        ),
        _VK,
    ),
    _Case(
        r"lacks the rights|needs the right",
        Words(
            "У ключа не хватает прав. Управление сообществом, «Работа с API»: создайте ключ с правами на сообщения, "
            "управление, фотографии и документы.",
            "The token lacks rights. In the community's settings («Работа с API») make one that may use messages, "
            "management, photos and documents.",
        ),
        _VK,
    ),
    _Case(
        r"confirmation|«Подтвердить»|says of",
        Words(
            "ВКонтакте не подтвердил адрес. Скопируйте строку, которую должен вернуть сервер, из настроек Callback API "
            "в confirmation и нажмите там «Подтвердить».",
            "VK has not confirmed the address. Copy the string that the server has to return from the Callback API "
            "settings into confirmation, then press «Подтвердить» there.",
        ),
        _VK,
    ),
    _Case(
        r"no Callback API server",
        Words(
            "Сообщество не знает адреса хаба. «Работа с API», «Callback API»: добавьте сервер с этим адресом.",
            "The community does not know the hub's address. Add a server with it («Работа с API», «Callback API»).",
        ),
        _VK,
    ),
    _Case(
        r"secret is not the one",
        Words(
            "Секретный ключ не тот. Сделайте secret одинаковым здесь и в настройках Callback API.",
            "The secret differs. Make it the same here and in the Callback API settings.",
        ),
        _VK,
    ),
    _Case(
        r"events are off|Long Poll API is off|API version",
        Words(
            "ВКонтакте присылает не всё. «Работа с API»: включите названные события («Типы событий») и версию API.",
            "VK does not send all. Switch on the events that are named («Типы событий») and choose the API version.",
        ),
        _VK,
    ),
    _Case(
        r"",
        Words(
            "ВКонтакте не принимает ключ. Создайте новый: управление сообществом, «Работа с API», «Ключи доступа».",
            "VK refuses the token. Make a new one: the community's settings, «Работа с API», «Ключи доступа».",
        ),
        _VK,
        _BAD,
    ),
    _Case(
        r"folder .* can't be opened",
        Words(
            "Такой папки в ящике нет. Назовите в адресе imap одну из тех, что есть.",
            "The mailbox has no such folder. Name one of those there are in the address imap.",
        ),
        _EMAIL,
    ),
    _Case(
        r"",
        Words(
            "Почтовый сервер не принимает логин или пароль. Проверьте их; Яндекс, Mail.ru и Gmail требуют отдельный "
            "пароль приложения, а доступ по IMAP включают в настройках ящика.",
            "The mail server refuses user or password. Look at them; Yandex, Mail.ru and Gmail want a password of the "
            "application's own, and IMAP is switched on in the mailbox's settings.",
        ),
        _EMAIL,
        _BAD,
    ),
    _Case(
        r"\black|read classes|write classes|eventfilter|Permission denied",
        Words(
            "Пользователю AMI не хватает прав. Вставьте в manager.conf то, что печатает «hub asterisk snippet --part "
            "manager», выполните «manager reload».",
            "The AMI user lacks rights. Put into manager.conf what `hub asterisk snippet --part manager` prints, then "
            "`manager reload`.",
        ),
        _PBX,
    ),
    _Case(
        r"",
        Words(
            "Asterisk не принимает пользователя или пароль AMI. Сверьте ami с manager.conf (имя раздела и secret, "
            "permit), после правки — «manager reload».",
            "Asterisk refuses the AMI user or secret. Compare ami with manager.conf (the section's name, secret, "
            "permit), then `manager reload`.",
        ),
        _PBX,
        _BAD,
    ),
    _Case(
        r"cdr|records",
        Words(
            "Журнал звонков не читается. Проверьте путь cdr или адрес cdr_sql и права хаба на чтение.",
            "Call records can't be read. Look at the path cdr or the address cdr_sql, and whether the hub may read it.",
        ),
        _PBX,
    ),
    _Case(
        r"intake|transitions",
        Words(
            "События ждут базу данных хаба. Посмотрите /readyz и журнал: дело в базе, не в канале.",
            "What comes waits for the hub's database. See /readyz and the log: it is the database, not the channel.",
        ),
    ),
    _Case(
        r"",
        Words(
            "АТС не отвечает. Проверьте, что Asterisk запущен, в manager.conf стоит enabled = yes, адрес и порт в ami "
            "верны и не закрыты брандмауэром. Звонки тем временем идут по запасному диалплану.",
            "The PBX does not answer. See that Asterisk runs, that manager.conf says enabled = yes, and that address "
            "and port of ami are right and open in the firewall. Calls go by the dialplan's fallback meanwhile.",
        ),
        _PBX,
        (ChannelState.RECONNECTING,),
    ),
    _Case(
        r"",
        Words(
            "Шлюз не принимает подпись. Секрет должен быть одним и тем же здесь и в программе шлюза.",
            "The gateway refuses the signature. The secret must be the same here and in the gateway's program.",
        ),
        _GATEWAY,
        _BAD,
    ),
    _Case(
        r"reached|timed? ?out|no answer|refused|resolve|Name or service|Connect|unreachable",
        Words(
            "Сервер не отвечает. Проверьте адрес, порт, DNS и исходящие соединения этой машины; хаб пробует снова сам.",
            "The server does not answer. Look at address, port, DNS and this machine's way out; the hub tries again by "
            "itself.",
        ),
        states=(ChannelState.RECONNECTING, ChannelState.CONNECTING),
    ),
    _Case(
        r"did not start",
        Words(
            "Аккаунт не запустился. Исправьте то, что названо рядом; хаб пробует снова сам, всё реже, а кнопка "
            "«Попробовать снова» — сразу.",
            "The account did not start. Mend what is named beside; the hub tries again by itself, ever more seldom, "
            "and «Try again» does at once.",
        ),
    ),
)

_USUAL = {
    ChannelState.CONNECTED: Words(
        "Связь есть, но часть работы не идёт: причина названа рядом. Когда она уйдёт, хаб заметит это сам.",
        "It is connected, but a part of the work does not go on: the reason stands beside. The hub sees by itself "
        "when it is gone.",
    ),
    ChannelState.CONNECTING: Words(
        "Подключение идёт, подождите минуту.",
        "It is being connected, wait a minute.",
    ),
    ChannelState.RECONNECTING: Words(
        "Связь пропала, хаб пробует снова сам. Если это дольше нескольких минут, проверьте адрес и сеть.",
        "The link is down, the hub tries again by itself. If it lasts for minutes, look at address and network.",
    ),
    ChannelState.BAD_CREDENTIALS: Words(
        "Провайдер не принимает данные для входа. Введите их заново.",
        "The provider refuses the credentials. Give them anew.",
    ),
    ChannelState.STOPPED: Words(
        "Аккаунт не работает. Исправьте то, что названо рядом, и сохраните его снова.",
        "The account does not run. Mend what is named beside, and save it again.",
    ),
}
