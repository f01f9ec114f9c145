"""The lines of the page about the Partner API print what it says, and the reference has what there is."""

import os
import re
import subprocess
from pathlib import Path

import av
import pytest

from ringlight.simulator.partner.switches import PARTNER_SWITCHES
from ringlight.simulator.world import World
from ringlight.testing import SimulatedRing

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "partner-api-without-ring.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "reference" / "simulator.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", PAGE, re.MULTILINE | re.DOTALL)
END = "-- end of a block --\n"


@pytest.mark.program
def test_the_lines_of_the_page_print_what_it_says(ring: SimulatedRing, tmp_path: Path) -> None:
    """One after the other in one shell, as a reader types them; only the address is another."""
    assert len(BLOCKS) == 7
    script = f"echo '{END.strip()}'\n".join(block for block, _ in BLOCKS)
    assert script.count("http://127.0.0.1:8100") == 1
    done = subprocess.run(
        ["bash", "-eu", "-c", script.replace("http://127.0.0.1:8100", ring.url)], cwd=tmp_path, text=True, check=False,
        capture_output=True, timeout=60, env={"PATH": os.environ["PATH"], "no_proxy": "*"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split(END) == [said for _, said in BLOCKS]
    for name, codec in (("door.jpg", "mjpeg"), ("door.mp4", "h264")):
        with av.open(tmp_path / name, "r") as file:
            assert file.streams.video[0].codec.name == codec


def table_of_switches() -> str:
    rows = [f"| `{switch.name}` | {switch.title} | {switch.about} |" for switch in PARTNER_SWITCHES.values()]
    return "\n".join(["| Switch | Title | What the simulator does |", "| --- | --- | --- |", *rows])


def test_the_table_of_the_partners_switches_is_that_of_the_simulator() -> None:
    """If it is not: put the expected text, which pytest shows, between the two comments of the page."""
    found = re.search(
        r"<!-- partner switches: [^>]*-->\n(.*?)\n?<!-- end of partner switches -->", REFERENCE, re.DOTALL
    )
    assert found is not None
    assert found[1] == table_of_switches()


def test_the_app_and_its_limits_are_those_of_the_simulator() -> None:
    partner = World().partner
    app = partner.app
    for row in (
        f"| client id | `{app.client_id}` |", f"| client secret | `{app.secret}` |", f"| HMAC key | `{app.hmac_key}` |",
        f"| `limit.calls` | calls of the app in any second | {partner.limit.calls} |",
        f"| `grants.access_life` | seconds of an access token | {partner.grants.access_life:g} |",
        f"| `view_battery`, `view_line` | seconds of a live view | {partner.view_battery:g}, {partner.view_line:g} |",
        f"| `media_lag` | seconds from an event's end until its footage is ready | {partner.media_lag:g} |",
        f"| `address_life` | seconds that an address of the storage is good | {partner.address_life:g} |",
    ):  # fmt: skip
        assert row in REFERENCE
