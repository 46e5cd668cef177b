"""The commands know the accounts of the record beside those of hub.toml."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from crm_core.model.definitions.accounts import AccountKind
from hub.demo.peers.process import free_port
from tests.integration.accounts.world import KEY, a_node


def _hub(folder: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    environ |= {"HUB_DATABASE_URL": url, "HUB_SECRET_KEY": KEY, "HUB_HTTP": f"127.0.0.1:{free_port()}"}
    command = [sys.executable, "-m", "hub", *words]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=120)


async def test_check_and_snippet_know_the_accounts_of_the_record(furnished_sqlite: str, tmp_path: Path) -> None:
    async with a_node(furnished_sqlite, tmp_path) as node:
        agi = f"127.0.0.1:{free_port()}"
        await node.add(AccountKind.PBX, "office", ami="ami://hub:s3cret-of-ami@127.0.0.1:9", agi=agi)
        await node.add(AccountKind.WEB, "site", key="form-key")
    checked = await asyncio.to_thread(_hub, tmp_path, furnished_sqlite, "check", "--json")
    parts = {each["part"]: each for each in json.loads(checked.stdout)["parts"]}
    assert parts["web:site"]["ok"]
    assert parts["agi:office"]["ok"]
    assert "АТС не отвечает" in parts["pbx:office"]["detail"]
    assert "s3cret-of-ami" not in checked.stdout
    printed = await asyncio.to_thread(_hub, tmp_path, furnished_sqlite, "asterisk", "snippet", "--part", "manager")
    assert "secret = s3cret-of-ami" in printed.stdout
