"""The programs of a long run, their logs in files, and what the kernel and they themselves say of them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2

from soak.inside import INTO
from soak.judge import Sample

RINGLIGHT = Path(sys.executable).with_name("ringlight")
TELLS_WITHIN = 60.0  # seconds
# What a server has while it is used, and no longer; the last two say that something is gone, or about to be.
HELD = (
    "ringlight_room_sockets", "ringlight_viewers", "ringlight_cameras_watched", "ringlight_recordings",
    "ringlight_players", "ringlight_rooms", "ringlight_room_people", "ringlight_room_record_waiting",
    "ringlight_room_record_lost",
)  # fmt: skip
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
        inside: Where it writes down what it holds, when it is told to; `None` where nobody looks into it.
    """

    def __init__(self, log: Path, *args: str, settings: dict[str, str], inside: Path | None = None) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
        self.log, self._environment = log, {**kept, **settings, "NO_COLOR": "1"}
        self._command = [str(RINGLIGHT), *args]
        self._inside = inside
        if inside is not None:
            inside.mkdir()
            self._command = [sys.executable, "-m", "soak.inside", *args]
            self._environment[INTO] = str(inside)
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=log, text=True, env=self._environment
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready http://"):
            self.process.kill()
            raise AssertionError(f"no ready line but {line!r}: {self.log.read_text()[-2000:]}")
        self.url = line.split()[1].rstrip("/")

    def sample(self, began: float, *, with_metrics: bool = True) -> Sample:
        """Measure it; without metrics, what it says of itself is left out."""
        folder = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines())
        files = self._files()
        sockets = sum(name.startswith("socket:") for name in files)
        measured = httpx2.get(f"{self.url}/metrics", timeout=60, trust_env=False).text if with_metrics else ""
        return Sample(
            at=time.monotonic() - began,
            memory=int(status["VmRSS"].split()[0]) / 1024,
            files=len(files) - sockets,
            sockets=sockets,
            threads=int(status["Threads"]),
            tasks=int(_value(measured, "ringlight_tasks")) if with_metrics else 0,
            holds={name: _value(measured, name) for name in HELD} if with_metrics else {},
        )

    def kinds_of_files(self) -> dict[str, int]:
        """Count its open descriptors by what they are."""
        return dict(Counter(re.sub(r"\[?\d+\]?", "", name) for name in self._files()))

    def _files(self) -> list[str]:
        files = []
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                files.append(str(descriptor.readlink()))
            except OSError:
                continue  # closed meanwhile
        return files

    def census(self) -> dict[str, Any]:
        """Let it count what it holds."""
        found: dict[str, Any] = json.loads(self._told(signal.SIGUSR1, "census").read_text(encoding="utf-8"))
        return found

    def traced(self) -> tracemalloc.Snapshot:
        """Return what memory it holds of what it has taken since this was first asked; it traces from then on."""
        return tracemalloc.Snapshot.load(str(self._told(signal.SIGUSR2, "trace")))

    def _told(self, number: signal.Signals, what: str) -> Path:
        assert self._inside is not None
        name = f"{what}-*[!t]"  # not `.part`, which is not whole yet
        before = set(self._inside.glob(name))
        self.process.send_signal(number)
        until = time.monotonic() + TELLS_WITHIN
        while not (new := set(self._inside.glob(name)) - before):
            if time.monotonic() > until:
                raise TimeoutError(f"{self.log.stem} has not told its {what}")
            time.sleep(0.05)
        return new.pop()

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


def _value(measured: str, name: str) -> float:
    """Return the sum of a metric over its labels."""
    found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", measured, re.MULTILINE)
    assert found or name not in ("ringlight_tasks",), "the server does not count its tasks"
    return sum(map(float, found))


def sign_in(simulator: str, state: Path) -> None:
    """Sign in to the simulated Ring, as a person does at the command line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    subprocess.run(
        [str(RINGLIGHT), "login", "--email", "ada@ringlight.test"], input="ringlight\n123456\n", text=True, check=True,
        env={**kept, "RINGLIGHT_RING_URL": simulator, "RINGLIGHT_STATE_DIR": str(state)}, capture_output=True,
        timeout=60,
    )  # fmt: skip
