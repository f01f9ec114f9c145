"""python-ring-doorbell 0.9.14, not changed in anything, takes the simulator for Ring."""

import io
import re
import sys
from pathlib import Path

import pytest
from beside_ring import HERE, complaints, methods, said_by, seen_by

from ringlight.doctor.traces.lint import lint
from ringlight.simulator.certificate import HOSTS

pytestmark = pytest.mark.program

PAGE = (HERE.parents[1] / "docs" / "how-to" / "other-clients-against-the-simulator.md").read_text(encoding="utf-8")


def test_it_signs_in_uses_cameras_and_watches_one() -> None:
    """The other side is aiortc, which decodes: the frames are pictures, not just packets."""
    seen = seen_by(sys.executable, str(HERE / "view_prd.py"))
    assert seen["asked_for_code"]
    assert seen["cameras"] == {
        "Front Door": "Doorbell Pro",
        "Back Yard": "Stick Up Cam (3rd Gen)",
        "Driveway": "Floodlight Cam Pro",
    }
    assert seen["use"] == {
        "lights": "on",
        "siren": pytest.approx(20, abs=2),
        "motion": False,
        "wifi": -58,
        "jpeg": True,
        "history": ["ding"],
        "mp4": True,
        "url": "https://api.ring.com/_media/recordings/7500000000000000003.mp4",
    }
    assert seen["watched"] == {"frames": 30, "sizes": ["640x360"], "samples": 30 * 960, "failed": []}
    assert seen["answered"], "its older call, which waits one second for the answer"
    assert methods(seen) == ["live_view", "activate_session", "camera_options"]
    assert complaints(seen) == []
    report = lint(io.BytesIO(seen["log"].encode()))
    assert report.messages >= 8, "its log at DEBUG shows offers, answers, sessions and activations"
    assert [(found.where, found.code, found.evidence) for found in report.findings] == []


def test_the_program_on_the_page_prints_what_the_page_says(tmp_path: Path) -> None:
    program = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    said = re.findall(r"^```text\n(Front Door.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "client.py").write_text(program)
    assert said_by(sys.executable, str(tmp_path / "client.py")) == said


def test_the_names_on_the_page_are_all_that_clients_ask_for() -> None:
    assert f"\n{' '.join(HOSTS)}\n" in PAGE
