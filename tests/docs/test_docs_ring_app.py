"""The tutorial about the Ring app: its program is the example, its commands print what it says, people see clips."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from ringlight.testing import SimulatedRing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.program

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial" / "ring-app.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "ring_app"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", PAGE, re.MULTILINE | re.DOTALL)
SECRETS = {
    "RING_CLIENT_ID": "sim-client", "RING_CLIENT_SECRET": "sim-secret",
    "RING_HMAC_KEY": "c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ=",
}  # fmt: skip
END = "-- end of a block --\n"
LONG = 60_000  # milliseconds, for a machine with much else to do


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**kept, "PATH": path, "no_proxy": "*", "RINGLIGHT_STATE_DIR": str(folder / "state")}


def test_the_program_of_the_tutorial_is_the_example() -> None:
    parts = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

    def lines(text: str) -> list[str]:
        return [line for line in text.splitlines() if line]

    program = (EXAMPLE / "app.py").read_text(encoding="utf-8")
    assert lines("\n".join(parts)) == lines(program)
    assert len(lines(program)) <= 110


def test_the_commands_of_the_tutorial_print_what_it_says(tmp_path: Path) -> None:
    ports = {port: str(free_port()) for port in ("8100", "8090")}

    def here(text: str) -> str:
        for port, free in ports.items():
            text = text.replace(port, free)
        return text

    script = here("trap 'kill $(jobs -p)' EXIT\n" + f"echo '{END.strip()}'\n".join(block for block, _ in BLOCKS))
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script], cwd=tmp_path, text=True, check=False, capture_output=True,
        timeout=180, env={**environment(tmp_path), "RINGLIGHT": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split(END) == [here(said) for _, said in BLOCKS]


@dataclass
class App:
    """The example as a process."""

    folder: Path
    ring: SimulatedRing
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLE), "--log-level", "error"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "app:app"], cwd=self.folder,
            env={**environment(self.folder), **SECRETS, "RINGLIGHT_RING_URL": self.ring.url},
        )  # fmt: skip
        while True:
            try:
                httpx2.get(f"{self.url}/ring/home", trust_env=False)
            except httpx2.TransportError:
                assert self.process.poll() is None
                continue
            return

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)


@pytest.fixture
def app(ring: SimulatedRing, tmp_path: Path) -> Iterator[App]:
    ring.world.speed = 4.0  # the motion and the clip take no ten seconds
    made = App(tmp_path, ring, free_port())
    made.start()
    yield made
    made.end()


def press(ring: SimulatedRing, method: str, path: str, **body: object) -> "dict[str, str]":
    answer = httpx2.request(method, f"{ring.url}/_sim/{path}", json=body, timeout=60, trust_env=False)
    assert answer.status_code < 300, answer.text
    said: dict[str, str] = answer.json()
    return said


def test_a_person_links_their_account_and_sees_the_clip_of_a_motion(
    app: App, ring: SimulatedRing, chromium: "Browser"
) -> None:
    """In a real browser, from the install button to the moving picture; and the app is killed in between."""
    press(ring, "PUT", "partner/app", base=f"{app.url}/ring")
    press(ring, "PUT", "partner/webhooks", url=f"{app.url}/ring/webhook")
    redirect = press(ring, "POST", "partner/install")["redirect"]
    app.end(signal.SIGKILL)
    app.start()
    context = chromium.new_context(http_credentials={"username": "maria@shop.example", "password": "open sesame"})
    page = context.new_page()
    page.goto(redirect)
    page.get_by_label("Name or e-mail").fill("maria@shop.example")
    page.get_by_label("Password").fill("open sesame")
    page.get_by_role("button", name="Sign in and link").click()
    page.locator('[data-state="completed"]').wait_for(timeout=LONG)
    press(ring, "POST", "cameras/1001/motion")
    began = time.monotonic()
    page.goto(app.url)
    while not page.locator("video").count():
        page.wait_for_timeout(500)
        assert time.monotonic() - began < LONG / 1000
        page.reload()
    page.get_by_role("heading", name="Ring account: completed").wait_for(timeout=LONG)
    video = page.locator("video").first
    playing = "video => video.play().then(() => video.videoWidth > 0)"
    assert video.evaluate(playing)
    page.get_by_role("link", name="Front Door now").click()
    assert page.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    context.close()
