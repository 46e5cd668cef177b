"""What is said of lines that can't be taken in, or only in part: what is wrong and how to mend it."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """What is wrong with a line."""

    UNCLOSED = "unclosed"
    RAGGED = "ragged"
    NOBODY = "nobody"
    NO_NAME = "no_name"
    SHORTENED = "shortened"
    NO_NUMBER = "no_number"
    NO_ADDRESS = "no_address"
    NO_IDENTITY = "no_identity"
    HELD = "held"
    TWO = "two"
    MANAGER = "manager"
    VALUE = "value"
    PIPELINE = "pipeline"
    STAGE = "stage"
    LIST = "list"
    NO_CLIENT = "no_client"
    NO_RECORD = "no_record"
    SEVERAL = "several"
    MERGED = "merged"
    ERASED = "erased"
    FORMULA = "formula"
    REFUSED = "refused"


_WORDS: dict[str, dict[Fault, str]] = {
    "ru": {
        Fault.UNCLOSED: "кавычка не закрыта или стоит посреди ячейки: уберите её или удвойте",
        Fault.RAGGED: "в строке {count} ячеек, а заголовков {headings}: возьмите в кавычки текст с разделителем",
        Fault.NOBODY: "нет ни имени, ни телефона, ни почты: впишите что-нибудь одно",
        Fault.NO_NAME: "нет названия: впишите его",
        Fault.SHORTENED: "таблица сократила номер «{value}», и цифры пропали: сделайте столбец текстовым",
        Fault.NO_NUMBER: "«{value}» — это не номер телефона: впишите его цифрами, например +79161234567",
        Fault.NO_ADDRESS: "«{value}» — это не адрес почты",
        Fault.NO_IDENTITY: "«{value}»: {error}",
        Fault.HELD: "{identity} принадлежит клиенту {holder}: оставлен ему, предложено объединить",
        Fault.TWO: "{ones} — разные клиенты: строка отнесена к первому, предложено объединить",
        Fault.MANAGER: "сотрудника «{value}» нет или он отключён: ответственный не назначен",
        Fault.VALUE: "столбец «{heading}»: {error}",
        Fault.PIPELINE: "воронки «{value}» нет (есть {known}): заведите её или замените значение",
        Fault.STAGE: "в воронке «{pipeline}» нет этапа «{value}» (есть {known}): заведите его или замените значение",
        Fault.LIST: "списка «{value}» нет: не внесён",
        Fault.NO_CLIENT: "не сказано, чьё это: нужен телефон, почта, имя или ID клиента",
        Fault.NO_RECORD: "{what} «{value}» не найдено: сначала загрузите его",
        Fault.SEVERAL: "{what} «{value}»: таких {count}, не ясно, о каком речь",
        Fault.MERGED: "запись удалена в системе: не тронута",
        Fault.ERASED: "запись удалена: не тронута",
        Fault.FORMULA: "столбец «{heading}» вычисляется формулой и пропущен",
        Fault.REFUSED: "не принято: {error}",
    },
    "en": {
        Fault.UNCLOSED: "a quotation mark is not closed, or stands inside a cell: remove it or double it",
        Fault.RAGGED: "the line has {count} cells under {headings} headings: put texts with the separator into quotes",
        Fault.NOBODY: "there is neither a name nor a phone nor an address: write any of them",
        Fault.NO_NAME: "there is no name: write it",
        Fault.SHORTENED: "the spreadsheet shortened «{value}» and its digits are lost: make the column a text",
        Fault.NO_NUMBER: "«{value}» is not a telephone number: write it in digits, like +79161234567",
        Fault.NO_ADDRESS: "«{value}» is not a mail address",
        Fault.NO_IDENTITY: "«{value}»: {error}",
        Fault.HELD: "{identity} belongs to client {holder}: left there, a merge is suggested",
        Fault.TWO: "{ones} are different clients: the line went to the first, a merge is suggested",
        Fault.MANAGER: "there is no active user «{value}»: nobody was made responsible",
        Fault.VALUE: "column «{heading}»: {error}",
        Fault.PIPELINE: "there is no pipeline «{value}» (only {known}): add it or replace the value",
        Fault.STAGE: "pipeline «{pipeline}» has no stage «{value}» (only {known}): add it or replace the value",
        Fault.LIST: "there is no list «{value}»: not put on it",
        Fault.NO_CLIENT: "whose it is, is not said: a phone, an address, a name or an id of a client is needed",
        Fault.NO_RECORD: "{what} «{value}» is not there: import it first",
        Fault.SEVERAL: "{what} «{value}»: there are {count}, it is not clear which is meant",
        Fault.MERGED: "the record was deleted here: it is left alone",
        Fault.ERASED: "the record was deleted: it is left alone",
        Fault.FORMULA: "column «{heading}» is worked out by a formula and left out",
        Fault.REFUSED: "not taken: {error}",
    },
}


def say(language: str, fault: Fault, **what: object) -> str:
    """A fault in the office's language."""
    return _WORDS.get(language, _WORDS["ru"])[fault].format(**what)
