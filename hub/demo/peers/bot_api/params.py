"""A call's parameters: read from any encoding the Bot API takes, checked against aiogram's model of the method."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from aiogram.methods.base import TelegramMethod
from aiogram.types import BufferedInputFile, InputFile
from aiohttp import BodyPartReader, web
from pydantic import BaseModel, ValidationError

from hub.demo.peers.bot_api.errors import ApiError, bad_request, too_large
from hub.demo.peers.bot_api.wire import surplus

M = TypeVar("M", bound=TelegramMethod[Any])

UPLOAD_LIMIT = 50 * 1024 * 1024
_UPLOADED = frozenset({"media", "thumbnail"})
_EMPTY = {"chat_id": "chat_id is empty", "text": "message text is empty"}


@dataclass(slots=True)
class RawCall:
    """Parameters as sent: values (strings, or any JSON), and uploaded files by part name."""

    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, BufferedInputFile] = field(default_factory=dict)


async def read_call(request: web.Request) -> RawCall:
    """Query string and body of a request; raises ApiError."""
    call = RawCall(values=dict(request.query))
    if request.method == "GET" or not request.body_exists:
        return call
    if request.content_type == "multipart/form-data":
        await _read_multipart(request, call)
    elif request.content_type == "application/json":
        call.values.update(_json_object(await request.read()))
    else:
        for name, value in (await request.post()).items():
            call.values[name] = value
    return call


async def _read_multipart(request: web.Request, call: RawCall) -> None:
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise bad_request("can't parse multipart body")
            content = await _content(part)
            if part.filename is not None:
                call.files[part.name] = BufferedInputFile(content, part.filename)
            else:
                call.values[part.name] = content.decode()
    except ValueError as error:
        raise bad_request("can't parse multipart body") from error


async def _content(part: BodyPartReader) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(256 * 1024):
        content += chunk
        if len(content) > UPLOAD_LIMIT:
            raise too_large()
    return bytes(content)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        values = json.loads(body)
    except ValueError as error:
        raise bad_request("can't parse JSON object") from error
    if not isinstance(values, dict):
        raise bad_request("object expected as JSON body")
    return values


def parse(model: type[M], call: RawCall) -> M:
    """The call as aiogram's method object; raises ApiError for anything that its model does not allow.

    Stricter than Telegram on purpose: a parameter that does not exist is refused instead of ignored.
    """
    values = {name: value for name, value in call.values.items() if value is not None}
    for name, upload in call.files.items():
        if name in model.model_fields:
            values.setdefault(name, upload)
    prepared = {name: _prepared(model, name, value, call) for name, value in values.items()}
    try:
        parsed = model.model_validate(prepared)
    except ValidationError as error:
        raise _refusal(error) from error
    unknown = list(surplus(parsed))
    if unknown:
        raise bad_request(f"unknown parameter {', '.join(unknown)}")
    return parsed


def _prepared(model: type[M], name: str, value: object, call: RawCall) -> object:
    info = model.model_fields.get(name)
    if info is None or not isinstance(value, str):
        return value
    kinds = _kinds(info.annotation)
    if InputFile in kinds and value.startswith("attach://"):
        return _upload(value, call)
    if name == "chat_id" and value.lstrip("-").isdigit():
        return int(value)
    if any(kind is list or kind is dict or issubclass(kind, BaseModel) for kind in kinds):
        try:
            return _with_files(json.loads(value), call)
        except ValueError as error:
            raise bad_request(f"can't parse {name} JSON object") from error
    return value


def _with_files(value: object, call: RawCall) -> object:
    """The items of an album with their uploads in place; everything else as it is."""
    if not isinstance(value, list):
        return value
    return [
        {name: _upload(field, call) if name in _UPLOADED else field for name, field in each.items()}
        if isinstance(each, dict)
        else each
        for each in value
    ]


def _upload(source: object, call: RawCall) -> object:
    if not isinstance(source, str) or not source.startswith("attach://"):
        return source
    upload = call.files.get(source.removeprefix("attach://"))
    if upload is None:
        raise bad_request(f"file with attachment name {source.removeprefix('attach://')} not found")
    return upload


def _kinds(annotation: Any) -> set[type]:
    """The plain types an annotation allows: `list[X] | None` allows list and NoneType."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return set().union(*(_kinds(part) for part in get_args(annotation)))
    if origin is not None:
        return _kinds(origin)
    return {annotation} if isinstance(annotation, type) else set()


def _refusal(error: ValidationError) -> ApiError:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing" and name in _EMPTY:
        return bad_request(_EMPTY[name])
    if first["type"] == "missing" and len(first["loc"]) == 1:
        return bad_request(f"parameter {name} is required")
    return bad_request(f"can't parse {name}: {first['msg']}")
