"""The methods of the API that the server knows, each as strict as VK documents it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from hub.demo.peers.vk.community import FIRST_CHAT, Comment, CommunityState, PressAnswer, Sent
from hub.demo.peers.vk.errors import VkError, bad_keyboard, denied, missing, not_allowed, too_long
from hub.demo.peers.vk.keyboards import checked_keyboard
from hub.demo.peers.vk.people import echo

LONGEST = 9000
LARGEST_RANDOM_ID = 2**31
USERS = 1000
PAGE = 200
SNACKBAR = 90

Parameters = dict[str, str]
Method = Callable[[CommunityState, Parameters, str], Awaitable[Any]]


async def send(community: CommunityState, given: Parameters, _: str) -> Any:
    """messages.send: a repeated random_id is answered as the first time, and nothing is sent."""
    _only(given, "random_id peer_id peer_ids message attachment keyboard")
    random_id = _number(given, "random_id")
    if random_id == 0 or not -LARGEST_RANDOM_ID <= random_id < LARGEST_RANDOM_ID:
        raise missing("random_id is a 32-bit number other than 0")
    several = "peer_ids" in given
    peer_id = _number(given, "peer_ids" if several else "peer_id")
    known = community.by_random_id.get((peer_id, random_id))
    if known is None:
        known = await _send_new(community, given, peer_id, random_id)
    if not several:
        return known.message_id
    return [{"peer_id": peer_id, "message_id": known.message_id, "conversation_message_id": known.cmid}]


async def _send_new(community: CommunityState, given: Parameters, peer_id: int, random_id: int) -> Sent:
    text, attachment = given.get("message", ""), given.get("attachment", "")
    if not text.strip() and not attachment:
        raise missing("message is empty")
    if len(text.encode("utf-16-le")) // 2 > LONGEST:
        raise too_long()
    keyboard = checked_keyboard(given["keyboard"]) if "keyboard" in given else None
    for each in attachment.split(",") if attachment else ():
        if each not in community.saved:
            raise missing(f"attachment {each} is unknown")
    dialogue = community.dialogues.get(peer_id)
    if dialogue is None and peer_id not in community.users:
        raise missing("peer_id is unknown") if peer_id < FIRST_CHAT else VkError(917, "You don't have access to it")
    if dialogue is None or not dialogue.open:
        raise not_allowed()
    number, cmid = community.new_message(dialogue)
    sent = Sent(peer_id, number, cmid, random_id, text, attachment, keyboard)
    community.by_random_id[peer_id, random_id] = sent
    dialogue.messages[cmid] = echo(community, sent)
    # Everybody who listens is told, the sender too; often before the call is answered.
    await community.tell("message_reply", dialogue.messages[cmid])
    community.sent.append(sent)
    return sent


async def get_by_id(community: CommunityState, given: Parameters, _: str) -> Any:
    """messages.getById."""
    _only(given, "message_ids group_id")
    wanted = {int(each) for each in _text(given, "message_ids").split(",")}
    every = (message for each in community.dialogues.values() for message in each.messages.values())
    found = [message for message in every if message["id"] in wanted]
    return {"count": len(found), "items": found}


async def get_conversations(community: CommunityState, given: Parameters, _: str) -> Any:
    """messages.getConversations: the newest first."""
    _only(given, "count offset group_id filter")
    start, count = int(given.get("offset", "0")), int(given.get("count", "20"))
    if count > PAGE:
        raise missing("count is at most 200")
    last = [(each.messages[max(each.messages)], each) for each in community.dialogues.values() if each.messages]
    last.sort(key=lambda each: each[0]["date"], reverse=True)
    items = [
        {
            "conversation": {"peer": {"id": each.peer_id, "type": "user", "local_id": each.peer_id}},
            "last_message": newest,
        }
        for newest, each in last[start : start + count]
    ]
    return {"count": len(last), "items": items}


async def get_history(community: CommunityState, given: Parameters, _: str) -> Any:
    """messages.getHistory: the newest first."""
    _only(given, "peer_id count offset group_id")
    start, count = int(given.get("offset", "0")), int(given.get("count", "20"))
    if count > PAGE:
        raise missing("count is at most 200")
    messages = community.dialogue(_number(given, "peer_id")).messages
    newest = [messages[number] for number in sorted(messages, reverse=True)]
    return {"count": len(newest), "items": newest[start : start + count]}


async def set_activity(community: CommunityState, given: Parameters, _: str) -> Any:
    """messages.setActivity: to somebody whom the community may write to."""
    _only(given, "user_id type peer_id group_id")
    if _text(given, "type") not in {"typing", "audiomessage"}:
        raise missing("type is typing or audiomessage")
    dialogue = community.dialogues.get(_number(given, "peer_id"))
    if dialogue is None or not dialogue.open:
        raise not_allowed()
    return 1


async def answer_press(community: CommunityState, given: Parameters, _: str) -> Any:
    """messages.sendMessageEventAnswer: once, by whom it was pressed."""
    _only(given, "event_id user_id peer_id event_data")
    event_id, user, peer = _text(given, "event_id"), _number(given, "user_id"), _number(given, "peer_id")
    if community.open_presses.pop(event_id, None) != (user, peer):
        raise missing("event_id is unknown or answered")
    data = given.get("event_data", "")
    if data:
        shown = json.loads(data)
        if shown.get("type") != "show_snackbar" or not 1 <= len(shown.get("text", "")) <= SNACKBAR:
            raise bad_keyboard("event_data")
    community.presses.append(PressAnswer(event_id, user, peer, data))
    return 1


async def users_get(community: CommunityState, given: Parameters, _: str) -> Any:
    """users.get."""
    _only(given, "user_ids fields lang")
    ids = [int(each) for each in _text(given, "user_ids").split(",")]
    if len(ids) > USERS:
        raise missing("user_ids has more than 1000 ids")
    return [community.users[each] for each in ids if each in community.users]


# ---------------------------------------------------------------- the community itself


async def get_community(community: CommunityState, given: Parameters, _: str) -> Any:
    """groups.getById."""
    _only(given, "group_id group_ids fields")
    group = {"id": community.group_id, "name": community.name, "screen_name": f"club{community.group_id}"}
    return {"groups": [group], "profiles": []}


async def permissions(community: CommunityState, given: Parameters, _: str) -> Any:
    """groups.getTokenPermissions."""
    _only(given, "")
    granted = [{"name": name, "setting": 1} for name in sorted(community.rights)]
    return {"mask": len(granted), "permissions": granted}


async def longpoll_server(community: CommunityState, given: Parameters, base: str) -> Any:
    """groups.getLongPollServer."""
    _own(community, given)
    if not community.longpoll_on:
        raise VkError(100, "One of the parameters specified was missing or invalid: longpoll for this group is not on")
    return community.longpoll.server(f"{base}/longpoll/{community.group_id}")


async def longpoll_settings(community: CommunityState, given: Parameters, _: str) -> Any:
    """groups.getLongPollSettings."""
    _own(community, given)
    return {"is_enabled": community.longpoll_on, "api_version": community.api_version, "events": _events(community)}


async def callback_servers(community: CommunityState, given: Parameters, _: str) -> Any:
    """groups.getCallbackServers."""
    _own(community, given)
    hook = community.callback.hook
    if hook is None:
        return {"count": 0, "items": []}
    server = {"id": 1, "title": "hub", "creator_id": 1, "url": hook.url, "secret_key": hook.secret}
    return {"count": 1, "items": [{**server, "status": hook.status}]}


async def callback_settings(community: CommunityState, given: Parameters, _: str) -> Any:
    """groups.getCallbackSettings."""
    _own(community, given, "server_id")
    return {"api_version": community.api_version, "events": _events(community)}


async def confirmation_code(community: CommunityState, given: Parameters, _: str) -> Any:
    """groups.getCallbackConfirmationCode."""
    _own(community, given)
    hook = community.callback.hook
    return {"code": hook.confirmation if hook is not None else ""}


def _events(community: CommunityState) -> dict[str, int]:
    return {name: int(name in community.events_on) for name in sorted({*community.events_on, "message_new"})}


def _own(community: CommunityState, given: Parameters, more: str = "") -> None:
    _only(given, f"group_id {more}")
    if "manage" not in community.rights:
        raise denied("no access to call this method")
    if _number(given, "group_id") != community.group_id:
        raise denied("group_id is another community's")


# ---------------------------------------------------------------- comments


def comment_method(kind: str, item: str, *, group: str) -> Method:
    """`wall.createComment` and its like."""

    async def create(community: CommunityState, given: Parameters, _: str) -> Any:
        _only(given, f"owner_id group_id {item} from_group message attachments reply_to_comment guid")
        owner = _number(given, "owner_id") if kind != "board" else -_number(given, "group_id")
        where = f"{kind}:{owner}_{_number(given, item)}"
        if _number(given, "from_group") != (community.group_id if group == "id" else 1):
            raise denied("a community comments under its own name")
        text, attachments = given.get("message", ""), given.get("attachments", "")
        if not text.strip() and not attachments:
            raise missing("message is empty")
        known = community.by_guid.get((where, _text(given, "guid")))
        if known is None:
            answers = int(given["reply_to_comment"]) if "reply_to_comment" in given else None
            known = Comment(where, community.new_object(), text, attachments, answers)
            community.by_guid[where, given["guid"]] = known
            if kind == "wall":
                await community.tell("wall_reply_new", _own_comment(community, known, owner, given))
            community.comments.append(known)
        return {"comment_id": known.number, "parents_stack": []} if kind == "wall" else known.number

    return create


def _own_comment(community: CommunityState, comment: Comment, owner: int, given: Parameters) -> dict[str, Any]:
    return {
        "id": comment.number,
        "from_id": -community.group_id,
        "date": community.now(),
        "text": comment.text,
        "post_owner_id": owner,
        "owner_id": owner,
        "post_id": int(given["post_id"]),
        "parents_stack": [],
        **({"reply_to_comment": comment.answers, "reply_to_user": 1} if comment.answers else {}),
    }


# ---------------------------------------------------------------- files


def upload_server(kind: str) -> Method:
    """`photos.getMessagesUploadServer` and its like."""

    async def give(community: CommunityState, given: Parameters, base: str) -> Any:
        _only(given, "peer_id type group_id")
        if kind == "doc" and "peer_id" in given and given.get("type") not in {"doc", "audio_message", "graffiti"}:
            raise missing("type is doc, audio_message or graffiti")
        return {"upload_url": f"{base}/upload/{community.group_id}/{given.get('type', kind)}"}

    return give


async def save_photo(community: CommunityState, given: Parameters, _: str) -> Any:
    """photos.saveMessagesPhoto."""
    _only(given, "photo server hash")
    kind, name, content = _uploaded(community, _text(given, "photo"))
    if kind != "photo" or _text(given, "hash") != "h" or _number(given, "server") != 7:
        raise VkError(121, "Invalid hash")
    number = community.new_object()
    community.saved[f"photo-{community.group_id}_{number}_key"] = (name, content)
    return [{"id": number, "owner_id": -community.group_id, "access_key": "key", "sizes": []}]


async def save_doc(community: CommunityState, given: Parameters, _: str) -> Any:
    """docs.save."""
    _only(given, "file title tags")
    kind, _name, content = _uploaded(community, _text(given, "file"))
    number = community.new_object()
    kind = "audio_message" if kind == "audio_message" else "doc"
    saved = {"id": number, "owner_id": -community.group_id, "title": given.get("title", ""), "access_key": "key"}
    community.saved[f"{kind}-{community.group_id}_{number}_key"] = (given.get("title", ""), content)
    return {"type": kind, kind: saved}


def _uploaded(community: CommunityState, ticket: str) -> tuple[str, str, bytes]:
    found = community.uploads.pop(ticket, None)
    if found is None:
        raise VkError(22, "Upload error")
    return found


# ---------------------------------------------------------------- parameters


def _only(given: Parameters, allowed: str) -> None:
    unknown = set(given) - set(allowed.split())
    if unknown:
        raise missing(f"{sorted(unknown)} is no parameter of this method")


def _text(given: Parameters, name: str) -> str:
    if not given.get(name):
        raise missing(f"{name} is required")
    return given[name]


def _number(given: Parameters, name: str) -> int:
    try:
        return int(_text(given, name))
    except ValueError as error:
        raise missing(f"{name} not integer") from error


METHODS: dict[str, Method] = {
    "messages.send": send,
    "messages.getById": get_by_id,
    "messages.getConversations": get_conversations,
    "messages.getHistory": get_history,
    "messages.sendMessageEventAnswer": answer_press,
    "messages.setActivity": set_activity,
    "users.get": users_get,
    "groups.getById": get_community,
    "groups.getTokenPermissions": permissions,
    "groups.getLongPollServer": longpoll_server,
    "groups.getLongPollSettings": longpoll_settings,
    "groups.getCallbackServers": callback_servers,
    "groups.getCallbackSettings": callback_settings,
    "groups.getCallbackConfirmationCode": confirmation_code,
    "wall.createComment": comment_method("wall", "post_id", group="id"),
    "photos.createComment": comment_method("photo", "photo_id", group="1"),
    "video.createComment": comment_method("video", "video_id", group="1"),
    "market.createComment": comment_method("market", "item_id", group="1"),
    "board.createComment": comment_method("board", "topic_id", group="1"),
    "photos.getMessagesUploadServer": upload_server("photo"),
    "docs.getMessagesUploadServer": upload_server("doc"),
    "docs.getWallUploadServer": upload_server("doc"),
    "photos.saveMessagesPhoto": save_photo,
    "docs.save": save_doc,
}
