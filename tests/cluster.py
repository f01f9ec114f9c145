"""A whole set-up of several servers as processes: Ring simulated, a Redis, a PostgreSQL, and a proxy in front."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from conftest import Program, clean_environment
from own_postgres import OwnPostgres
from own_redis import OwnRedis
from ringlight.account import AccountClient
from ringlight.secrets import Secret
from ringlight.settings import Settings
from ringlight.simulator.world import World

EXAMPLES = Path(__file__).parents[1] / "examples" / "several-servers"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CADDY = shutil.which("caddy")
QUIET_START = 2.0  # seconds in which a server starts on a machine with nothing else to do
WITHIN = 120.0  # seconds that anything may take on a busy machine
NAMES = "abc"
HMAC_KEY = "c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ="


def free_ports(count: int) -> list[int]:
    """Return ports that are free now; a proxy has to know those of servers that are started again."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Proxy:
    """nginx or Caddy with the configuration of the examples, for servers on this machine."""

    def __init__(self, program: str, servers: list[int]) -> None:
        self.port, *_ = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}/"
        self.folder = Path(tempfile.mkdtemp(prefix="rlpx-"))
        is_nginx = Path(program).name == "nginx"
        self._command = self._nginx(program, servers) if is_nginx else self._caddy(program, servers)
        self._log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log, env=self._environment())
        until = time.monotonic() + WITHIN
        while True:
            with contextlib.suppress(httpx2.HTTPError):
                httpx2.get(f"{self.url}health")
                return
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()
            self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}

    def _nginx(self, program: str, servers: list[int]) -> list[str]:
        ours = _with_addresses((EXAMPLES / "nginx.conf").read_text(), servers)
        ours = ours.replace("listen 443 ssl;", f"listen 127.0.0.1:{self.port};")
        ours = re.sub(r"^ *ssl_certificate.*\n", "", ours, flags=re.MULTILINE)
        folders = "\n".join(
            f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""
        whole = f"""{user} pid {self.folder}/pid; error_log stderr; worker_processes 1; daemon off;
            events {{}} http {{ access_log off; {folders}\n{ours} }}"""
        (self.folder / "nginx.conf").write_text(whole)
        command = [program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr"]
        judged = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False, timeout=30)
        assert judged.returncode == 0, judged.stderr
        return command

    def _caddy(self, program: str, servers: list[int]) -> list[str]:
        ours = _with_addresses((EXAMPLES / "Caddyfile").read_text(), servers)
        ours = ours.replace("cams.example {", f"http://127.0.0.1:{self.port} {{", 1)
        path = self.folder / "Caddyfile"
        path.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + ours)
        judged = subprocess.run(
            [program, "validate", "--adapter", "caddyfile", "--config", str(path)],
            capture_output=True, text=True, check=False, timeout=30, env=self._environment(),
        )  # fmt: skip
        assert judged.returncode == 0, judged.stderr
        return [program, "run", "--adapter", "caddyfile", "--config", str(path)]


def _with_addresses(text: str, servers: list[int]) -> str:
    for number in range(1, 4):  # as many as the examples have; here the last may stand for two
        assert f"10.0.0.1{number}:8000" in text
        text = text.replace(f"10.0.0.1{number}:8000", f"127.0.0.1:{servers[min(number, len(servers)) - 1]}")
    assert "10.0.0" not in text
    return text


class Cluster:
    """Everything, started.

    Attributes:
        ring: The simulated Ring.
        ports: Of the servers, by their names.
        nodes: Those that run.
        slowness: How many times longer than on a quiet machine it took to start a server just now, 1 at least.
    """

    def __init__(
        self, folder: Path, redis: OwnRedis, postgres: OwnPostgres, names: str = NAMES, **settings: str
    ) -> None:
        self.redis, self.postgres = redis, postgres
        self.folder = folder
        self.ring = Program("simulate", "--port", "0", env=clean_environment(folder / "ring"))
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.shared = {
            "RINGLIGHT_RING_URL": self.ring.url.rstrip("/"),
            "RINGLIGHT_REDIS_URL": redis.url.reveal(),
            "RINGLIGHT_DATABASE_URL": postgres.new_database(),
            "RINGLIGHT_SIGN_IN": "database",
            "RINGLIGHT_SECRET_KEY": "k" * 32,
            "RINGLIGHT_CAMERAS__LINGER": "30",  # a viewer that a busy machine lost for a moment opens no second session
            "RINGLIGHT_PARTNER__HMAC_KEYS": HMAC_KEY,
            **settings,
        }
        self.nodes: dict[str, Program] = {}
        self.slowness = 1.0
        with ThreadPoolExecutor(1) as thread:  # a test that drives a browser has a loop of its own here
            thread.submit(lambda: asyncio.run(self._sign_in())).result()

    async def _sign_in(self) -> None:
        """Sign in once, for all of them."""
        known = World()
        shared = self.shared
        settings = Settings(
            ring_url=shared["RINGLIGHT_RING_URL"], database_url=Secret(shared["RINGLIGHT_DATABASE_URL"]),
            sign_in="database", state_dir=self.folder / "sign-in",
        )  # fmt: skip
        async with AccountClient.open(settings) as client:
            await client.sign_in(known.email, Secret(known.password), known.code)

    def start(self, name: str) -> None:
        environment = {
            **clean_environment(self.folder / name),
            **self.shared,
            "RINGLIGHT_SERVER__NODE_URL": f"/node-{name}",
        }
        began = time.monotonic()
        self.nodes[name] = Program("serve", "--port", str(self.ports[name]), env=environment)
        self.slowness = max(1.0, (time.monotonic() - began) / QUIET_START)

    def kill(self, name: str) -> None:
        """Take it away as a power cut does."""
        node = self.nodes.pop(name)
        node.process.kill()
        self._wait(node)

    def stop(self, name: str) -> None:
        """Tell it to stop, as systemd and Kubernetes do; do not wait."""
        self.nodes[name].process.send_signal(signal.SIGTERM)

    def gone(self, name: str) -> str:
        """Wait until it has stopped; return what it said."""
        node = self.nodes.pop(name)
        return self._wait(node)

    def _wait(self, node: Program) -> str:
        _, said = node.process.communicate(timeout=WITHIN)
        return said

    def address(self, name: str) -> str:
        """Return where a server listens."""
        return f"http://127.0.0.1:{self.ports[name]}/"

    def live_views(self) -> int:
        """Return how many live views were opened with Ring since the start."""
        count: int = httpx2.get(f"{self.ring.url}_sim/cameras").json()["live_views"]
        return count

    def holder(self, camera: str) -> str | None:
        """Return the name of the server that holds a camera."""
        for name in self.nodes:
            told = httpx2.get(f"{self.address(name)}api/nodes").json()
            urls = {one["node"]: one["url"] for one in told["nodes"]}
            held = told["held"].get(camera)
            if held is not None:
                return str(urls[held["node"]]).removeprefix("/node-")
        return None

    def close(self) -> None:
        for node in (*self.nodes.values(), self.ring):
            node.process.kill()
            self._wait(node)


@contextlib.contextmanager
def cluster(folder: Path, names: str = NAMES, **settings: str) -> Iterator[Cluster]:
    """Start everything, with these settings in the environment of the servers."""
    redis = OwnRedis()
    try:
        postgres = OwnPostgres()
        try:
            made = Cluster(folder, redis, postgres, names, **settings)
            try:
                for name in names:
                    made.start(name)
                yield made
            finally:
                made.close()
        finally:
            postgres.close()
    finally:
        redis.close()
