"""The operations of a section of the configuration: listed, one by one, added, changed, put away. Made of its form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError, create_model
from pydantic.fields import FieldInfo

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Body, DefinitionRecord, Section
from crm_core.model.definitions.base import Name
from crm_core.model.faults import first_of
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.storage.queries import definitions as queries
from crm_core.storage.queries.pages import Reading
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Id, NoBody, Position, Query, Taken

Check = Callable[[Desk, str, Body], None]


class DefinitionQuery(Query):
    """`archived` shows also what was put away."""

    archived: bool = False


@dataclass(frozen=True, slots=True)
class SectionOperations:
    """A section on the wire. `one` names the schemas («Rule»), `title` and `titles` the operations («a rule», «rules»).

    `name_of` gives the name of a definition whose body names it; `check` refuses a body that the form alone can't
    (raises InvalidInput), `secrets` are keys of the body that are taken but never given.
    """

    section: Section
    path: str
    form: type[Body]
    one: str
    title: str
    titles: str
    keep: Right = Right.CONFIGURE
    name_of: Callable[[Any], str] | None = None
    check: Check | None = None
    secrets: frozenset[str] = frozenset()

    def operations(self) -> tuple[Operation, ...]:
        """All of them."""
        response = self._response()
        page = self._page(response)
        new, patch = self._new(), self._patch()
        path, tag, see = self.path, self.path.strip("/"), queries.seen_by(self.section)

        def shown(record: DefinitionRecord) -> BaseModel:
            return response(**self._shown(record))

        def listed(conn: Reading, call: Call[DefinitionQuery, NoBody]) -> BaseModel:
            found = queries.list_definitions(conn, call.access, self.section, archived=call.query.archived)
            return page(items=[shown(each) for each in found], next=None)

        def one(conn: Reading, call: Call[Query, NoBody]) -> BaseModel:
            return shown(queries.definition(conn, call.access, self.section, call.number()))

        def added(desk: Desk, call: Call[Any, Any]) -> BaseModel:
            given = call.body
            body = self._body(
                {key: getattr(given, key) for key in given.model_fields_set & set(self.form.model_fields)}
            )
            name = self.name_of(body) if self.name_of is not None else given.name
            if self.check is not None:
                self.check(desk, name, body)
            return shown(defining.add(desk, self.section, name, body, call.user.login, given.position))

        def changed(desk: Desk, call: Call[Any, Any]) -> BaseModel:
            given = call.body
            before = defining.one(desk, self.section, call.number())
            values = dict(before.body)
            for key in given.model_fields_set & set(self.form.model_fields):
                value = getattr(given, key)
                values.pop(key, None)
                if value is not None:
                    values[key] = value
            body = self._body(values)
            name = self.name_of(body) if self.name_of is not None else (given.name or before.name)
            if self.check is not None:
                self.check(desk, name, body)
            after = defining.change(
                desk,
                self.section,
                before.id,
                call.user.login,
                name=name,
                body=body,
                position=given.position,
                version=given.version,
            )
            return shown(after)

        def removed(desk: Desk, call: Call[Any, NoBody]) -> None:
            defining.put_away(desk, self.section, call.number(), call.user.login)

        each, of = f"{path}/{{id}}", f"{self.titles}"
        return (
            read(
                path,
                listed,
                tag=tag,
                summary=of.capitalize(),
                right=queries.seen_by(self.section),
                query=DefinitionQuery,
                response=page,
            ),
            act(
                "POST",
                path,
                added,
                tag=tag,
                summary=f"Add {self.title}",
                right=self.keep,
                body=new,
                response=response,
                status=201,
            ),
            read(each, one, tag=tag, summary=f"One of the {of}", right=see, response=response),
            act(
                "PATCH",
                each,
                changed,
                tag=tag,
                summary=f"Change {self.title}: what is not named stays, null is the usual value",
                right=self.keep,
                body=patch,
                response=response,
            ),
            act(
                "DELETE",
                each,
                removed,
                tag=tag,
                summary=f"Put {self.title} away",
                right=self.keep,
                response=None,
            ),
        )

    def _body(self, values: dict[str, Any]) -> Body:
        try:
            return self.form.model_validate(values)
        except ValidationError as err:
            where, why = first_of(err)
            if not where:
                raise InvalidInput(why) from err
            raise InvalidInput("{where}: {why}", where=where, why=why) from err

    def _shown(self, record: DefinitionRecord) -> dict[str, Any]:
        kept = {key: value for key, value in record.body.items() if key not in self.secrets}
        about = {name: getattr(record, name) for name in _ABOUT}
        return {**kept, **about}

    def _response(self) -> type[BaseModel]:
        fields = {name: (info.annotation, info) for name, info in self._fields().items() if name not in self.secrets}
        return _model(self.one, Given, self.form.__doc__, {**_ABOUT, **fields})

    def _page(self, item: type[BaseModel]) -> type[BaseModel]:
        fields = {"items": (list[item], ...), "next": (str | None, None)}  # type: ignore[valid-type]  # made at run time
        return _model(f"{self.one}Page", Given, f"All {self.titles}.", fields)

    def _new(self) -> type[BaseModel]:
        named: dict[str, Any] = {"position": (Position | None, None)}
        if self.name_of is None:
            named["name"] = (Name, ...)
        fields = {name: (info.annotation, info) for name, info in self._fields().items()}
        return _model(f"New{self.one}", Taken, self.form.__doc__, {**fields, **named})

    def _patch(self) -> type[BaseModel]:
        named: dict[str, Any] = {"position": (Position | None, None), "version": (Id | None, None)}
        if self.name_of is None:
            named["name"] = (Name | None, None)
        fields = {name: (info.rebuild_annotation() | None, None) for name, info in self._fields().items()}
        doc = "What is to be changed; `version`, where given, is the one that was seen: 409 where it changed meanwhile."
        return _model(f"{self.one}Change", Taken, doc, {**fields, **named})

    def _fields(self) -> dict[str, FieldInfo]:
        return self.form.model_fields


def _model(name: str, base: type[BaseModel], doc: str | None, fields: dict[str, Any]) -> type[BaseModel]:
    """A schema made of the form's fields; those of a response that have a usual value always show one."""
    return create_model(name, __base__=base, __doc__=doc, **fields)


_ABOUT: dict[str, Any] = {
    "id": (int, ...),
    "name": (str, ...),
    "position": (int, ...),
    "version": (int, ...),
    "archived": (bool, ...),
    "updated_at": (datetime, ...),
    "updated_by": (str, ...),
}
