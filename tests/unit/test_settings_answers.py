"""What accounts say by themselves, as it is configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_core.messages import ChannelKey
from crm_core.model.answers import NO_ANSWERS, Answers, MenuItem, item_key
from hub.settings import SettingsError, parse_settings
from hub.settings.office import office_of

EXAMPLE = Path(__file__).parents[2] / "hub.example.toml"
HOURS = '[[hours]]\nname = "office"\ndays = { mon-fri = "09:00-18:00" }\n'
BOT = '[[telegram]]\nname = "shop"\ntoken = "1:abc"\ngroup = "sales"\n'
VK = '[[vk]]\nname = "c"\ngroup_id = 1\ntoken = "t"\nmode = "longpoll"\n'
BOX = '[[email]]\nname = "m"\naddress = "a@b.example"\nsmtp = "smtp://h.example"\n'
ELEVEN = ", ".join(f'{{ text = "{number}", answer = "1" }}' for number in range(11))
GATEWAY = '[[gateway]]\nname = "wa"\nsecret = "a-long-secret-for-signatures-0123456789"\n'
SITE = '[[web]]\nname = "site"\nkey = "k"\n'


def problems(text: str) -> list[tuple[str, str]]:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text)
    return [(each.key, f"{each.what}. {each.mend}") for each in caught.value.problems]


def test_everything_that_can_be_said() -> None:
    text = BOT + (
        'greeting = """Здравствуйте!\nЧем помочь?"""\noff_hours = "Мы закрыты"\nhours = "office"\nask_contact = true\n'
        'menu = [ { text = "Цены", answer = "От 100" }, { text = "Менеджер", group = "sales", key = "human" } ]\n'
    )
    office = office_of(parse_settings(text + HOURS))
    menu = (MenuItem(item_key("Цены"), "Цены", "От 100"), MenuItem("human", "Менеджер", "", "sales"))
    expected = Answers("Здравствуйте!\nЧем помочь?", "Мы закрыты", "office", menu, ask_contact=True)
    assert office.answers == {ChannelKey("telegram", "shop"): expected}
    assert office.answers_of(ChannelKey("vk", "shop")) == NO_ANSWERS


@pytest.mark.parametrize("account", [BOT, VK, BOX, SITE, GATEWAY])
def test_every_account_may_greet_and_say_that_it_is_closed(account: str) -> None:
    settings = parse_settings(account + 'greeting = "А"\noff_hours = "Б"\nhours = "office"\n' + HOURS)
    (answers,) = office_of(settings).answers.values()
    assert answers == Answers("А", "Б", "office")


def test_the_hours_of_a_site_mean_something_alone() -> None:
    (answers,) = office_of(parse_settings(SITE + 'hours = "office"\n' + HOURS)).answers.values()
    assert answers == Answers(hours="office")


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        (BOT + 'off_hours = "Б"', "telegram[1].hours", "when the office is closed"),
        (BOT + 'off_hours = "Б"\nhours = "any"', "telegram[1].hours", '"any" is never closed'),
        (BOT + 'off_hours = "Б"\nhours = "ofice"', "telegram[1].hours", 'Did you mean "office"?'),
        (BOT + 'hours = "office"', "telegram[1].hours", "means nothing without off_hours"),
        (BOT + "greeting = 1", "telegram[1].greeting", "expected a text, got a whole number"),
        (BOT + 'greeting = " "', "telegram[1].greeting", "the text is empty"),
        (BOT + 'greeting = "a\\u0007"', "telegram[1].greeting", "control character"),
        (BOT + f'greeting = "{"я" * 2001}"', "telegram[1].greeting", "has 2001 characters"),
        (BOT + 'greting = "А"', "telegram[1].greting", 'Did you mean "greeting"?'),
        (BOT + "ask_contact = true", "telegram[1].ask_contact", "stands under the greeting"),
        (BOT + 'menu = [{ text = "А", answer = "Б" }]', "telegram[1].menu", "stands under the greeting"),
        (BOT + 'greeting = "А"\nmenu = "Б"', "telegram[1].menu", "expected a list of tables"),
        (BOT + 'greeting = "А"\nmenu = [{ answer = "Б" }]', "telegram[1].menu[1].text", "the key is missing"),
        (BOT + 'greeting = "А"\nmenu = [{ text = "Б" }]', "telegram[1].menu[1].answer", "leads nowhere"),
        (
            BOT + 'greeting = "А"\nmenu = [{ text = "Б", grup = "sales", answer = "В" }]',
            "telegram[1].menu[1].grup",
            'Did you mean "group"?',
        ),
        (
            BOT + 'greeting = "А"\nmenu = [{ text = "Б", group = "sale" }]',
            "telegram[1].menu[1].group",
            'Did you mean "sales"?',
        ),
        (
            BOT + 'greeting = "А"\nmenu = [{ text = "Б", answer = "1" }, { text = "б ", answer = "2" }]',
            "telegram[1].menu",
            "item 2 is the same as item 1",
        ),
        (
            BOT + 'greeting = "А"\nmenu = [{ text = "Б", answer = "1", key = "а:б" }]',
            "telegram[1].menu[1].key",
            "not usable as a key",
        ),
        (
            BOT + f'greeting = "А"\nmenu = [{{ text = "{"я" * 41}", answer = "1" }}]',
            "telegram[1].menu[1].text",
            "too long for a button",
        ),
        (
            BOT + f'greeting = "А"\nmenu = [{ELEVEN}]',
            "telegram[1].menu",
            "has 11 items",
        ),
        (BOX + 'greeting = "А"\nmenu = [{ text = "А", answer = "Б" }]', "email[1].menu", "unknown key"),
        (BOX + 'greeting = "А"\nask_contact = true', "email[1].ask_contact", "unknown key"),
        (VK + 'greeting = "А"\nask_contact = true', "vk[1].ask_contact", "unknown key"),
    ],
)
def test_what_is_wrong_is_told_with_its_cure(text: str, key: str, words: str) -> None:
    found = problems(text + "\n" + HOURS)
    assert [place for place, _ in found] == [key]
    assert words in found[0][1]


def test_the_example_shows_them() -> None:
    answers = office_of(parse_settings(EXAMPLE.read_text(encoding="utf-8"))).answers[ChannelKey("telegram", "shop")]
    assert answers.greeting
    assert answers.off_hours
    assert answers.menu
