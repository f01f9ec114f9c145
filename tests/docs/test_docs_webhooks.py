"""The app of the page about webhooks, and its lines, do what the page says."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringlight.faults import FAULTS
from ringlight.partner.webhooks import Handlers

pytestmark = pytest.mark.program

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "receive-webhooks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", PAGE, re.MULTILINE | re.DOTALL)
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
KEY = "c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ="


@pytest.fixture
def app(tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    (tmp_path / "app.py").write_text(PROGRAMS[0])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--no-access-log"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "RING_HMAC_KEY": KEY}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "running on" in line:
            break
    yield f"http://127.0.0.1:{port}", process
    process.terminate()
    process.communicate(timeout=30)


def test_the_app_of_the_page_hears_what_the_lines_of_the_page_send(
    app: tuple[str, "subprocess.Popen[str]"], tmp_path: Path, environment: dict[str, str]
) -> None:
    url, process = app
    script, said = ("".join(parts) for parts in zip(*BLOCKS, strict=True))
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-eu", "-c", script.replace("http://127.0.0.1:8080", url)], cwd=tmp_path, text=True, check=False,
        capture_output=True, timeout=100, env={**environment, "PATH": path},
    )  # fmt: skip
    assert re.sub(r"in \d+\.\d s", "in 0.0 s", done.stdout) == said, done.stderr
    assert process.stdout is not None
    assert {process.stdout.readline(), process.stdout.readline()} == {"motion: human\n", "also: button_press\n"}


def test_every_command_of_the_page_is_one_that_there_is() -> None:
    assert len(BLOCKS) == 2
    named = set(re.findall(r"ringlight (partner [a-z-]+|simulate|explain|serve)", PAGE))
    assert named == {"partner webhook-send", "partner dead-letters", "simulate", "explain", "serve"}


def test_the_page_names_every_fault_of_webhooks() -> None:
    assert {code for code in FAULTS if code.startswith("HOOK-")} <= set(re.findall(r"HOOK-[A-Z]+", PAGE))


def test_the_handler_that_goes_on_to_redis_can_be_made() -> None:
    """What it does is tested with a real Redis, beside the other webhooks."""
    assert len(PROGRAMS) == 2
    handlers = Handlers()
    exec(PROGRAMS[1], {"handlers": handlers})
    assert handlers.find("motion_detected") is not None
