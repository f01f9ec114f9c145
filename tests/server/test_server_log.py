"""The log of a running server: one line for each thing that happens, with what it is about, and no secrets."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect

from conftest import RINGLIGHT, Program
from whep_viewer import viewer

pytestmark = pytest.mark.program
CANARY = "canary-7b1d"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def _a_day_of(url: str) -> list[str]:
    """Watch, call, guess; return secrets that were made on the way."""
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    async with httpx2.AsyncClient(base_url=url, timeout=30, headers=headers) as http:
        async with viewer(url, "front-door", http) as seen:
            await seen.receive(5, within=30)
        made = (await http.post("api/rooms", json={"id": "desk", "people": [{"role": "doctor"}]})).json()
        async with connect(f"{url.replace('http', 'ws', 1)}ws/v2", proxy=None) as doctor:
            await doctor.send(json.dumps({"t": "hello", "v": 2, "token": made["people"][0]["token"]}))
            assert json.loads(await doctor.recv())["t"] == "welcome"
        for path in (f"j/{CANARY}", f"s/{CANARY}", f"whep/front-door/{CANARY}", f"nowhere/{CANARY}?token={CANARY}"):
            await http.get(path, headers={"Authorization": f"Bearer {CANARY}", "Cookie": f"ringlight_session={CANARY}"})
        async with connect(f"{url.replace('http', 'ws', 1)}ws/v2?token={CANARY}", proxy=None) as forger:
            await forger.send(json.dumps({"t": "hello", "v": 2, "token": CANARY}))
            await forger.recv()
        bad = json.dumps({"t": "chat", "text": CANARY})
        async with connect(f"{url.replace('http', 'ws', 1)}ws/signaling/old-page/clinician", proxy=None) as seed:
            await seed.send(bad)
    # Something that is no HTTP: uvicorn's own line about it.
    _, writer = await asyncio.open_connection("127.0.0.1", int(url.rstrip("/").rpartition(":")[2]))
    writer.write(f"\x16\x03{CANARY}\r\n\r\n".encode())
    await writer.drain()
    writer.close()
    return [one["token"] for one in made["people"]]


def test_every_line_is_json_says_what_it_is_about_and_holds_no_secret(start: Callable[..., Program]) -> None:
    settings = {"RINGLIGHT_LOG__FORMAT": "json", "RINGLIGHT_LOG__LEVEL": "debug", "RINGLIGHT_SECRET_KEY": CANARY * 3}
    program = start("demo", "--port", "0", **settings)
    made = asyncio.run(_a_day_of(program.url))
    code, said = program.stop()
    assert code == 0
    lines: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]
    assert all({"time", "level", "logger", "event"} <= line.keys() for line in lines)
    played = next(line for line in lines if line.get("route") == "/whep/{camera}")
    assert (played["method"], played["status"], played["camera"], played["trace"]) == (
        "POST", 201, "front-door", TRACE,
    )  # fmt: skip
    steps = [line["step"] for line in lines if line["event"].startswith("view_step") and line["camera"] == "front-door"]
    assert steps[:2] == ["token", "ticket"]
    assert {line["trace"] for line in lines if line["event"].startswith("view_")} == {TRACE}
    entered = [line for line in lines if line["event"].startswith("room_entered")]
    assert [line["role"] for line in entered] == ["clinician", "clinician"]
    assert len({line["room"] for line in entered}) == 2  # each room by something that stands for its id
    assert "old-page" not in said
    assert any(line["logger"] == "uvicorn.error" for line in lines)
    assert any(line["event"] == "Stopped." for line in lines)
    for secret in (CANARY, "sim-secret", "sim-token", "c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ=", *made):
        assert secret not in said, secret


def test_a_fault_at_the_start_is_one_line_too(environment: dict[str, str]) -> None:
    settings = {**environment, "RINGLIGHT_LOG__FORMAT": "json"}
    refused = subprocess.run(
        [str(RINGLIGHT), "serve", "--host", "0.0.0.0", "--port", "0"], env=settings, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert refused.returncode == 2
    line = json.loads(refused.stderr)
    assert (line["level"], line["code"]) == ("error", "CFG-SECRET-KEY")
