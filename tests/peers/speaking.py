"""A telephone that is picked up at once, says something, and hangs up."""

from __future__ import annotations

import math

from hub.demo.peers.sipp import SCENARIOS, SippRun, SippRunner


async def speaking_phone(sipp: SippRunner, port: int, extension: str, *, hold_ms: int) -> None:
    """Have it wait for calls on this port."""
    sipp.run_dir.mkdir(parents=True, exist_ok=True)
    speech = sipp.run_dir / "speech.alaw"
    speech.write_bytes(bytes(int(127 + 100 * math.sin(each / 5)) for each in range(8000 * 4)))
    text = (SCENARIOS / "phone.xml").read_text(encoding="utf-8")
    picked_up = '<recv request="ACK"/>\n'
    assert text.count(picked_up) == 1
    speaks = f'{picked_up}  <nop><action><exec rtp_stream="{speech},-1,8"/></action></nop>\n'
    text = text.replace(picked_up, speaks).replace("@ANSWER_MS@", "200").replace("@HOLD_MS@", str(hold_ms))
    scenario = sipp.run_dir / f"speaks-{extension}.xml"
    scenario.write_text(text, encoding="utf-8")
    await sipp.start(SippRun(scenario, local_port=port, calls=None))
