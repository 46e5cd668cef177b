"""Who is who: evidence of identities, suggestions, merges, special lists, warnings of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class IdentityTexts:
    """Its texts in one language."""

    evidence_channel: str
    evidence_call: str
    evidence_form: str
    evidence_card: str
    evidence_hand: str
    evidence_claimed: str
    known_since: str
    suggestions_title: str
    suggestion_careful: str
    suggestion_confidence: str
    suggestion_accept: str
    suggestion_dismiss: str
    suggestion_open: str
    suggestion_dismissed: str
    merge_with: str
    merge_hint: str
    merge_act: str
    merged_notice: str
    merge_nobody: str
    merged_from: str
    unmerge: str
    unmerged_notice: str
    survivor_because: Mapping[str, str]
    nav_lists: str
    lists_title: str
    lists_none: str
    lists_empty: str
    lists_add: str
    lists_add_hint: str
    lists_added: str
    lists_removed: str
    lists_gone: str
    lists_remove: str
    lists_domain: str
    list_actions: Mapping[str, str]
    reason: str
    file_warnings: Mapping[str, str]


RU = IdentityTexts(
    evidence_channel="писали отсюда: {channel}",
    evidence_call="звонили с этого номера",
    evidence_form="из формы «{account}», не проверено",
    evidence_card="показали свою карточку: {account}",
    evidence_hand="внесено сотрудником",
    evidence_claimed="отправитель так назвался, подлинность не подтверждена",
    known_since="с {day}",
    suggestions_title="Возможно, тот же человек",
    suggestion_careful="Осторожно",
    suggestion_confidence="уверенность {percent} %",
    suggestion_accept="Объединить",
    suggestion_dismiss="Не он",
    suggestion_open="Открыть карточку",
    suggestion_dismissed="Запомнили: это разные люди.",
    merge_with="Объединить с карточкой",
    merge_hint="Номер, почта или № карточки",
    merge_act="Объединить",
    merged_notice="Карточки объединены: «{name}» теперь здесь. {because}",
    merge_nobody="Карточка «{text}» не найдена.",
    merged_from="Сюда вошла карточка «{name}», {day}.",
    unmerge="Разъединить",
    unmerged_notice="Карточки снова отдельно.",
    survivor_because={
        "chosen": "",
        "proven": "Осталась карточка с подтверждённым адресом.",
        "manager": "Осталась карточка с личным менеджером.",
        "identities": "Осталась карточка, о которой известно больше.",
        "older": "Осталась более старая карточка.",
    },
    nav_lists="Списки",
    lists_title="Специальные списки",
    lists_none="Списков нет: они задаются разделами [[list]] в hub.toml.",
    lists_empty="В этом списке пока никого.",
    lists_add="Внести",
    lists_add_hint="Номер, почта, @домен, tg:…, vk:…",
    lists_added="«{what}» внесено в список «{name}».",
    lists_removed="«{what}» убрано из списка «{name}».",
    lists_gone="«{what}» в списке «{name}» уже нет.",
    lists_remove="Убрать",
    lists_domain="вся почта домена",
    list_actions={
        "reject": "звонки и сообщения не принимаются",
        "route": "звонки идут на {to}",
        "no_lead": "лидов не заводим",
    },
    reason="Причина",
    file_warnings={
        "executable": "программа: запускать опасно",
        "script": "содержит сценарий",
        "macros": "содержит макросы",
        "bomb": "архив-бомба: не распаковывайте",
        "pixels": "картинка непомерного размера",
        "hides_executable": "внутри есть программа",
        "mismatch": "содержимое не то, за что выдаётся",
        "nested": "архив в архиве",
        "encrypted": "зашифровано, проверить нельзя",
        "unseen": "содержимое не проверено",
    },
)


EN = IdentityTexts(
    evidence_channel="wrote from here: {channel}",
    evidence_call="called from this number",
    evidence_form="from the form «{account}», not verified",
    evidence_card="showed their own contact card: {account}",
    evidence_hand="entered by staff",
    evidence_claimed="claimed by the sender, not proven",
    known_since="since {day}",
    suggestions_title="Perhaps the same person",
    suggestion_careful="Careful",
    suggestion_confidence="confidence {percent} %",
    suggestion_accept="Merge",
    suggestion_dismiss="Somebody else",
    suggestion_open="Open the card",
    suggestion_dismissed="Noted: they are two people.",
    merge_with="Merge with another card",
    merge_hint="Number, address or card №",
    merge_act="Merge",
    merged_notice="The cards are one: «{name}» is here now. {because}",
    merge_nobody="There is no card «{text}».",
    merged_from="The card «{name}» was merged into this one, {day}.",
    unmerge="Part them again",
    unmerged_notice="The cards are apart again.",
    survivor_because={
        "chosen": "",
        "proven": "The card with the proven address is left.",
        "manager": "The card with a personal manager is left.",
        "identities": "The card of which more is known is left.",
        "older": "The older card is left.",
    },
    nav_lists="Lists",
    lists_title="Special lists",
    lists_none="There are no lists: they are set by the [[list]] sections of hub.toml.",
    lists_empty="Nobody on this list yet.",
    lists_add="Put on the list",
    lists_add_hint="Number, address, @domain, tg:…, vk:…",
    lists_added="«{what}» was put on the list «{name}».",
    lists_removed="«{what}» was taken off the list «{name}».",
    lists_gone="«{what}» is not on the list «{name}» any more.",
    lists_remove="Take off",
    lists_domain="all mail of the domain",
    list_actions={
        "reject": "calls and messages are refused",
        "route": "calls go to {to}",
        "no_lead": "no leads are made",
    },
    reason="Reason",
    file_warnings={
        "executable": "a program: dangerous to run",
        "script": "contains a script",
        "macros": "contains macros",
        "bomb": "an archive bomb: do not unpack",
        "pixels": "a picture of absurd size",
        "hides_executable": "a program is inside",
        "mismatch": "is not what it claims to be",
        "nested": "an archive in an archive",
        "encrypted": "encrypted, can't be looked into",
        "unseen": "not looked into",
    },
)
