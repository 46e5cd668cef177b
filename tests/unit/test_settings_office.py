"""The settings as the record sees them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from crm_core.messages import ChannelKey
from crm_core.model.ladder import LadderEvent
from crm_core.model.office import ListAction, Office
from crm_core.model.policy import AccountPolicy
from hub.settings import parse_settings
from hub.settings.office import office_of

EXAMPLE = Path(__file__).parents[2] / "hub.example.toml"


def test_the_example_as_an_office() -> None:
    office = office_of(parse_settings(EXAMPLE.read_text(encoding="utf-8")))
    assert (office.region, office.language, office.time_zone) == ("RU", "ru", "Europe/Moscow")
    assert office.public_url == "https://hub.example.org"
    assert office.policy(ChannelKey("telegram", "shop")) == AccountPolicy("Telegram", "sales")
    assert office.policy(ChannelKey("web", "site")).enquiry
    assert office.policy(ChannelKey("cti", "other-pbx")).source == "Вторая АТС"
    assert office.policy(ChannelKey("vk", "community")).source == "ВКонтакте"
    line = office.line("office", "84951234567")
    assert line is not None
    assert line.policy.pipeline == "Продажи"
    assert office.lists["чёрный список"].action is ListAction.REJECT
    calls = office.ladders.get(LadderEvent.CALL_MISSED)
    assert calls is not None
    assert [step.after for step in calls.steps] == [timedelta(0), timedelta(hours=24)]
    assert office.dial == {"office": "PJSIP/{extension}"}
    assert office.staff_channel == ChannelKey("telegram", "shop")
    assert office.mail_channel == ChannelKey("email", "sales")
    assert office.webhooks[0].events == {"case.escalated", "lead.created"}


def test_nothing_configured_is_the_plain_office() -> None:
    office = office_of(parse_settings(""))
    assert office == Office(public_url="http://127.0.0.1:8080")
