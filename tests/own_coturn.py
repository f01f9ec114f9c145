"""A TURN server of the tests' own: Debian's coturn on loopback, with a secret of its own."""

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ringlight.media.turn import binding, mapped_address

PROGRAM = shutil.which("turnserver")
START_WITHIN = 30.0  # seconds


class OwnCoturn:
    """A running server.

    Args:
        address: Where it listens and relays.
        options: More of its options.
        within: What its command begins with: `ip netns exec NAME` has it run in that namespace.

    Attributes:
        port: For UDP and TCP.
        secret: Its `static-auth-secret`.
    """

    secret = "the secret of coturn"

    def __init__(self, address: str = "127.0.0.1", within: tuple[str, ...] = (), options: tuple[str, ...] = ()) -> None:
        if PROGRAM is None:
            raise FileNotFoundError("coturn is not installed; see tests/debian-packages.sh")
        self.folder = Path(tempfile.mkdtemp(prefix="rlct-"))
        self.port = _free_port()
        self._log = (self.folder / "log").open("wb")
        self._server = subprocess.Popen(
            [
                *(*within, PROGRAM, "-n", "--no-cli", "--no-tls", "--no-dtls", "--realm", "ringlight.test"),
                *("--listening-ip", address, "--relay-ip", address, "--listening-port", str(self.port)),
                *("--use-auth-secret", "--static-auth-secret", self.secret, "--allow-loopback-peers"),
                *("--log-file", "stdout", "--pidfile", str(self.folder / "pid"), "--userdb", str(self.folder / "db")),
                *options,
            ],
            stdout=self._log, stderr=subprocess.STDOUT, cwd=self.folder,
        )  # fmt: skip
        try:
            if within:
                self._wait_from_within((*within,), address)
            else:
                self._wait()
        except AssertionError:
            self.close()
            raise

    def _wait(self) -> None:
        until, transaction = time.monotonic() + START_WITHIN, b"twelve bytes"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.2)
            asking.connect(("127.0.0.1", self.port))
            while True:
                try:
                    asking.send(binding(transaction))
                    if mapped_address(asking.recv(2000), transaction) is not None:
                        return
                except OSError:
                    if self._server.poll() is not None or time.monotonic() > until:
                        raise AssertionError("coturn did not start:\n" + (self.folder / "log").read_text()) from None
                    time.sleep(0.02)

    def _wait_from_within(self, within: tuple[str, ...], address: str) -> None:
        """From outside its namespace nobody can ask it."""
        until = time.monotonic() + START_WITHIN
        program = f"import socket; socket.create_connection(({address!r}, {self.port}), 1)"
        while subprocess.run([*within, sys.executable, "-c", program], check=False, capture_output=True).returncode:
            if self._server.poll() is not None or time.monotonic() > until:
                raise AssertionError("coturn did not start:\n" + (self.folder / "log").read_text())
            time.sleep(0.1)

    def close(self) -> None:
        self._server.send_signal(signal.SIGTERM)
        self._server.wait(30)
        self._log.close()
        shutil.rmtree(self.folder)


class SharedCoturn:
    """A server for all who ask for one: started when the first does, so that it costs nothing where nobody does."""

    def __init__(self) -> None:
        self._server: OwnCoturn | None = None

    async def __call__(self) -> OwnCoturn:
        if self._server is None:
            self._server = await asyncio.to_thread(OwnCoturn)
        return self._server

    def close(self) -> None:
        if self._server is not None:
            self._server.close()


def _free_port() -> int:
    """Return a port that is free for UDP and TCP: coturn wants both, and waits for ever for one that is taken."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", 0))
            port = int(tcp.getsockname()[1])
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
