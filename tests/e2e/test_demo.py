"""`hub demo` as a visitor starts it: real peers, the hub's real ports, everything arrives, nothing is left running."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.demo.peers.asterisk import AsteriskTree

WITHIN_S = 500
KEY_LINES = (
    "Анна Смирнова: трубку снимает Иван Петров",
    "источник «Яндекс.Директ»",
    "Сергей Ким: трубку никто не снял",
    "Сергей Ким: обращение без ответа (звонок)",
    "Петру Лебедеву в Telegram: «Пропущенный звонок: Сергей Ким",
    "Кире Орловой (контролёр) в Telegram: «Клиент звонил, никто не ответил",
    "Дмитрию Волкову (директор) в Telegram: «Клиент звонил, никто не ответил",
    "Сергей Ким: обращение закрыто, поговорили",
    "Олег Белов: сообщение исправлено",
    "Олег Белов: на карточке теперь и +7 916 111-00-04",
    "Олегу отвечает сам хаб: «Прайс-лист",
    "отвечает Олегу из Telegram, на уведомление «",
    "Олег получил в Telegram: «Здравствуйте, Олег!",
    "Вера Никитина: лид · источник «ВКонтакте»",
    "Вера видит ответ под своим комментарием",
    "campaign=balkony",
    "вложение: план этажа.pdf",
    "Пришло всё",
)


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", **more}


async def _run(environment: dict[str, str]) -> tuple[int, str]:
    process = await _start(environment)
    try:
        async with asyncio.timeout(WITHIN_S):
            output, _ = await process.communicate()
    finally:
        await _end(process)
    return process.returncode or 0, output.decode()


async def _start(environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hub",
        "demo",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


def _still_running(mark: str) -> list[str]:
    """The command lines of living processes that name something."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has just ended
        if mark in line:
            found.append(line)
    return found


def _folder(output: str) -> str:
    return output.partition("данные в ")[2].partition("\n")[0].strip()


@pytest.mark.timeout(WITHIN_S + 60)
async def test_the_demonstration_with_a_real_asterisk_tells_its_whole_story(asterisk_tree: AsteriskTree) -> None:
    code, output = await _run(_environment(DEMO_SECONDS="1"))
    assert code == 0, output
    assert "Asterisk 22" in output
    missing = [line for line in KEY_LINES if line not in output]
    assert not missing, output
    folder = _folder(output)
    assert folder.startswith("/")
    assert not Path(folder).exists()
    assert not _still_running(folder)


@pytest.mark.timeout(WITHIN_S + 60)
async def test_without_an_asterisk_it_says_so_and_plays_the_calls_by_script(tmp_path: Path) -> None:
    code, output = await _run(_environment(DEMO_SECONDS="1", HUB_PEERS=str(tmp_path)))
    assert code == 0, output
    assert "Asterisk здесь не запустить" in output
    missing = [line for line in KEY_LINES if line not in output]
    assert not missing, output


@pytest.mark.timeout(WITHIN_S + 60)
async def test_ctrl_c_ends_it_and_everything_it_started(tmp_path: Path) -> None:
    process = await _start(_environment(HUB_PEERS=str(tmp_path)))
    seen = ""
    try:
        async with asyncio.timeout(WITHIN_S):
            assert process.stdout is not None
            while "Что происходит" not in seen:
                line = await process.stdout.readline()
                assert line, seen
                seen += line.decode()
            process.send_signal(signal.SIGINT)
            output, _ = await process.communicate()
    finally:
        await _end(process)
    folder = _folder(seen)
    assert "Прервано" in output.decode()
    assert process.returncode == 1
    assert folder
    assert not Path(folder).exists()
    assert not _still_running(folder)


async def test_a_wrong_number_of_seconds_is_wrong_use() -> None:
    code, output = await _run(_environment(DEMO_SECONDS="soon"))
    assert code == 2
    assert "DEMO_SECONDS" in output
