"""A client is shown that the office writes to them; where that fails, nothing happens."""

from __future__ import annotations

from crm_core.ports import ShowsWriting
from hub.demo.peers.bot_api import Person
from tests.integration.telegram.conftest import Rig


async def test_a_client_is_shown_that_the_office_writes(rig: Rig, anna: Person, ivan: Person) -> None:
    channel = await rig.running()
    assert isinstance(channel, ShowsWriting)
    await anna.say("привет")
    connection = ivan.connect_business()
    await anna.say_business(connection, "Иван, где счёт?")
    business = (await rig.sink.wait_for(lambda event: event.conversation.startswith("business:"))).conversation
    for where in ("nonsense", "-1005", "999", business, "1001"):
        channel.show_writing(where, "Иван Петров")
    await channel.stop()
    shown = [call.parameters for call in rig.bot.calls if call.method == "sendChatAction"]
    said = [(str(each["chat_id"]), each["action"], each.get("business_connection_id")) for each in shown]
    assert sorted(said, key=str) == sorted(
        [("999", "typing", None), ("1001", "typing", None), ("1001", "typing", connection)], key=str
    ), "never in a group"
    assert "Иван Петров" not in str(shown)
    channel.show_writing("1001", "Иван Петров")
    assert len([call for call in rig.bot.calls if call.method == "sendChatAction"]) == 3
