"""ring-client-api 14.3.0, not changed in anything, takes the simulator for Ring."""

import io
import json
from typing import Any

import pytest
from beside_ring import HERE, complaints, methods, seen_by

from own_node import install_npm_packages, node
from ringlight.doctor.traces.lint import lint

pytestmark = pytest.mark.program


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    install_npm_packages()
    return seen_by(node(), str(HERE / "view.mjs"))


def test_it_signs_in_uses_cameras_and_watches_one(seen: dict[str, Any]) -> None:
    """Its media is werift's; its push receiver cannot reach its server and does no harm by that."""
    assert seen.get("failed") is None
    assert seen["asked"] == "Please enter the code sent to +1xxxxxxxx12 via sms"
    assert [(camera["name"], camera["battery"]) for camera in seen["cameras"]] == [
        ("Front Door", None),
        ("Back Yard", 87),
        ("Driveway", None),
    ]
    assert seen["locations"] == ["Home"]
    used = seen["use"]
    assert (used["picture"], used["health"], used["email"]) == ("ffd8", "good", "ada@ringlight.test")
    assert used["events"] == ["ding", "motion", "on_demand"]
    assert used["recording"] == used["transcoded"]
    assert used["recording"].startswith("https://api.ring.com/")
    watched = seen["watched"]
    assert watched["video"] >= 200
    assert watched["keyFrames"] >= 2
    assert watched["audio"] > 0
    assert watched["ended"]


def test_what_it_does_wrong_is_noted_and_does_not_cost_it_the_view(seen: dict[str, Any]) -> None:
    """It says goodbye without body and dialog_id, as it does to Ring."""
    assert complaints(seen) == [("close", "SIG-DIALOG-ID")]
    assert {"live_view", "ice", "activate_session", "stream_options", "camera_options"} <= set(methods(seen))
    assert seen["dialogs"][0]["ended"] == "closed by the client"


def test_its_dialog_is_clean_by_the_lint_as_well(seen: dict[str, Any]) -> None:
    har = {"log": {"entries": [{"_resourceType": "websocket", "_webSocketMessages": seen["said"]}]}}
    report = lint(io.BytesIO(json.dumps(har).encode()))
    assert report.messages > 10
    assert [(found.where, found.code, found.detail) for found in report.findings] == []
    assert report.silence is None, "it was ended"


def test_the_lock_file_names_no_registry() -> None:
    """Each machine asks the one that it is set up for; the checksums are what counts."""
    locked = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert locked["node_modules/ring-client-api"]["version"] == "14.3.0"
    assert [name for name, package in locked.items() if "resolved" in package] == []
    assert [name for name, package in locked.items() if name and "integrity" not in package] == []
