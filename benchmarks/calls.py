"""(d) From a client's INVITE to the telephone's through real Asterisks, with 100,000 clients; calls are answered.

Three ways in turn, in one run: the hub with the shipped dialplan; the same dialplan asking the smallest AGI server that
can be; the same Dial behind a look into AstDB. The hub hears of its calls over AMI and writes them down meanwhile, as
it does for a user; the two others have an Asterisk of their own that tells nobody.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from benchmarks.engines import FIRST_NUMBER, fresh_urls, with_clients
from benchmarks.exchanges import AMI_SECRET, AMI_USER, ASTDB_LINE, LINE, exchange, mirrored, plan
from benchmarks.measuring import Report, Row, percentile
from benchmarks.processes import CpuShare, quiet, resident_mb
from benchmarks.sip import Entrance, Heard, SipOffice, sip_office
from benchmarks.waiting import serving
from hub.demo.peers.office import PROVIDER, Office
from hub.demo.peers.process import PeerProcess, free_port

ENGINE = "postgresql"
CONTACTS = 100_000
MANAGERS = 100
RATES = (20, 50)
ROUNDS = 3
ROUND_S = 7
WARM_UP = 40
P50_AIM, P95_AIM = 1.2, 1.5
_CONFIG = """
database_url = "{url}"
http = "127.0.0.1:{http}"
files = "{folder}/files"
log = "json"
[[pbx]]
name = "office"
ami = "ami://{user}:{secret}@127.0.0.1:{ami}"
agi = "127.0.0.1:{agi}"
cdr = "{cdr}"
wrap = "0s"
[[line]]
number = "+{line}"
pbx = "office"
group = "sales"
"""


@dataclass(slots=True)
class Way:
    """One way for a call to be decided, and what was heard at each rate."""

    name: str
    entrance: Entrance
    heard: dict[int, Heard] = field(default_factory=lambda: {rate: Heard() for rate in RATES})


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that runs: the hub's process id, the minimal server's, and the three ways, the hub's first."""

    hub: int
    minimal: int
    people: SipOffice
    ways: tuple[Way, Way, Way]


async def measure() -> Report:
    """All three ways at both rates, in turn."""
    report = Report("calls: from INVITE to INVITE with 100,000 contacts")
    with fresh_urls(ENGINE) as urls, TemporaryDirectory(prefix="hub-bench-") as folder:
        url = next(urls)
        await with_clients(url, CONTACTS, MANAGERS)
        async with _scene(url, Path(folder)) as scene:
            await _run(scene, report)
    return report


async def _run(scene: Scene, report: Report) -> None:
    callers = _callers()
    for way in scene.ways:
        await scene.people.calls(way.entrance, [next(callers) for _ in range(WARM_UP)], RATES[0])
    shares: dict[int, list[float]] = {rate: [] for rate in RATES}
    minimal: dict[int, list[float]] = {rate: [] for rate in RATES}
    for _ in range(ROUNDS):
        for rate in RATES:
            for way in scene.ways:
                # what the hub still has to write of its own calls must not burden the others
                await quiet([scene.hub])
                ours, theirs = CpuShare(scene.hub), CpuShare(scene.minimal)
                wanted = [next(callers) for _ in range(rate * ROUND_S)]
                way.heard[rate].add(await scene.people.calls(way.entrance, wanted, rate))
                if way is scene.ways[0]:
                    shares[rate].append(ours.share())
                elif way is scene.ways[1]:
                    minimal[rate].append(theirs.share())
    for rate in RATES:
        rows(report, rate, *(way.heard[rate] for way in scene.ways))
    for rate in RATES:
        ours_pc, theirs_pc = (100 * sum(each[rate]) / ROUNDS for each in (shares, minimal))
        what = f"processor time at {rate} calls/s"
        report.rows.append(Row(what, f"{ours_pc:.0f} % of a core", f"{theirs_pc:.0f} %", None, "", None))
    report.notes.append(
        f"{ENGINE}; {ROUNDS} rounds of {ROUND_S} s each way and rate; memory of the hub {resident_mb(scene.hub):.0f} MB"
    )


