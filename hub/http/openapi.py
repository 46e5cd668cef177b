"""The description of the API (OpenAPI 3.1), made from the operations themselves."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from hub.http.language import HEADER
from hub.http.operations import Kind, Operation
from hub.http.types import Given, NoBody, NoQuery
from hub.tongues import LANGUAGES

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"{(\w+)}")
_LANGUAGE = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "In which language problems and other texts for people are told: ru or en. Without it that of the pages of"
        " whoever asks, else the office's. `type` and the codes in answers are the same in all."
    ),
    "schema": {"type": "string"},
    "example": "en",
}


class FlawJson(Given):
    """What is wrong at one place: a JSON pointer into the body, or `?name` for a query parameter."""

    pointer: str
    detail: str


class ProblemJson(Given):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FlawJson] = Field(default_factory=list)
    correlation_id: str = ""


def describe(operations: tuple[Operation, ...], prefix: str, title: str, version: str) -> dict[str, Any]:
    """The whole document."""
    refs, definitions = _schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(prefix + operation.path, {})[operation.method.lower()] = _operation(operation, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "parameters": {"AcceptLanguage": _LANGUAGE},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Problem": {
                    "description": "What went wrong",
                    "headers": {
                        "Content-Language": {
                            "description": "In which language title and detail are",
                            "schema": {"type": "string", "enum": list(LANGUAGES)},
                        }
                    },
                    "content": {"application/problem+json": {"schema": refs[ProblemJson, "serialization"]}},
                }
            },
        },
    }


Refs = dict[tuple[Any, JsonSchemaMode], dict[str, Any]]


def _schemas(operations: tuple[Operation, ...]) -> tuple[Refs, dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemJson, "serialization"): None}
    for operation in operations:
        if operation.body is not NoBody:
            wanted[operation.body, "validation"] = None
        if operation.response is not None:
            wanted[operation.response, "serialization"] = None
    refs, document = models_json_schema(list(wanted), ref_template=_REF)
    return dict(refs), document.get("$defs", {})


def _operation(operation: Operation, refs: Refs) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Right: {operation.right.value}.",
        "tags": [operation.tag],
        "parameters": [
            *_path_parameters(operation),
            *_query_parameters(operation),
            *_headers(operation),
            {"$ref": "#/components/parameters/AcceptLanguage"},
        ],
        "responses": {
            str(operation.status): _success(operation, refs),
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if operation.body is not NoBody:
        schema = refs[operation.body, "validation"]
        needed = any(field.is_required() for field in operation.body.model_fields.values())
        found["requestBody"] = {"required": needed, "content": {"application/json": {"schema": schema}}}
    elif operation.takes_media == "multipart/form-data":
        file = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
        found["requestBody"] = {"required": True, "content": {operation.takes_media: {"schema": file}}}
    return found


def _success(operation: Operation, refs: Refs) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done"}
    if operation.response is not None:
        answer["content"] = {"application/json": {"schema": refs[operation.response, "serialization"]}}
    elif operation.kind is Kind.OWN:
        answer["content"] = {operation.media: {"schema": {"type": "string"}}}
    return answer


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in _PARAMETER.findall(operation.path):
        number = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
        schema: dict[str, Any] = number if name.endswith("id") else {"type": "string", "minLength": 1}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    return found


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is NoQuery:
        return []
    schema = operation.query.model_json_schema(ref_template=_REF)
    definitions = schema.get("$defs", {})
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _inlined(each, definitions)}
        for name, each in schema.get("properties", {}).items()
    ]


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema without references; null, which a query can't say, left out."""
    match schema:
        case {"$ref": str(reference)}:
            return _inlined(definitions[reference.rpartition("/")[2]], definitions)
        case {"anyOf": [*options], **rest}:
            kept = [_inlined(each, definitions) for each in options if each != {"type": "null"}]
            others = {name: value for name, value in rest.items() if not (name == "default" and value is None)}
            return {**kept[0], **others} if len(kept) == 1 else {"anyOf": kept, **others}
        case dict():
            return {name: _inlined(value, definitions) for name, value in schema.items()}
        case list():
            return [_inlined(each, definitions) for each in schema]
        case _:
            return schema


def _headers(operation: Operation) -> list[dict[str, Any]]:
    if operation.method != "POST":
        return []
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same key with the same request acts once; kept for 24 hours",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }
    ]
