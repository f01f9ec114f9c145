"""A PostgreSQL of the tests' own: Debian's program, a new cluster in a temporary folder, no TCP port."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import psycopg

from own_certificates import Authority
from ringlight.http.serving import listen

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
START_WITHIN = 60.0  # seconds


class OwnPostgres:
    """A running cluster. It refuses to run as root, so there it is Debian's user for it who runs it."""

    def __init__(self, tls: Authority | None = None) -> None:
        if not PROGRAMS:
            raise FileNotFoundError("PostgreSQL is not installed; see tests/debian-packages.sh")
        self._programs = PROGRAMS[-1].parent
        self._user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="rlpg-"))  # short: a socket's path may have 107 bytes
        if self._user:
            owner = pwd.getpwnam(self._user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-D", "data", "-U", "ringlight", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._server: subprocess.Popen[bytes] | None = None
        self._tls, self._port = tls, 0
        if tls is not None:  # and over TCP on this machine: TLS is nothing for a socket of files
            with listen("127.0.0.1", 0) as free:
                self._port = free.getsockname()[1]
            self._take_certificate(tls)
        self.start()

    def start(self) -> None:
        addresses = "" if self._tls is None else "localhost"
        secured = ("-c", f"port={self._port}", "-c", "ssl=on") if self._tls else ()
        self._server = self._begin(
            *("postgres", "-D", "data", "-k", str(self.folder), "-c", f"listen_addresses={addresses}"),
            *("-c", "fsync=off", *secured),
            *("-c", "max_connections=40", "-c", "shared_buffers=16MB"),
        )
        until = time.monotonic() + START_WITHIN
        port = ("-p", str(self._port)) if self._tls else ()
        while self._begin("pg_isready", "-q", "-h", str(self.folder), "-U", "ringlight", *port).wait() != 0:
            if self._server.poll() is not None or time.monotonic() > until:
                raise AssertionError("PostgreSQL did not start:\n" + (self.folder / "log").read_text())
            time.sleep(0.05)

    def kill(self) -> None:
        """Take it away in the middle of everything, as a power cut does to its clients."""
        assert self._server is not None
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(30)

    def stop(self) -> None:
        """Let it hang: connections stay, and nothing is answered."""
        self._signal_all(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._server is not None
        pid = self._server.pid
        os.kill(pid, number)  # first: once it has stopped there are no new children
        for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):  # a server that goes on buries those that have ended
                os.kill(int(one), number)

    def new_database(self) -> str:
        """Return the address of a schema of its own, which costs a thousand files less than a database."""
        name = f"s{uuid.uuid4().hex}"
        port = f"port={self._port}" if self._tls else ""
        with psycopg.connect(
            f"host={self.folder} {port} user=ringlight dbname=postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        if self._tls is not None:
            trusted = f"sslmode=verify-full&sslrootcert={self._tls.trusted}&options=-csearch_path%3D{name}"
            return f"postgresql://ringlight@localhost:{self._port}/postgres?{trusted}"
        return f"postgresql://ringlight@/postgres?host={self.folder}&options=-csearch_path%3D{name}"

    def reload(self) -> None:
        """Let it show the certificate that is there now to whoever connects from now on."""
        assert self._tls is not None
        assert self._server is not None
        self._take_certificate(self._tls)
        log = self.folder / "log"
        before = log.read_text().count("received SIGHUP")
        self._server.send_signal(signal.SIGHUP)
        until = time.monotonic() + START_WITHIN
        while log.read_text().count("received SIGHUP") == before:
            assert time.monotonic() < until
            time.sleep(0.02)

    def _take_certificate(self, tls: Authority) -> None:
        for file, name in ((tls.certificate, "server.crt"), (tls.key, "server.key")):
            put = self.folder / "data" / name
            shutil.copy(file, put)
            put.chmod(0o600)
            if self._user:
                owner = pwd.getpwnam(self._user)
                os.chown(put, owner.pw_uid, owner.pw_gid)

    def close(self) -> None:
        if self._server is not None and self._server.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *args: str) -> None:
        if self._begin(program, *args).wait(START_WITHIN) != 0:
            raise AssertionError(f"{program}:\n" + (self.folder / "log").read_text())

    def _begin(self, program: str, *args: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / program), *args],
                cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                user=self._user, group=self._user, extra_groups=[] if self._user else None,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            )  # fmt: skip
