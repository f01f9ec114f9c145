"""An MQTT broker of the tests' own: Debian's mosquitto on a free port of this machine, with one user."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from own_certificates import Authority
from ringlight.http.serving import listen
from ringlight.secrets import Secret

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
PASSWORDS = shutil.which("mosquitto_passwd")
START_WITHIN = 30.0  # seconds


class OwnMosquitto:
    """A running broker that keeps nothing; it can be killed and started again on the same port."""

    def __init__(self, tls: Authority | None = None) -> None:
        if PROGRAM is None or PASSWORDS is None:
            raise FileNotFoundError("mosquitto is not installed; see tests/debian-packages.sh")
        self._folder = Path(tempfile.mkdtemp(prefix="rlmq-"))
        with listen("127.0.0.1", 0) as free:
            self.port = free.getsockname()[1]
        self.let_in("let+me/in")
        self._folder.chmod(0o755)
        self._tls = tls
        (self._folder / "config").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {self._folder / 'users'}\n"
            + ("" if tls is None else f"certfile {self._folder / 'own.pem'}\nkeyfile {self._folder / 'own.key'}\n")
        )
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> Secret:
        kind, host = ("mqtt", "127.0.0.1") if self._tls is None else ("mqtts", "localhost")
        return Secret(f"{kind}://ring:let%2Bme%2Fin@{host}:{self.port}")

    def let_in(self, password: str) -> None:
        """Take this password of the one user, and no other; it is read at the next start."""
        assert PASSWORDS is not None
        subprocess.run([PASSWORDS, "-b", "-c", str(self._folder / "users"), "ring", password], check=True)
        (self._folder / "users").chmod(0o644)  # mosquitto reads it as another user

    def start(self) -> None:
        assert PROGRAM is not None
        if self._tls is not None:  # mosquitto reads them as another user
            for file in (self._tls.certificate, self._tls.key):
                shutil.copy(file, self._folder)
                (self._folder / file.name).chmod(0o644)
        self._server = subprocess.Popen(
            [PROGRAM, "-c", str(self._folder / "config")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + START_WITHIN
        while True:
            import socket

            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._server.poll() is not None or time.monotonic() > until:
                raise AssertionError("mosquitto did not start")
            time.sleep(0.02)

    def kill(self) -> None:
        assert self._server is not None
        self._server.kill()
        self._server.wait(30)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
