"""Readers of files and words that people give to the program: traces, settings, copies; and of MQTT."""

import atexit
import io
import os
import shutil
import tempfile
from pathlib import Path
from unittest import mock

from fuzz_target import Target, codes

from ringlight.cli.config_check import wrong_settings
from ringlight.doctor.evidence import read_target
from ringlight.doctor.judging import judge_room_token
from ringlight.doctor.proc_net import read_table
from ringlight.doctor.traces.lint import lint
from ringlight.faults import FAULTS, explain, look_up
from ringlight.home.topics import Topics
from ringlight.settings import load_settings
from ringlight.simulator.scenario import parse_scenario

_FOLDER = Path(tempfile.mkdtemp(prefix="ringlight-fuzz-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
TOPICS = Topics("ringlight")


def read_trace(data: bytes) -> None:
    """A recording in whatever form: judged, never a crash, and no fault that is not in the catalogue."""
    report = lint(io.BytesIO(data))
    told = report.as_dict()
    assert told["verdict"]
    assert all(finding.code in FAULTS for finding in report.findings)
    assert len(report.findings) <= 100


def read_words(data: bytes) -> None:
    """Words that somebody pasted: matches are rows of the catalogue."""
    text = data.decode("utf-8", "replace")
    assert all(fault.code in FAULTS for fault in explain(text))
    look_up(text)


def read_settings_file(data: bytes) -> None:
    """`ringlight.toml`: loads, or says which setting cannot be used; what is judged besides is words on one line."""
    path = _FOLDER / f"{os.getpid()}.toml"
    path.write_bytes(data)
    with mock.patch.dict(os.environ, clear=True):
        os.environ["HOME"] = str(_FOLDER)
        wrong = wrong_settings(path)
        settings = load_settings(path)
    assert all(line.isprintable() for line in wrong)
    assert "canary4002" not in f"{wrong} {settings!r}"


def read_environment(data: bytes) -> None:
    """Variables, a line each: `RINGLIGHT_SERVER__PORT=8000`."""
    given = {}
    for line in data.decode("utf-8", "replace").replace("\0", "").split("\n")[:20]:
        name, _, value = line.partition("=")
        if name:
            given[f"RINGLIGHT_{name}"] = value
    with mock.patch.dict(os.environ, given, clear=True):
        os.environ["HOME"] = str(_FOLDER)
        load_settings()


def read_command(data: bytes) -> None:
    """A message on a topic of the bridge to home automation."""
    topic, _, payload = data.partition(b"\n")
    command = TOPICS.read(topic.decode("utf-8", "replace"), payload)
    assert command.camera.isascii()


def read_target_url(data: bytes) -> None:
    """What `ringlight doctor` is given, and what a page's address holds."""
    text = data.decode("utf-8", "replace")
    judge_room_token(text, 1e9)
    read_target(text)


def read_sockets(data: bytes) -> None:
    """A table of the kernel's sockets."""
    list(read_table(data.decode("utf-8", "replace")))


def read_scenario_file(data: bytes) -> None:
    """A scenario of the simulator."""
    parse_scenario(data.decode("utf-8", "replace"), "a test")


TARGETS = (
    Target("trace", read_trace, short=200),
    Target("explain", read_words, short=150),
    Target("settings-file", read_settings_file, codes("CFG-INVALID"), short=60),
    Target("settings-environment", read_environment, codes("CFG-INVALID"), short=60),
    Target("mqtt-command", read_command, codes("REQUEST-INVALID")),
    Target("doctor-target", read_target_url, codes("REQUEST-INVALID")),
    Target("proc-net", read_sockets),
    Target("scenario", read_scenario_file, codes("CFG-INVALID")),
)
