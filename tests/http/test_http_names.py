"""Names that are looked up where nobody answers: the fault is that of names, and nothing waits for the resolver."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringlight.http.names import Resolving, look_up

RINGLIGHT = Path(sys.executable).with_name("ringlight")
SILENT = ("127.0.0.52", "127.0.0.53", "127.0.0.54")


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A resolver that asks in vain until the test is over."""
    over, asked = threading.Event(), threading.Event()

    def ask(*_: object) -> list[object]:
        asked.set()
        over.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    yield asked
    over.set()


def test_a_resolver_that_hangs_holds_up_neither_the_answer_nor_the_end_of_the_loop(stuck: threading.Event) -> None:
    class Loop(Resolving, asyncio.SelectorEventLoop):
        pass

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(socket.gaierror, match="no DNS server has told within"):
            await look_up("a.test", 443, wait=0.05)
        waiting = asyncio.ensure_future(loop.getaddrinfo("b.test", 443))
        await asyncio.sleep(0)
        waiting.cancel()

    began = time.monotonic()
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(ask())
    assert stuck.is_set()
    assert time.monotonic() - began < 30


async def _rows(name: str) -> list[tuple[object, ...]]:
    return await look_up(name, 443, type=socket.SOCK_STREAM)


def test_what_is_found_or_not_known_is_told_as_the_system_tells_it() -> None:
    assert asyncio.run(_rows("127.0.0.1")) == socket.getaddrinfo("127.0.0.1", 443, type=socket.SOCK_STREAM)
    with pytest.raises(UnicodeError):
        asyncio.run(_rows("a" * 70 + ".test"))


@pytest.fixture
def silent_dns(tmp_path: Path) -> Iterator[list[str]]:
    """Three DNS servers that never answer; gives how a command begins that has no others."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root, for another /etc/resolv.conf")
    servers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in SILENT]
    for server, address in zip(servers, SILENT, strict=True):
        server.bind((address, 53))
    (tmp_path / "resolv.conf").write_text("".join(f"nameserver {address}\n" for address in SILENT))
    script = f'mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && exec "$@"'
    yield ["unshare", "--mount", "sh", "-c", script, "sh", str(RINGLIGHT)]
    for server in servers:
        server.close()


@pytest.mark.program
def test_without_a_dns_server_that_answers_commands_say_so_and_end(silent_dns: list[str], tmp_path: Path) -> None:
    """The system's own resolver takes 28 seconds here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    kept["RINGLIGHT_STATE_DIR"] = str(tmp_path)
    ran = [
        subprocess.Popen(
            [*silent_dns, *words],
            env=kept,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for words in (["doctor", "network"], ["login"])
    ]
    began = time.monotonic()
    said = [process.communicate("ada@ringlight.test\nx\n", timeout=60)[0] for process in ran]
    took = time.monotonic() - began
    if "Operation not permitted" in said[0]:
        pytest.skip("this machine lets nobody mount")
    assert "Fix this first: NET-DNS" in said[0]
    assert "no DNS server has told where oauth.ring.com is" in said[0]
    assert "NET-TIMEOUT" not in said[0]
    assert "NET-DNS" in said[1]
    assert "NET-TIMEOUT" not in said[1]
    assert took < 25, "somebody waited for the resolver"
