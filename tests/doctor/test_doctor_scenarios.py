"""In both directions: every cause of the three guides has a scenario, and the doctor names that cause first."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_doctor_judging import CASES

from own_coturn import PROGRAM, SharedCoturn
from partner_scenarios import linked_camera
from patients import PARTNER, Patient, Scenario, Stage, linked, ring, server
from ringlight.cameras.linked import LinkedCameras
from ringlight.doctor.checks import CHECKS
from ringlight.doctor.checkup import examine
from ringlight.doctor.findings import Mark
from ringlight.doctor.plans.asked import Asked
from ringlight.doctor.report import Report
from ringlight.simulator.world import World
from scenarios import ALL

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def coturn() -> Iterator[SharedCoturn]:
    if PROGRAM is None:
        pytest.skip("coturn is not installed")
    shared = SharedCoturn()
    yield shared
    shared.close()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, coturn: SharedCoturn) -> Stage:
    return Stage(tmp_path, monkeypatch, coturn)


async def _examined(patient: Patient) -> Report:
    return await examine(patient.settings, patient.targets, asked=patient.asked, budget=60.0)


def _all() -> Iterator[object]:
    """Yield each; the further ones of a code take long together."""
    codes: set[str] = set()
    for scenario in ALL:
        marks = [pytest.mark.long] if scenario.code in codes else []
        codes.add(scenario.code)
        yield pytest.param(scenario, id=scenario.cause.replace(" ", "-"), marks=marks)


@pytest.mark.parametrize("scenario", list(_all()))
async def test_the_cause_is_named_first(scenario: Scenario, stage: Stage) -> None:
    async with scenario.setting(stage) as patient:
        report = await _examined(patient)
    first = report.verdict.first
    shown = [(one.mark.value, one.name, one.code, one.seen) for one in report.findings if one.mark is not Mark.GOOD]
    assert first is not None, "called healthy"
    assert first.code == scenario.code, shown
    assert scenario.seen in first.seen, first.seen


async def test_a_healthy_set_up_is_called_healthy(stage: Stage) -> None:
    """Account, camera, app, server, rooms and relays of their own, all at once, in the time that is promised."""
    world = World()
    linked(stage, world)
    coturn = await stage.coturn()
    turn = {"turn_url": f"stun:127.0.0.1:{coturn.port},turn:127.0.0.1:{coturn.port}",
            "turn_secret": coturn.secret}  # fmt: skip
    async with ring(stage, world=world, **turn) as first, server(stage, ring_url=first.ring_url, **turn) as known:
        report = await examine(known, ("account", "network", "server", "room", "Front Door"), budget=60.0)
    troubles = [(one.mark.value, one.name, one.seen) for one in report.findings if one.mark is not Mark.GOOD]
    assert troubles == []
    assert report.verdict.is_healthy
    assert report.as_dict()["healthy"]


async def test_a_healthy_app_is_called_healthy(stage: Stage) -> None:
    world = World()
    linked(stage, world)
    async with ring(stage, world=world, partner={"client_id": "sim-client", "client_secret": "sim-secret"}) as known:
        report = await examine(known, ("partner",), budget=60.0)
    assert report.verdict.is_healthy, report.as_dict()["first"]


def _of(report: Report, subject: str) -> dict[str, tuple[str, str]]:
    return {one.check: (one.mark.value, one.seen) for one in report.findings if one.subject == subject}


async def test_a_camera_of_a_linked_account_is_watched_like_any_other(stage: Stage) -> None:
    """Who has no account of their own is asked for none."""
    async with linked_camera()(stage) as patient:
        report = await _examined(patient)
    assert report.verdict.is_healthy, report.as_dict()["first"]
    assert not {"token", "websocket"} & {one.check for one in report.findings}
    seen = _of(report, "Front Door")
    assert seen.keys() == {"partner-view", "video"}
    assert {mark for mark, _ in seen.values()} == {"good"}
    assert "a picture of" in seen["video"][1]


async def test_of_two_cameras_with_one_name_the_persons_own_is_looked_at_and_each_by_its_id(stage: Stage) -> None:
    world = World()
    linked(stage, world)
    async with ring(stage, world=world, partner=PARTNER) as known:
        async with LinkedCameras(known, None) as cameras:
            identity = (await cameras.camera("Front Door")).id
        report = await examine(known, ("Front Door", identity), budget=60.0)
    assert report.verdict.is_healthy, report.as_dict()["first"]
    assert _of(report, "Front Door").keys() == {"messages", "dialog", "video"}
    assert _of(report, identity).keys() == {"partner-view", "video"}


async def test_every_address_of_a_healthy_server_is_called_healthy(stage: Stage) -> None:
    async with server(stage) as known:
        base = f"localhost:{known.server.port}"
        targets = (f"http://{base}/", f"ws://{base}/ws/v2", f"ws://{base}/ws/signaling/5f0c/doctor")
        report = await examine(known, targets, asked=Asked(page=f"http://{base}/"), budget=60.0)
    assert report.verdict.is_healthy, report.as_dict()["first"]


def test_every_check_of_the_list_is_run_somewhere_or_is_the_browsers() -> None:
    source = Path(__file__).parents[2] / "src" / "ringlight" / "doctor" / "plans"
    text = "".join(path.read_text(encoding="utf-8") for path in source.glob("*.py"))
    run = {name for name in CHECKS if f'Look("{name}"' in text}
    assert {name for name in CHECKS if name not in run} == {n for n in CHECKS if CHECKS[n].area == "browser"}


def test_each_fault_that_a_check_lists_is_one_of_a_scenario_or_of_a_judgement() -> None:
    """Not a proof, but a list that nobody looks at would rot."""
    told = {scenario.code for scenario in ALL} | {code for _, _, code in CASES.values() if code}
    listed = {code for check in CHECKS.values() if check.area != "browser" for code in check.codes}
    assert listed - told == set()
