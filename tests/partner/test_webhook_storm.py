"""A server that is killed in the middle of a storm has every webhook that it answered 200, and handles none twice."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx2
import pytest
from webhook_bodies import KEY, body

from ringlight.partner.webhooks import signature_of
from ringlight.store.database import Database
from ringlight.store.inbox import Inbox

pytestmark = pytest.mark.program

# An app as its author would write it: it writes down each event that it handles, durably.
SERVER = """
import asyncio, os, sys
from fastapi import FastAPI
from ringlight.http.serving import listen, serving
from ringlight.partner.fastapi import router
from ringlight.partner.webhooks import Handlers, Verifier, Webhooks
database, noted, key = sys.argv[1:]
handlers = Handlers()
file = os.open(noted, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

@handlers.on()
async def note(event):
    os.write(file, f"{event.device} {event.request_id}\\n".encode())
    await asyncio.sleep(0.002)

async def main():
    app = FastAPI()
    app.include_router(router(webhooks=Webhooks(Verifier(key), database, handlers)))
    async with serving(app, listen("127.0.0.1", 0)) as running:
        print(running.url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def begin(database: str, noted: Path) -> "tuple[subprocess.Popen[str], str]":
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, database, str(noted), KEY], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


async def storm(url: str, names: list[str], taken: set[str]) -> None:
    """Deliver from 20 connections at once until the server is gone; note what was answered 200."""
    from datetime import UTC, datetime

    now = datetime.now(UTC).isoformat()

    async def one(client: httpx2.AsyncClient) -> None:
        while names:
            name = names.pop()
            content = body(request_id=name, device=f"d-{len(names) % 40}", time=now)
            fields = {"Content-Type": "application/json", "X-Signature": signature_of(content, KEY)}
            try:
                answer = await client.post(f"{url}ring/webhook", content=content, headers=fields)
            except httpx2.TransportError:
                return
            assert answer.status_code == 200
            taken.add(name)

    async with httpx2.AsyncClient(trust_env=False, timeout=20) as client:
        await asyncio.gather(*(one(client) for _ in range(20)))


@pytest.mark.anyio
async def test_killed_in_a_storm_none_that_was_taken_is_lost_or_handled_twice(tmp_path: Path) -> None:
    database, noted = f"sqlite:///{tmp_path / 'ringlight.db'}", tmp_path / "noted"
    taken: set[str] = set()
    for round_ in range(2):
        process, url = begin(database, noted)
        names = [f"{round_}-{number}" for number in range(5000)]
        going = asyncio.create_task(storm(url, names, taken))
        enough = len(taken) + 200
        async with asyncio.timeout(60):
            while len(taken) < enough:
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        await going
        process.communicate()
    process, _ = begin(database, noted)
    with contextlib.closing(Database(database)) as opened:
        inbox = Inbox(opened)
        async with asyncio.timeout(60):
            while {"waiting", "started"} & set(await asyncio.to_thread(inbox.counts)):
                await asyncio.sleep(0.05)
        process.terminate()
        process.communicate(timeout=20)
        handled = Counter(line.split()[1] for line in noted.read_text().splitlines())
        letters = {row.request_id: row.problem for row in inbox.dead()}
    assert len(taken) >= 400
    assert taken <= set(handled) | set(letters)
    assert set(handled.values()) == {1}
    # Where a kill met a handler, nobody knows how far it came: it is shown, and not run again.
    assert set(letters.values()) <= {"HOOK-INTERRUPTED"}
    assert len(letters) <= 2 * 16
