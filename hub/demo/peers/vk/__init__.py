"""A strict VK server to talk to over a real socket, for the demo and for tests.

It refuses whatever VK's documentation does not allow, so that a mistake shows here and not in production.

    server = VkServer()
    await server.start()
    community = server.community(123456, "token")
    anna = community.user(1001, "Анна", "Петрова")
    community.hook("http://127.0.0.1:8080/in/vk/community", "secret", "confirmation")
    await anna.say("Здравствуйте")
    reply = await anna.hears("Добрый день")

`community.next_responses(faults.error(6), faults.drop(When.AFTER))` lets the next calls fail; events go out by the
Callback API, again until they are answered `ok`, and by Bots Long Poll.
"""

from hub.demo.peers.faults import Fault, When
from hub.demo.peers.vk import faults
from hub.demo.peers.vk.community import Call, Comment, PressAnswer, Sent
from hub.demo.peers.vk.people import Person
from hub.demo.peers.vk.server import Community, VkServer
from hub.demo.peers.vk.stream import Hook, Posted

__all__ = [
    "Call",
    "Comment",
    "Community",
    "Fault",
    "Hook",
    "Person",
    "Posted",
    "PressAnswer",
    "Sent",
    "VkServer",
    "When",
    "faults",
]
