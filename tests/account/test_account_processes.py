"""Two processes share one sign-in: one of them renews, the other one finds the new pair in the file or database."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from ringlight.secrets import Secret
from ringlight.settings import Settings
from ringlight.store import Tokens, TokenStore
from ringlight.store.sign_in import sign_in_store

pytestmark = pytest.mark.anyio

PROCESS = """
import asyncio, sys
from ringlight.account import AccountClient
from ringlight.settings import Settings

async def main():
    settings = Settings(ring_url=sys.argv[1])
    async with AccountClient.open(settings) as account:
        print("ready", flush=True)
        sys.stdin.readline()
        tokens = await asyncio.gather(*(account.access_token() for _ in range(10)))
        print(*sorted({token.reveal() for token in tokens}), flush=True)

asyncio.run(main())
"""


@pytest.fixture(params=["one machine", "two machines"])
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> list[dict[str, str]]:
    """The environments of two processes: with the same state directory, or with the same database only."""
    if request.param == "one machine":
        return [{"RINGLIGHT_STATE_DIR": str(tmp_path)}] * 2
    database = {"RINGLIGHT_SIGN_IN": "database"}
    database["RINGLIGHT_DATABASE_URL"] = request.getfixturevalue("postgres").new_database()
    return [{**database, "RINGLIGHT_STATE_DIR": str(tmp_path / name)} for name in ("one", "two")]


async def test_two_processes_make_one_renewal(machines: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in machines[0].items():
        monkeypatch.setenv(name, value)
    with sign_in_store(Settings()) as store:
        await asyncio.to_thread(store.save, Tokens(Secret("access-1"), Secret("refresh-1"), 0.0, "hw-1"))
        await _renew_at_once(machines, store)


async def _renew_at_once(machines: list[dict[str, str]], store: TokenStore) -> None:
    seen: list[str] = []

    async def token_service(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r")[0])
        seen.append(json.loads(await reader.readexactly(length))["refresh_token"])
        number = len(seen) + 1
        pair = {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": 3600}
        body = json.dumps(pair).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(token_service, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        processes = [await _start(url, machine) for machine in machines]
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [output.split() for output, _ in outputs] == [[b"access-2"]] * 2
    assert seen == ["refresh-1"]
    kept = await asyncio.to_thread(store.load)
    assert kept is not None
    assert kept.refresh == Secret("refresh-2")


async def _start(url: str, machine: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROCESS, url),
        env={**os.environ, **machine},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
