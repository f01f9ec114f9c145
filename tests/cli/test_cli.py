"""The command line as a user has it: processes, exit codes, stdout and stderr."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import RINGLIGHT, Program
from ringlight.faults import FAULTS
from ringlight.http.serving import listen
from ringlight.testing import SimulatedRing
from tones import tone

pytestmark = pytest.mark.program
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    def command(*args: str, text: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(RINGLIGHT), *args], input=text, env={**environment, **settings}, cwd=tmp_path,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return command


@pytest.fixture
def signed_in(run: Run, ring: SimulatedRing) -> Run:
    """Commands of somebody who has signed in to the simulated Ring."""

    def command(*args: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        return run(*args, **{"RINGLIGHT_RING_URL": ring.url, **settings})

    signed = command("login", "--email", "ada@ringlight.test", text="ringlight\n123456\n")
    assert signed.returncode == 0, signed.stderr
    return command


def faults_in(finished: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in finished.stderr
    named = re.search(r"^([A-Z]+(?:-[A-Z0-9]+)+): ", finished.stderr, re.MULTILINE)
    assert named is not None, finished.stderr
    return named[1]


def test_signing_in_asks_for_password_and_code_and_keeps_the_tokens(
    signed_in: Run, environment: dict[str, str]
) -> None:
    tokens = Path(environment["RINGLIGHT_STATE_DIR"]) / "tokens.json"
    assert tokens.stat().st_mode & 0o777 == 0o600
    assert json.loads(signed_in("whoami", "--json").stdout) == {"email": "ada@ringlight.test", "account_id": 4711}
    assert signed_in("logout").returncode == 0
    assert faults_in(signed_in("devices")) == "AUTH-SIGNED-OUT"


def test_a_wrong_password_or_code_is_told_with_its_fix(run: Run, ring: SimulatedRing) -> None:
    wrong = run("login", "--email", "ada@ringlight.test", text="nonsense\n", RINGLIGHT_RING_URL=ring.url)
    assert wrong.returncode == 1
    assert faults_in(wrong) == "AUTH-PASSWORD"
    assert FAULTS["AUTH-PASSWORD"].fix in wrong.stderr
    bad_code = run("login", "--email", "ada@ringlight.test", text="ringlight\n000000\n", RINGLIGHT_RING_URL=ring.url)
    assert "AUTH-CODE-WRONG" in bad_code.stderr
    assert "Traceback" not in bad_code.stderr


def test_devices_are_listed_for_people_and_for_programs(signed_in: Run, ring: SimulatedRing) -> None:
    table = signed_in("devices").stdout
    for word in ("Front Door", "1001", "lpd_v2", "battery 87 %", "online"):
        assert word in table
    ring.world.switch(["live-view-disabled"])
    rows = json.loads(signed_in("devices", "--json").stdout)["devices"]
    assert [row["refusal"]["code"] for row in rows] == ["CAM-DISABLED"] * 3


def test_brackets_in_a_cameras_name_are_shown_and_not_read(signed_in: Run, ring: SimulatedRing) -> None:
    ring.world.cameras = (replace(ring.world.cameras[0], name="Gate [/] [back]"), *ring.world.cameras[1:])
    table = signed_in("devices")
    assert table.returncode == 0, table.stderr
    assert "Gate [/] [back]" in table.stdout


def test_a_recording_is_ten_seconds_of_h264(signed_in: Run, tmp_path: Path) -> None:
    out, trace = tmp_path / "out.mp4", tmp_path / "trace.jsonl"
    recorded = signed_in("record", "Front Door", str(out), "--seconds", "10", "--trace", str(trace), "--json")
    assert recorded.returncode == 0, recorded.stderr
    assert 9 <= json.loads(recorded.stdout)["seconds"] <= 11
    probe = ["ffprobe", "-v", "error", "-of", "json", "-count_frames", "-show_streams", "-show_format", str(out)]
    seen = json.loads(subprocess.run(probe, capture_output=True, text=True, check=True).stdout)
    assert [stream["codec_name"] for stream in seen["streams"]] == ["h264", "opus"]
    for stream in seen["streams"]:
        assert 8.5 <= float(stream["duration"]) <= 11, "sound is as long as the picture"
    assert 9 <= float(seen["format"]["duration"]) <= 11
    assert int(seen["streams"][0]["nb_read_frames"]) >= 140
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    methods = [(line["dir"], line["msg"]["method"]) for line in lines]
    assert methods[:3] == [("out", "live_view"), ("in", "session_created"), ("in", "sdp")]
    assert methods[-1] == ("out", "close")
    assert all(line["msg"]["body"].get("session_id", "redacted").startswith("redacted") for line in lines)
    judged = signed_in("explain", "--trace", str(trace))
    assert judged.returncode == 0
    assert f"All {len(lines)} messages are right" in judged.stdout


def test_a_snapshot_is_a_jpeg(signed_in: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.jpg"
    taken = signed_in("snapshot", "1002", str(out))
    assert taken.returncode == 0, taken.stderr
    probe = ["ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", "stream=codec_name,width,height", str(out)]
    assert subprocess.run(probe, capture_output=True, text=True, check=True).stdout.strip() == "mjpeg,640,360"


@pytest.mark.parametrize(
    ("switch", "code"), [("offline", "CAM-OFFLINE"), ("session-lost", "SIG-SESSION-LOST"), ("no-udp", "MEDIA-UDP")]
)
def test_a_view_that_fails_names_the_fault(
    signed_in: Run, ring: SimulatedRing, tmp_path: Path, switch: str, code: str
) -> None:
    ring.world.switch([switch])
    failed = signed_in("snapshot", "Front Door", str(tmp_path / "x.jpg"), RINGLIGHT_LIVE_VIEW__PATH_TIMEOUT="1")
    assert failed.returncode == 1
    assert faults_in(failed) == code


def test_a_file_that_cannot_be_written_and_an_unknown_camera_are_faults(signed_in: Run, tmp_path: Path) -> None:
    assert faults_in(signed_in("snapshot", "Front Door", str(tmp_path / "no" / "x.jpg"))) == "FILE-WRITE"
    assert (
        faults_in(signed_in("record", "Front Door", str(tmp_path / "no" / "x.mp4"), "--seconds", "1")) == "FILE-WRITE"
    )
    unknown = signed_in("snapshot", "Garage", str(tmp_path / "x.jpg"))
    assert faults_in(unknown) == "CAM-UNKNOWN"
    assert "Front Door, Back Yard, Driveway" in unknown.stderr


def test_wrong_set_up_is_one_line_with_the_fix_and_exit_2(run: Run, tmp_path: Path) -> None:
    taken = listen("127.0.0.1", 0)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder is expected")
    port = str(taken.getsockname()[1])
    cases = {
        "CFG-PORT": run("demo", "--port", port),
        "CFG-STATE-DIR": run("login", "--email", "a@b", text="x\n", RINGLIGHT_STATE_DIR=str(blocked / "state")),
        "CFG-INVALID": run("devices", RINGLIGHT_LIVE_VIEW__PING_EVERY="soon"),
        "CFG-SECRET-KEY": run("serve", "--host", "0.0.0.0", "--port", "0"),
        "REQUEST-INVALID": run("simulate", "--fault", "nonsense"),
        "FAULT-UNKNOWN": run("explain", "zzzz"),
    }
    taken.close()
    for code, finished in cases.items():
        assert finished.returncode == 2, (code, finished.stderr)
        assert finished.stdout == ""
        lines = finished.stderr.strip().splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith(f"{code}: ")
        assert FAULTS[code].fix in lines[0]


def test_explain_reads_the_catalogue(run: Run) -> None:
    by_code = run("explain", "sig-ticket").stdout
    assert FAULTS["SIG-TICKET"].cause in by_code
    assert json.loads(run("explain", "26", "--json").stdout)["faults"][0]["code"] == "SIG-NOT-READY"
    assert json.loads(run("explain", "close", "6", "--json").stdout)["faults"][0]["code"] == "SIG-PING"
    assert len(run("explain").stdout.splitlines()) == len(FAULTS)


def test_a_locale_without_utf_8_ends_no_command(run: Run) -> None:
    """The catalogue has quotation marks that ASCII lacks: `?` stands for them, and JSON keeps them as escapes."""
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    shown = run("explain", "close", "5", **ascii_only)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "with ?Authentication failed?" in shown.stdout
    printed = run("explain", "close", "5", "--json", **ascii_only)
    assert printed.stdout.isascii()
    assert "“Authentication failed”" in json.loads(printed.stdout)["faults"][0]["cause"]


def test_explain_reads_a_log_from_standard_input_and_says_why_and_where(run: Run) -> None:
    log = "10:00:00 starting\n10:00:01 bind: Address already in use\n"
    shown = run("explain", "-", text=log)
    assert shown.stdout.startswith(
        "CFG-PORT: The port is taken\n  seen   “address already in use”, as a server says it"
    )
    assert "(line 2)" in shown.stdout
    first = json.loads(run("explain", "-", "--json", text=log).stdout)["faults"][0]
    assert (first["code"], first["line"], first["help"]) == ("CFG-PORT", 2, "/faults/CFG-PORT")
    nothing = run("explain", "sig-tickt")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "near it are SIG-TICKET" in nothing.stderr
    assert run("explain", "-", text="").returncode == 2


def test_explain_names_the_first_message_of_a_trace_that_is_wrong(run: Run, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    offer = {"method": "live_view", "dialog_id": "9b2f1c1e-2f6e-4f0b-8f7e-1d2c3b4a5968", "body": {"doorbot_id": "1001"}}
    trace.write_text("noise\n" + json.dumps({"at": 0.5, "dir": "out", "msg": offer}) + "\n")
    judged = run("explain", "--trace", str(trace))
    assert judged.returncode == 1
    assert "Line 2 is the first that is wrong: SIG-DOORBOT-ID" in judged.stdout
    assert FAULTS["SIG-DOORBOT-ID"].fix in judged.stdout
    assert run("explain", "--trace", str(tmp_path / "none")).returncode == 2


def test_a_trace_says_how_ring_closed_the_socket_and_explain_reads_it(
    signed_in: Run, ring: SimulatedRing, tmp_path: Path
) -> None:
    ring.world.switch(["string-doorbot-id"])
    trace = tmp_path / "trace.jsonl"
    assert signed_in("snapshot", "Front Door", str(tmp_path / "x.jpg"), "--trace", str(trace)).returncode == 1
    last = json.loads(trace.read_text().splitlines()[-1])
    assert (last["dir"], last["msg"]["socket"], last["msg"]["code"]) == ("note", "closed", 4002)
    judged = json.loads(signed_in("explain", "--trace", str(trace), "--json").stdout)
    assert (judged["fault"]["code"], judged["findings"][0]["who"]) == ("SIG-DOORBOT-ID", "socket")


def test_doctor_finds_nothing_on_a_healthy_set_up(signed_in: Run, tmp_path: Path) -> None:
    trace = tmp_path / "doctor.jsonl"
    well = signed_in("doctor", "Front Door", "--json", "--seconds", "0", "--trace", str(trace))
    report = json.loads(well.stdout)
    assert well.returncode == 0, report
    assert report["healthy"]
    assert {check["mark"] for check in report["checks"]} <= {"good", "skipped"}
    looked_at = {check["check"] for check in report["checks"] if check["mark"] == "good"}
    assert looked_at >= {"settings", "state", "port", "udp", "answer", "clock", "token", "cameras", "websocket"}
    assert [check["check"] for check in report["checks"] if check["subject"] == "Front Door"] == [
        "messages", "dialog", "video",
    ]  # fmt: skip
    assert "live_view" in trace.read_text()


@pytest.mark.parametrize(
    ("switch", "code"),
    [("expired-ticket", "SIG-TICKET"), ("wrong-password", "AUTH-LINK-LOST"), ("offline", "CAM-OFFLINE")],
)
def test_doctor_names_the_fault(signed_in: Run, ring: SimulatedRing, switch: str, code: str) -> None:
    ring.world.switch([switch])
    ill = signed_in("doctor", "Front Door", "--json")
    assert ill.returncode == 1
    assert json.loads(ill.stdout)["first"]["fault"]["code"] == code
    assert f"Fix this first: {code}" in signed_in("doctor", "Front Door").stdout


def test_doctor_says_that_ring_cannot_be_reached_and_skips_what_depends_on_it(run: Run) -> None:
    free = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{free.getsockname()[1]}"
    free.close()
    report = json.loads(run("doctor", "--json", RINGLIGHT_RING_URL=url).stdout)
    marks = {check["check"]: check["mark"] for check in report["checks"]}
    assert marks["connect"] == "fault"
    assert marks["answer"] == marks["token"] == marks["websocket"] == "skipped"
    assert report["first"]["fault"]["code"] == "REACH-REFUSED"


def test_serve_shows_the_cameras_of_the_account(
    signed_in: Run, ring: SimulatedRing, start: Callable[..., Program]
) -> None:
    import httpx2

    server = start("serve", "--port", "0", RINGLIGHT_RING_URL=ring.url)
    cameras = httpx2.get(f"{server.url}api/cameras").json()["cameras"]
    assert [camera["name"] for camera in cameras] == ["Front Door", "Back Yard", "Driveway"]
    assert httpx2.get(f"{server.url}_sim/faults").status_code == 404


@pytest.mark.parametrize("command", ["demo", "simulate"])
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_programs_stop_cleanly(start: Callable[..., Program], command: str, sign: int) -> None:
    program = start(command, "--port", "0")
    os.kill(program.process.pid, sign)
    _, said = program.process.communicate(timeout=10)
    assert "Traceback" not in said
    assert said.strip().endswith("Stopped.")
    assert program.process.returncode == 0


@pytest.mark.parametrize("command", ["demo", "simulate"])
def test_pressing_ctrl_c_twice_stops_as_cleanly_as_once(start: Callable[..., Program], command: str) -> None:
    program = start(command, "--port", "0")
    os.kill(program.process.pid, signal.SIGINT)
    os.kill(program.process.pid, signal.SIGINT)
    time.sleep(0.01)
    os.kill(program.process.pid, signal.SIGINT)
    _, said = program.process.communicate(timeout=10)
    assert "Traceback" not in said
    assert said.strip().endswith("Stopped.")
    assert program.process.returncode == 0


def test_what_a_script_started_in_the_background_stops_at_sigint(environment: dict[str, str], tmp_path: Path) -> None:
    """A shell without job control lets SIGINT be ignored in what it starts with `&`."""
    script = (
        f'"{RINGLIGHT}" simulate --port 0 >out & i=0; '
        "until grep -q ready out; do sleep 0.1; i=$((i+1)); test $i -lt 200 || exit 9; done; "
        "kill -INT $!; wait $!"
    )
    done = subprocess.run(["sh", "-c", script], env=environment, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 0


def test_the_simulator_records_what_its_clients_say(run: Run, start: Callable[..., Program], tmp_path: Path) -> None:
    """A client that is somebody else's has no `--trace`; the simulator writes its side down as the client would."""
    ring = start("simulate", "--port", "0", "--trace", str(tmp_path / "heard.jsonl"))
    there = {"RINGLIGHT_RING_URL": ring.url.rstrip("/")}
    run("login", "--email", "ada@ringlight.test", text="ringlight\n123456\n", **there)
    assert run("snapshot", "Front Door", "a.jpg", **there).returncode == 0
    lines = [json.loads(line) for line in (tmp_path / "heard.jsonl").read_text().splitlines()]
    assert [(line["dir"], line["msg"]["method"]) for line in lines[:2]] == [
        ("out", "live_view"),
        ("in", "session_created"),
    ]
    assert lines[1]["msg"]["body"]["session_id"].startswith("redacted-")
    judged = run("explain", "--trace", "heard.jsonl")
    assert (judged.returncode, judged.stdout.startswith("All ")) == (0, True), judged.stdout


