"""What holds for every test: its place in the order, no socket in unit tests, nothing left running, nothing skipped."""

import asyncio
import gc
import inspect
import os
import socket
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import structlog
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from hub.demo.peers.process import share_ports

pytest_plugins = ("tests.peers.fixtures",)

TESTS = Path(__file__).parent
ORDER = ("unit", "contract", "integration", "e2e")
TOGETHER = ("tests/integration/pbx/", "tests/e2e/workspace/", "tests/e2e/")
GRACE_S = 20.0

# To ask a server on the loopback first whether it speaks TLS would cost every connection a context of its own.
os.environ.setdefault("PGSSLMODE", "disable")

# Nothing that is loaded before the first test is garbage; see `pytest_collection_finish`
gc.disable()

# A traceback as structlog draws it by itself, with all values in boxes, takes longer than most tests
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

settings.register_profile("local", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# Beside other workers: gw0, gw1, …
share_ports(
    int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")),
    int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")),
)


def _kind(path: Path) -> str:
    """`unit`, `contract`, … by the folder that the test lies in."""
    return path.relative_to(TESTS).parts[0] if path.is_relative_to(TESTS) else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first."""
    items.sort(key=lambda item: ORDER.index(_kind(item.path)) if _kind(item.path) in ORDER else len(ORDER))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """All tests and modules stay to the end: the collector of garbage need not look at them each time."""
    gc.freeze()
    gc.enable()


class Sharing(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Of several workers one has all tests with an Asterisk, another all of the workspace in a browser, another all
    others of the whole program with its peers: so few of these run at a time, and they begin with the run, for they
    take longest. The rest is shared one by one.

    By path: the marks by which xdist can share are lost on the nodes of the pytest that we use.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing:
    """How tests are shared between workers."""
    return Sharing(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips itself has not been run, so it has failed; an expected failure is none of ours either."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be skipped here: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def _no_sockets_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if _kind(request.node.path) != "unit":
        return

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a unit test opens no sockets")

    for method in ("connect", "connect_ex", "bind", "listen"):
        monkeypatch.setattr(socket.socket, method, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(autouse=True)
def _nothing_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    before = set(threading.enumerate())
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("_no_task_left_running")
    yield
    for thread in set(threading.enumerate()) - before:
        # The event loop's own pool ends with the loop, which may come after this.
        if not thread.daemon and not thread.name.startswith("asyncio_"):
            thread.join(GRACE_S)
            assert not thread.is_alive(), f"the test left {thread} running"


@pytest.fixture
async def _no_task_left_running() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        # One that was cancelled, or whose last await is over, needs only a turn of the loop, or of a thread that is
        # about to end.
        _, left = await asyncio.wait(left, timeout=GRACE_S)
    assert not left, f"the test left tasks running: {sorted(task.get_name() for task in left)} {left}"
    assert not complaints, f"errors that nobody took: {complaints}"