def rows(report: Report, rate: int, hub: Heard, minimal: Heard, astdb: Heard) -> None:
    """The figures of one rate: p50 and p95 against both others, and what failed."""
    for name, other, aims in (("minimal AGI", minimal, (P50_AIM, P95_AIM)), ("AstDB", astdb, (None, None))):
        for share, aim in zip((0.5, 0.95), aims, strict=True):
            ours, theirs = percentile(hub.delays_ms, share), percentile(other.delays_ms, share)
            ratio = ours / theirs if theirs else None
            met = ratio is not None and ratio <= aim if aim is not None else None
            what = f"{rate} calls/s, p{share * 100:.0f}, against {name}"
            aimed = f"≤ {aim:.1f} ×" if aim is not None else ""
            report.rows.append(Row(what, f"{ours:.2f} ms", f"{theirs:.2f} ms", ratio, aimed, met))
    failed = len(hub.failures)
    others = len(minimal.failures) + len(astdb.failures)
    total = failed + len(hub.delays_ms)
    what = f"{rate} calls/s, failed of {total:,}"
    report.rows.append(Row(what, str(failed), str(others), None, "none", not failed and total > 0))
    for each in hub.failures[:5]:
        report.notes.append(f"{rate} calls/s: failed through the hub: {each}")
    if hub.elsewhere:
        report.notes.append(f"{rate} calls/s: {hub.elsewhere} rang somebody other than their own manager, who was busy")


def _callers() -> Iterator[tuple[str, str]]:
    """A number, and the extension of its manager; neighbours have different managers, no number comes twice soon."""
    position = 0
    while True:
        number = position * 37 % CONTACTS
        yield str(FIRST_NUMBER + number), str(101 + number % MANAGERS)
        position += 1


@asynccontextmanager
async def _scene(url: str, folder: Path) -> AsyncIterator[Scene]:
    provider_port, phone_port = free_port(PROVIDER, socket.SOCK_DGRAM), free_port(kind=socket.SOCK_DGRAM)
    asking, telling = (plan(folder / name, provider_port, phone_port) for name in ("a", "b"))
    agi, minimal_agi, http = free_port(), free_port(), free_port()
    extensions = [str(101 + number) for number in range(MANAGERS)]
    looked_up = {str(FIRST_NUMBER + number): f"PJSIP/{101 + number % MANAGERS}" for number in range(CONTACTS)}
    config = folder / "hub.toml"
    config.write_text(_configuration(url, folder, asking, http, agi), encoding="utf-8")
    async with AsyncExitStack() as stack:
        for office, port in ((asking, agi), (telling, minimal_agi)):
            await stack.enter_async_context(exchange(office, port, extensions, looked_up))
        hub = await PeerProcess.start(
            [sys.executable, "-m", "hub", "run"], output=folder / "hub.log", env={"HUB_CONFIG": str(config)}
        )
        stack.push_async_callback(hub.stop)
        arguments = (str(minimal_agi), str(CONTACTS), str(MANAGERS))
        minimal = await PeerProcess.start(
            [sys.executable, "-m", "benchmarks.minimal_agi", *arguments], output=folder / "minimal.log"
        )
        stack.push_async_callback(minimal.stop)
        for port, process in ((agi, hub), (http, hub), (minimal_agi, minimal)):
            await serving(port, process)
        await _ready(http, hub, asking)
        people = await stack.enter_async_context(sip_office((PROVIDER, provider_port), ("127.0.0.1", phone_port)))
        ways = (
            Way("hub", Entrance(("127.0.0.1", asking.sip_port), LINE)),
            Way("minimal AGI", Entrance(("127.0.0.1", telling.sip_port), LINE)),
            Way("AstDB", Entrance(("127.0.0.1", telling.sip_port), ASTDB_LINE)),
        )
        yield Scene(hub.pid, minimal.pid, people, ways)


def _configuration(url: str, folder: Path, office: Office, http: int, agi: int) -> str:
    return _CONFIG.format(
        url=url, http=http, folder=folder, user=AMI_USER, secret=AMI_SECRET, ami=office.ami_port, agi=agi,
        cdr=office.cdr, line=LINE,
    )  # fmt: skip


async def _ready(http: int, hub: PeerProcess, asking: Office) -> None:
    """Wait until the hub is linked to its Asterisk and has done what it does at a start."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{http}/readyz") as response:
        if response.status != 200:
            raise RuntimeError(f"the hub is not ready: {await response.text()}; {hub.printed()}")
    await mirrored(asking)
    await quiet([hub.pid])
