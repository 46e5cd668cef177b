"""Real Asterisks to send calls through: one that asks the hub, one that asks AstDB or a minimal AGI server."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.sip import FALLBACK
from channels.pbx.ami import AmiAddress
from channels.pbx.config import PbxConfig
from channels.pbx.snippet import Part, snippet
from channels.pbx.snippet.mirrored import MARK
from hub.demo.peers.asterisk import AsteriskRunner, asterisk_tree
from hub.demo.peers.office import EXTENSIONS, Office

AMI_USER, AMI_SECRET = "hub", "s3cret"
LINE, ASTDB_LINE = "74951234567", "74950000000"
_RING_S = 20

# What stands in for the hub's question: the same Dial, behind a look into Asterisk's own database.
_ASTDB = """
[hub-inbound](+)
exten => {line},1,Goto(astdb,${{EXTEN}},1)

[astdb]
exten => _X!,1,Set(CDR(userfield)=line:${{FILTER(+0-9,${{EXTEN}})}})
 same => n,Set(HUB_DIAL=${{DB(managers/${{FILTER(0-9,${{CALLERID(num)}})}})}})
 same => n,GotoIf($["${{HUB_DIAL}}"=""]?hub-fallback,s,1)
 same => n,Dial(${{HUB_DIAL}},{ring})
 same => n,Hangup()
"""
_PHONE = "\n[{name}](phone)\naors = {name}\n[{name}](phone-aor)\ncontact = sip:{name}@127.0.0.1:{port}\n"


def plan(folder: Path, provider_port: int, phone_port: int) -> Office:
    """An office whose telephones all wait at one port."""
    phones = dict.fromkeys(EXTENSIONS, phone_port)
    return replace(Office.plan(folder), provider_port=provider_port, phones=phones)


def pbx_config(office: Office, agi_port: int) -> PbxConfig:
    """What the printed dialplan is made of."""
    ami = AmiAddress("127.0.0.1", office.ami_port, AMI_USER, AMI_SECRET)
    return PbxConfig(office.name, ami, agi_port=agi_port, fallback=f"PJSIP/{FALLBACK}", ring_s=_RING_S)


@asynccontextmanager
async def exchange(
    office: Office, agi_port: int, extensions: list[str], looked_up: dict[str, str]
) -> AsyncIterator[AsteriskRunner]:
    """An Asterisk with the shipped dialplan that asks at `agi_port`; calls to `ASTDB_LINE` find whom to dial in AstDB,
    which holds `looked_up`: a number, and what is dialled.
    """
    tree = asterisk_tree()
    config = pbx_config(office, agi_port)
    astdb = _ASTDB.format(line=ASTDB_LINE, ring=_RING_S)
    dialplan, manager, cdr = (snippet(config, part) for part in (Part.DIALPLAN, Part.MANAGER, Part.CDR))
    office.write(tree, dialplan + astdb, manager, cdr)
    phone_port = office.phones[EXTENSIONS[0]]
    with (office.etc / "pjsip.conf").open("a", encoding="utf-8") as file:
        for name in (*extensions, FALLBACK):
            if name not in EXTENSIONS:
                file.write(_PHONE.format(name=name, port=phone_port))
    _fill(_astdb(office), looked_up)
    async with AsteriskRunner(tree, office.run, office.etc) as asterisk:
        yield asterisk


async def mirrored(office: Office, within_s: float = 600.0) -> None:
    """Wait until the hub has told this Asterisk who takes whose calls: it notes that behind the rows. Raises
    TimeoutError.
    """
    async with asyncio.timeout(within_s):
        while not _noted(_astdb(office)):  # noqa: ASYNC110 — another program's file is looked at
            await asyncio.sleep(0.5)


def _noted(path: Path) -> bool:
    key = "/" + "/".join(MARK)
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return conn.execute("SELECT 1 FROM astdb WHERE key = ?", (key,)).fetchone() is not None
    finally:
        conn.close()


def _astdb(office: Office) -> Path:
    return office.run / "lib" / "astdb.sqlite3"


def _fill(path: Path, looked_up: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    conn = sqlite3.connect(path)
    with conn:
        conn.execute("CREATE TABLE astdb (key VARCHAR(256), value VARCHAR(256), PRIMARY KEY(key))")
        rows = ((f"/managers/{number}", dial) for number, dial in looked_up.items())
        conn.executemany("INSERT INTO astdb (key, value) VALUES (?, ?)", rows)
    conn.close()
