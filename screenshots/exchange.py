"""The company's telephone exchange: the scripted one, with a number book that the hub keeps in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hub.demo.peers.scripted_pbx import ScriptedPbx


class Exchange(ScriptedPbx):
    """`ScriptedPbx` that also keeps what it is given to keep, as AstDB does."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]  # whatever the scripted one takes
        self._book: dict[tuple[str, str], str] = {}

    def _act(self, action: Mapping[str, str], writer: asyncio.StreamWriter) -> None:
        family, key, mark = action.get("Family", ""), action.get("Key", ""), {"ActionID": action.get("ActionID", "")}

        def say(**fields: str) -> None:
            lines = "".join(f"{name}: {value}\r\n" for name, value in (fields | mark).items())
            writer.write(f"{lines}\r\n".encode())

        match action.get("Action", "").lower():
            case "dbput":
                self._book[family, key] = action.get("Val", "")
                say(Response="Success", Message="Updated database successfully")
            case "dbdel":
                known = self._book.pop((family, key), None) is not None
                say(
                    Response="Success" if known else "Error",
                    Message="Key deleted" if known else "Database entry not found",
                )
            case "dbgettree":
                say(Response="Success", EventList="start", Message="Result will follow")
                for (of, name), value in self._book.items():
                    if of == family and (not key or name == key or name.startswith(f"{key}/")):
                        say(Event="DBGetTreeResponse", Key=f"/{of}/{name}", Val=value)
                say(Event="DBGetTreeComplete", EventList="Complete", ListItems="0")
            case _:
                super()._act(action, writer)
