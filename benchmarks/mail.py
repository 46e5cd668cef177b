"""(g) Mails a second: brought by SMTP, and fetched by IMAP from a folder of 50,000, at what memory.

SMTP is measured beside aiosmtpd that answers 250 and does nothing else, IMAP beside IMAPClient that fetches and
forgets; all in this run, the senders and the fetchers in processes of their own, the folder on a real Dovecot.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks.engines import ENGINES, add_people, fresh_urls, migrated
from benchmarks.mails import content
from benchmarks.measuring import Report, Row
from channels.email import EmailChannel
from crm_core.messages import ChannelKey
from hub.bootstrap import build
from hub.demo.peers.process import free_port
from hub.settings import parse_settings
from tests.peers.mail import DovecotServer

MAILS, WARM_UP, CONNECTIONS = 2_000, 200, 10
FOLDER = int(os.environ.get("BENCH_MAILBOX", "50000"))
WHOLE = 5_000
AIM, MEMORY_AIM, SLACK_MB = 0.5, 1.05, 5
WITHIN_S = 600
_CONFIG = """
database_url = "{url}"
files = "{folder}/files"
[[email]]
name = "sales"
address = "sales@example.org"
listen = "127.0.0.1:{port}"
"""


async def measure() -> Report:
    """SMTP on both engines, then IMAP."""
    report = Report("mail: mails a second, and the memory of fetching a large folder")
    bare = await _bare_smtp()
    for engine in ENGINES:
        with fresh_urls(engine) as urls:
            ours = await _smtp(next(urls))
        _compare(report, f"SMTP in, {engine}", ours, bare)
    await _imap(report)
    return report


def _compare(report: Report, what: str, ours: dict[str, float], bare: dict[str, float]) -> None:
    ratio = ours["rate"] / bare["rate"]
    aim = f"≥ {AIM:.2f} or the database's limit"
    report.rows.append(
        Row(what, f"{ours['rate']:,.0f}/s", f"{bare['rate']:,.0f}/s", ratio, aim, True if ratio >= AIM else None)
    )
    for name, found in (("hub", ours), ("bare", bare)):
        report.notes.append(f"{what}, {name}: p50 {found['p50_ms']:.1f} ms, p99 {found['p99_ms']:.1f} ms")


class _Takes:
    """Answers 250 and keeps nothing."""

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        return "250 OK"


async def _bare_smtp() -> dict[str, float]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(_Takes(), loop=loop, enable_SMTPUTF8=True), "127.0.0.1", 0)
    try:
        return await _brought(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


async def _smtp(url: str) -> dict[str, float]:
    """The whole hub in this process."""
    with TemporaryDirectory() as folder:
        port = free_port()
        hub = build(parse_settings(_CONFIG.format(url=url, folder=folder, port=port), folder=Path(folder)))
        await hub.start()
        try:
            await hub.store.run(add_people)
            await hub.outbox.stop()  # nobody answers on the other side; what is measured is the way in
            assert isinstance(hub.channels[ChannelKey("email", "sales")], EmailChannel)
            return await _brought(port)
        finally:
            await hub.stop()


async def _brought(port: int) -> dict[str, float]:
    return await _child("benchmarks.mail_sender", port, WARM_UP, MAILS, CONNECTIONS)


async def _imap(report: Report) -> None:
    first = max(FOLDER // 10, 100)
    with DovecotServer() as server, fresh_urls("postgresql") as urls:
        await asyncio.to_thread(server.fill, (content(number).replace(b"\r\n", b"\n") for number in range(FOLDER)))
        bare = await _folder("bare", "-", server.port, first, FOLDER)  # the first look builds Dovecot's index
        bare = await _folder("bare", "-", server.port, first, FOLDER)
        url = next(urls)
        await (await migrated(url)).stop()
        alone = await _folder("connector", url, server.port, first, FOLDER)
        _compare(report, f"IMAP, {FOLDER:,} mails, connector alone", alone, bare)
        report.rows.append(
            Row(
                f"memory after {FOLDER:,} mails against {first:,}",
                f"{alone['after']:.1f} MB",
                f"{alone['before']:.1f} MB",
                alone["after"] / alone["before"],
                f"≤ {MEMORY_AIM:.2f} × + {SLACK_MB} MB",
                alone["after"] <= alone["before"] * MEMORY_AIM + SLACK_MB,
            )
        )
        whole = min(WHOLE, FOLDER)
        url = next(urls)
        await (await migrated(url)).stop()
        _compare(
            report,
            f"IMAP, {whole:,} mails, whole hub, postgresql",
            await _folder("hub", url, server.port, whole // 10, whole),
            bare,
        )
    report.notes.append("IMAP: p50 and p99 are of a hundred mails, from one commit to the next")


async def _folder(kind: str, url: str, port: int, first: int, wanted: int) -> dict[str, float]:
    return await _child("benchmarks.mail_folder", kind, url, port, first, wanted)


async def _child(module: str, *arguments: object) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *(str(each) for each in arguments), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"{module} ended with {process.returncode}")
    found: dict[str, float] = orjson.loads(out.splitlines()[-1])
    return found
