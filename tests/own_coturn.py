"""A TURN server of the tests' own: Debian's coturn on loopback, with a secret of its own."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from ringlight.media.turn import binding, mapped_address

PROGRAM = shutil.which("turnserver")
START_WITHIN = 30.0  # seconds


class OwnCoturn:
    """A running server.

    Attributes:
        port: For UDP and TCP.
        secret: Its `static-auth-secret`.
    """

    secret = "the secret of coturn"

    def __init__(self) -> None:
        if PROGRAM is None:
            raise FileNotFoundError("coturn is not installed; see tests/debian-packages.sh")
        self.folder = Path(tempfile.mkdtemp(prefix="rlct-"))
        self.port = _free_port()
        self._log = (self.folder / "log").open("wb")
        self._server = subprocess.Popen(
            [
                *(PROGRAM, "-n", "--no-cli", "--no-tls", "--no-dtls", "--realm", "ringlight.test"),
                *("--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--listening-port", str(self.port)),
                *("--use-auth-secret", "--static-auth-secret", self.secret, "--allow-loopback-peers"),
                *("--log-file", "stdout", "--pidfile", str(self.folder / "pid"), "--userdb", str(self.folder / "db")),
            ],
            stdout=self._log, stderr=subprocess.STDOUT, cwd=self.folder,
        )  # fmt: skip
        try:
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

    def close(self) -> None:
        self._server.send_signal(signal.SIGTERM)
        self._server.wait(30)
        self._log.close()
        shutil.rmtree(self.folder)


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
