"""A Redis of the tests' own: Debian's program, a socket in a temporary folder, no TCP port, nothing on the disk."""

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import redis

from own_certificates import Authority
from ringlight.http.serving import listen
from ringlight.secrets import Secret

PROGRAM = shutil.which("redis-server")
START_WITHIN = 30.0  # seconds


class OwnRedis:
    """A running server; it can be killed and started again, and is empty then."""

    def __init__(self, tls: Authority | None = None) -> None:
        if PROGRAM is None:
            raise FileNotFoundError("Redis is not installed; see tests/debian-packages.sh")
        self.folder = Path(tempfile.mkdtemp(prefix="rlrd-"))  # short: a socket's path may have 107 bytes
        self.socket = self.folder / "s"
        self._server: subprocess.Popen[bytes] | None = None
        self._tls, self._port = tls, 0
        if tls is not None:  # and over TCP on this machine: TLS is nothing for a socket of files
            with listen("127.0.0.1", 0) as free:
                self._port = free.getsockname()[1]
        self.start()

    @property
    def url(self) -> Secret:
        if self._tls is not None:
            return Secret(f"rediss://localhost:{self._port}?ssl_ca_certs={self._tls.trusted}")
        return Secret(f"unix://{self.socket}")

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._server is not None
        return self._server.pid

    def client(self) -> "redis.Redis":
        return redis.Redis(unix_socket_path=str(self.socket))

    def start(self) -> None:
        assert PROGRAM is not None
        self._server = subprocess.Popen(
            [
                *(PROGRAM, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder)),
                *("--save", "", "--appendonly", "no", "--logfile", str(self.folder / "log")),
                *(
                    ()
                    if self._tls is None
                    else (
                        *("--bind", "127.0.0.1", "--tls-port", str(self._port), "--tls-auth-clients", "no"),
                        *("--tls-cert-file", str(self._tls.certificate), "--tls-key-file", str(self._tls.key)),
                    )
                ),
            ],
        )
        until = time.monotonic() + START_WITHIN
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.RedisError:
                if self._server.poll() is not None or time.monotonic() > until:
                    raise AssertionError("Redis did not start:\n" + (self.folder / "log").read_text()) from None
                time.sleep(0.02)

    def kill(self) -> None:
        assert self._server is not None
        self._server.kill()
        self._server.wait(30)
        self.socket.unlink(missing_ok=True)

    def stop(self) -> None:
        """Let it hang: connections stay, and nothing is answered."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def close(self) -> None:
        if self._server is not None and self._server.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