def test_the_simulator_lists_what_it_can_play(run: Run) -> None:
    lines = run("simulate", "--list").stdout.splitlines()
    assert any(line.startswith("scenario  slow-battery-camera") for line in lines)
    assert any(line.startswith("profile   hostile") for line in lines)
    assert any(line.startswith("fault     socket-1006") for line in lines)


def test_a_scenario_that_cannot_be_played_is_named_before_anything_starts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "story.toml").write_text('title = "x"\non = ["nonsense"]\n')
    for name, named in (("no-such", "slow-battery-camera"), ("story.toml", "story.toml: line 2, on: no switch")):
        finished = run("simulate", "--port", "0", "--scenario", name)
        assert (finished.returncode, finished.stdout, faults_in(finished)) == (2, "", "CFG-INVALID")
        assert named in finished.stderr
    assert faults_in(run("simulate", "--profile", "friendly")) == "REQUEST-INVALID"


def test_the_simulator_plays_a_scenario_with_profile_seed_and_speed(
    start: Callable[..., Program], tmp_path: Path
) -> None:
    import httpx2

    story = tmp_path / "story.toml"
    story.write_text('title = "A bell"\non = ["noise"]\n[[at]]\nseconds = 60\nonly = ["offline"]\n')
    options = ("--scenario", str(story), "--profile", "documented", "--seed", "7", "--speed", "600")
    program = start("simulate", "--port", "0", *options, "--fault", "duplicates")
    for _ in range(200):
        on = {row["name"] for row in httpx2.get(f"{program.url}_sim/faults").json()["faults"] if row["on"]}
        if on == {"offline"}:
            break
    assert on == {"offline"}, "a minute of the story is a tenth of a second"
    _, said = program.stop()
    assert "A bell" in said


def test_help_and_version(run: Run) -> None:
    assert "demo" in run("--help").stdout
    assert run("--version").stdout.startswith("ringlight ")
    assert run("nonsense").returncode == 2


def test_a_file_is_said_through_the_cameras_speaker(signed_in: Run, ring: SimulatedRing, tmp_path: Path) -> None:
    tone(tmp_path / "hello.wav", 523, seconds=1.0)
    said = signed_in("talk", "Front Door", "hello.wav", "--json")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == {"file": "hello.wav", "seconds": pytest.approx(1.0, abs=0.05)}
    heard = ring.world.heard[1001].as_dict()
    assert abs(heard["hz"] - 523) <= 10
    assert heard["speaker"] == "closed"
    assert (heard["unheard"], heard["noise"]) == (0, 0)


def test_a_file_without_sound_opens_no_speaker(signed_in: Run, ring: SimulatedRing, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ada")
    for name in ("letter.txt", "missing.wav"):
        refused = signed_in("talk", "Front Door", name)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert faults_in(refused) == "FILE-READ"
    sent = [row["method"] for dialog in ring.world.dialogs for row in dialog.messages]
    assert "camera_options" not in sent
