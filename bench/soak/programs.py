"""The programs of a long run, their logs in files, and what the kernel says of them."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from soak.judge import Sample

RINGLIGHT = Path(sys.executable).with_name("ringlight")
# What a program says when something ended that nobody looked after.
_UNSEEN = re.compile(
    rb"Traceback \(most recent call last\)|was never (?:retrieved|awaited)|unclosed |Exception ignored"
)


class Running:
    """A command of ours that runs until it is stopped.

    Args:
        log: Where its stderr goes.
        args: The command.
        settings: Its settings, by the names of variables.
    """

    def __init__(self, log: Path, *args: str, settings: dict[str, str]) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
        self.log, self._args, self._environment = log, args, {**kept, **settings, "NO_COLOR": "1"}
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(RINGLIGHT), *self._args], stdout=subprocess.PIPE, stderr=log, text=True, env=self._environment
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready http://"):
            self.process.kill()
            raise AssertionError(f"no ready line but {line!r}: {self.log.read_text()[-2000:]}")
        self.url = line.split()[1].rstrip("/")

    def sample(self, began: float) -> Sample:
        """Measure it."""
        folder = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines())
        files = []
        for descriptor in (folder / "fd").iterdir():
            try:
                files.append(str(descriptor.readlink()))
            except OSError:
                continue  # closed meanwhile
        measured = httpx2.get(f"{self.url}/metrics", timeout=60, trust_env=False).text
        tasks = re.search(r"^ringlight_tasks (\d+)", measured, re.MULTILINE)
        assert tasks is not None, "the server does not count its tasks"
        return Sample(
            at=time.monotonic() - began,
            memory=int(status["VmRSS"].split()[0]) / 1024,
            files=len(files),
            sockets=sum(name.startswith("socket:") for name in files),
            threads=int(status["Threads"]),
            tasks=int(tasks[1]),
        )

    def freeze(self, *, on: bool) -> None:
        self.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """End it in order; return its exit code."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._reap()
        return self.process.returncode

    def _reap(self) -> None:
        self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def unseen(self) -> list[str]:
        """Return the first lines of its log that tell of what nobody looked after."""
        found = []
        lines = self.log.read_bytes().splitlines()
        for at, line in enumerate(lines):
            if _UNSEEN.search(line):
                found.append(b" | ".join(lines[at : at + 40])[-700:].decode(errors="replace"))
        return found


def sign_in(simulator: str, state: Path) -> None:
    """Sign in to the simulated Ring, as a person does at the command line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    subprocess.run(
        [str(RINGLIGHT), "login", "--email", "ada@ringlight.test"], input="ringlight\n123456\n", text=True, check=True,
        env={**kept, "RINGLIGHT_RING_URL": simulator, "RINGLIGHT_STATE_DIR": str(state)}, capture_output=True,
        timeout=60,
    )  # fmt: skip
