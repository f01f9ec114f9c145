"""The disk is full: nothing that was stored is lost, Ring is asked to come again, rooms and the server go on."""

import asyncio
import contextlib
import json
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect

from ringlight.doctor.probes.machine import state_dir
from ringlight.errors import RingError, StoreError
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.settings import MediaSettings, PartnerSettings, ServerSettings, Settings
from ringlight.simulator.partner.deliveries import sign
from ringlight.simulator.partner.envelope import envelope
from ringlight.store import FileTokenStore
from ringlight.store.database import Database
from ringlight.store.inbox import Inbox
from ringlight.store.private_file import PrivateFile
from small_disk import run_on_a_small_disk

KEY = "full-disk-key"
WITHIN = 90.0  # seconds


async def deliver(http: httpx2.AsyncClient) -> tuple[str, int]:
    name = str(uuid.uuid4())
    body = envelope("motion_detected", request_id=name, account="a", device="d", at_ns=time.time_ns(), subtype="human")
    headers = {"Content-Type": "application/json", "X-Signature": sign(body, KEY)}
    answer = await http.post("ring/webhook", content=body, headers=headers)
    return name, answer.status_code


async def hear(web: Any, kind: str) -> dict[str, Any]:
    while (frame := json.loads(await web.recv()))["t"] != kind:
        pass
    return dict(frame)


def fill(path: Path) -> None:
    """Use up the disk to its last byte."""
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


async def live_through(folder: str) -> None:
    """Run a server on a disk of 2 MB that somebody else fills. Runs in a process of its own."""
    state = Path(folder)
    settings = Settings(
        state_dir=state, server=ServerSettings(port=0), media=MediaSettings(port=0),
        partner=PartnerSettings(hmac_keys=[Secret(KEY)]),
    )  # fmt: skip
    stored: set[str] = set()
    async with asyncio.timeout(WITHIN), run_server(settings) as serving:
        base = f"http://127.0.0.1:{serving.port}/"
        socket = f"ws://127.0.0.1:{serving.port}/ws/v2"
        async with httpx2.AsyncClient(base_url=base, timeout=30, trust_env=False) as http:
            while len(stored) < 5:
                name, status = await deliver(http)
                stored |= {name} if status == 200 else set()
            while True:
                fill(state / "filler")
                name, status = await deliver(http)
                if status != 200:
                    break
                stored.add(name)  # there was still room inside of the file
            seen = {status}
            async with connect(socket, proxy=None) as one, connect(socket, proxy=None) as other:
                for web in (one, other):
                    await web.send(json.dumps({"t": "hello", "v": 2, "room": "visit", "role": "doctor"}))
                    await hear(web, "roster")
                await one.send(json.dumps({"t": "chat", "rid": 1, "text": "the disk is full"}))
                heard = (await hear(other, "chat"))["text"]
                for _ in range(3):
                    seen.add((await deliver(http))[1])
                notices = (await http.get("api/ring")).text
                shown = {notice["code"] for notice in (await http.get("api/status")).json()["notices"]}
                (state / "filler").unlink()
                while (status := (await deliver(http))[1]) != 200:
                    await asyncio.sleep(0.05)
                while (await http.get("ready")).json()["record"] != "ok":
                    await asyncio.sleep(0.05)
    database = Database(f"sqlite:///{state / 'ringlight.db'}")
    kept = {row.request_id for row in Inbox(database).latest(10_000)}
    with database.reading() as connection:
        sound = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    database.close()
    told = {"refused": sorted(seen), "heard": heard, "lost": len(stored - kept), "sound": sound}
    told |= {"notice": "STORE-FULL" in notices, "status": sorted(shown), "again": status}
    sys.stdout.write(json.dumps(told))


@pytest.mark.program
def test_a_disk_that_is_full_when_a_database_is_opened_is_named(tmp_path: Path) -> None:
    """There is no room then for what SQLite puts beside the file, or for the file itself."""
    folder = tmp_path / "small"
    run = f"""
from pathlib import Path
from test_server_full_disk import opened_when_full
opened_when_full(Path({str(folder)!r}))
"""
    assert run_on_a_small_disk(folder, "1m", run, beside=__file__, within=WITHIN).stdout == "STORE-FULL"


def opened_when_full(folder: Path) -> None:
    """Open a database that was made while there was room."""
    address = f"sqlite:///{folder / 'kept.db'}"
    with contextlib.closing(Database(address)) as database:
        Inbox(database).latest(1)
    fill(folder / "filler")
    with contextlib.closing(Database(address)) as database:
        try:
            Inbox(database).latest(1)
        except StoreError as error:
            sys.stdout.write(error.code)


@pytest.mark.program
def test_a_disk_that_is_full_when_a_private_file_is_written_is_named(tmp_path: Path) -> None:
    """Whoever writes it, and the doctor, for whom there is no room even for a new name."""
    folder = tmp_path / "small"
    run = f"""
from pathlib import Path
from test_server_full_disk import written_when_full
written_when_full(Path({str(folder)!r}))
"""
    ran = run_on_a_small_disk(folder, "100k,nr_inodes=6", run, beside=__file__, within=WITHIN)
    assert ran.stdout.split() == ["STORE-FULL"] * 4


def written_when_full(folder: Path) -> None:
    """Write one while the disk has no room for what is in it, and then none for its name."""
    file, store = PrivateFile(folder / "secret-key"), FileTokenStore(folder / "tokens.json")

    async def locked() -> None:
        async with store.lock():
            pass

    fill(folder / "filler")
    for number in range(2):
        _tell(lambda: file.write(lambda: bytes(60_000)))
        for name in "abcdef" * number:
            with contextlib.suppress(OSError):
                (folder / name).touch()
    _tell(lambda: asyncio.run(locked()))
    _tell(lambda: asyncio.run(state_dir(folder)))


def _tell(work: Callable[[], object]) -> None:
    try:
        work()
    except RingError as error:
        sys.stdout.write(f"{error.code} ")


@pytest.mark.program
def test_a_full_disk_loses_nothing_and_is_got_over_without_a_restart(tmp_path: Path) -> None:
    """On a real file system of 2 MB, in a mount namespace of its own."""
    folder = tmp_path / "small"
    run = f"""
import asyncio, logging
logging.basicConfig(level="INFO")
from test_server_full_disk import live_through
asyncio.run(live_through({str(folder)!r}))
"""
    ran = run_on_a_small_disk(folder, "2m", run, beside=__file__, within=2 * WITHIN)
    assert json.loads(ran.stdout) == {
        "refused": [503], "heard": "the disk is full", "lost": 0, "sound": "ok", "notice": True,
        "status": ["STORE-FULL"], "again": 200,
    }  # fmt: skip
    assert "code=STORE-FULL" in ran.stderr, "the log names it"
