"""The checks before a call in a real Chromium, and calls over a TURN server: there, refusing, thin, and gone."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from calling import Gate, Narrow, demo_with_turn, made_up_devices, two_callers
from own_coturn import OwnCoturn
from ringlight.media.ice_servers import lent
from ringlight.secrets import Secret

pytestmark = [pytest.mark.browser, pytest.mark.program]
_RUN = """async ([iceServers, server]) => {
  const { Precall } = await import("/rooms-page/client/index.js");
  const precall = globalThis.precall = new Precall({ iceServers, server });
  globalThis.loudest = 0;
  precall.addEventListener("level", () => { loudest = Math.max(loudest, precall.level); });
  return await precall.run();
}"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, OwnCoturn]]:
    with demo_with_turn(tmp_path_factory.mktemp("state")) as both:
        yield both


@pytest.fixture
def server(demo: tuple[str, OwnCoturn]) -> str:
    return demo[0]


@pytest.fixture
def coturn(demo: tuple[str, OwnCoturn]) -> OwnCoturn:
    return demo[1]


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Iterator[Browser]:
    with made_up_devices(chromium) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    page = browser.new_context().new_page()
    page.goto(f"{server}health")
    yield page
    page.context.close()


def relay(port: int, secret: str) -> list[dict[str, str]]:
    name, password = lent(Secret(secret), "test", time.time() + 3600)
    return [{"urls": f"turn:127.0.0.1:{port}", "username": name, "credential": password}]


def states(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["state"] for check in report["checks"]}


def test_where_all_is_well_the_verdict_is_good(page: Page, coturn: OwnCoturn) -> None:
    """A machine that is busy may find its own line thin; everything else has to be good."""
    report = page.evaluate(_RUN, [relay(coturn.port, coturn.secret), None])
    found = states(report)
    assert found.pop("bandwidth") in ("good", "warning"), report
    assert set(found.values()) == {"good"}, report
    seen = {check["name"]: check["seen"] for check in report["checks"]}
    assert seen["bandwidth"]["kbps"] > 0
    assert seen["camera"]["width"] > 0
    assert page.evaluate("() => loudest") > 0.05, "the made-up microphone beeps"
    assert page.evaluate("() => precall.stream.getTracks().length") == 2


@pytest.mark.parametrize(
    ("wrong", "code"),
    [("secret", "TURN-CREDENTIALS"), ("port", "TURN-UNREACHABLE")],
    ids=["a wrong secret", "nobody there"],
)
def test_a_turn_server_that_does_not_serve_is_a_warning(page: Page, coturn: OwnCoturn, wrong: str, code: str) -> None:
    """Calls work in many networks without it, and not in strict ones."""
    servers = relay(coturn.port, "another") if wrong == "secret" else relay(9, coturn.secret)
    report = page.evaluate(_RUN, [servers, None])
    assert report["verdict"] == "warning"
    assert report["codes"] == [code]
    assert states(report)["bandwidth"] == "skipped"


def test_without_a_turn_server_the_loop_is_left_out(page: Page) -> None:
    report = page.evaluate(_RUN, [[], None])
    assert (report["verdict"], states(report)["turn"]) == ("good", "skipped")


def test_a_server_that_is_not_there_is_bad(page: Page) -> None:
    report = page.evaluate(_RUN, [[], "ws://undefined/ws/v2"])
    assert (report["verdict"], report["codes"]) == ("bad", ["REACH-URL"])


def test_whoever_refuses_camera_and_microphone_is_told_how_to_allow_them(browser: Browser, server: str) -> None:
    page = browser.new_context().new_page()
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };"
    )
    page.goto(f"{server}health")
    report = page.evaluate(_RUN, [[], None])
    assert (report["verdict"], report["codes"][0]) == ("bad", "WEB-DENIED")
    page.context.close()


def test_a_machine_without_a_camera_can_call_with_sound(browser: Browser, server: str) -> None:
    page = browser.new_context().new_page()
    page.add_init_script("""const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        if (wanted.video) throw new DOMException("none", "NotFoundError");
        return ask(wanted);
      };""")
    page.goto(f"{server}health")
    report = page.evaluate(_RUN, [[], None])
    assert (report["verdict"], report["codes"]) == ("warning", ["WEB-NO-DEVICE"])
    assert states(report)["microphone"] == "good"
    page.context.close()


def test_people_hear_themselves_and_the_camera_goes_on_in_the_call(page: Page) -> None:
    page.evaluate(_RUN, [[], None])
    phases = page.evaluate("""async () => {
      const phases = [];
      await precall.echo({ seconds: 1, onPhase: (phase) => phases.push(phase) });
      globalThis.kept = precall.keep();
      precall.stop();
      return phases;
    }""")
    assert phases == ["recording", "playing", "done"]
    assert page.evaluate("() => kept.getTracks().map(({ readyState }) => readyState)") == ["live", "live"]


def test_a_call_goes_over_the_turn_server_where_there_is_no_other_way(browser: Browser, server: str) -> None:
    """With the credentials of `welcome`, and with nothing but the relay allowed."""
    callers = two_callers(browser, server, server, "visit-relay", policy="relay")
    for caller in callers:
        caller.sees_frames()
        stats = caller.ask("[...(await them.getStats()).values()]")
        assert {one["candidateType"] for one in stats if one["type"] == "local-candidate"} == {"relay"}
    for caller in callers:
        assert caller.complaints == []
        caller.page.context.close()


@pytest.mark.long
def test_on_a_thin_line_the_sound_goes_on_without_the_picture(
    browser: Browser, server: str, coturn: OwnCoturn
) -> None:  # fmt: skip
    """90 kbit/s are enough for sound; a picture beside it would ruin both. When there is room again, it comes back."""
    sound = "(one) => one.type === 'inbound-rtp' && one.kind === 'audio'"
    heard = f"[...(await them.getStats()).values()].find({sound}).packetsReceived"
    with contextlib.closing(Narrow(coturn.port)) as narrow:
        doctor, patient = two_callers(browser, server, server, "visit-thin", policy="relay", turn=narrow.port)
        doctor.sees_frames()
        narrow.kbps = 90
        patient.until("call.thin", seconds=60)
        doctor.until("!them.media.video && them.media.audio")
        assert patient.ask("call.media.video"), "the camera is on: only the line is thin"
        packets = doctor.ask(heard)
        doctor.sees_no_frames(2)
        assert doctor.ask(heard) >= packets + 50, "fifty packets of sound a second"
        narrow.kbps = float("inf")
        patient.until("!call.thin", seconds=60)
        doctor.until("them.media.video")
        doctor.sees_frames()
    for caller in (doctor, patient):
        assert caller.complaints == []
        caller.page.context.close()


@pytest.mark.long
def test_a_path_that_dies_is_said_and_another_is_found(
    browser: Browser, server: str, coturn: OwnCoturn
) -> None:  # fmt: skip
    """Signaling goes on all the time: by it both agree on another path, as soon as there is one."""
    with contextlib.closing(Narrow(coturn.port)) as narrow:
        callers = two_callers(browser, server, server, "visit-dead", policy="relay", turn=narrow.port)
        ufrag = "/a=ice-ufrag:(\\S+)/.exec(pc().localDescription.sdp)[1]"
        before = [caller.ask(ufrag) for caller in callers]
        narrow.kbps = 1e-6
        for caller in callers:
            caller.until("them.path === 'lost'")
            assert caller.ask("[call.phase, them.away, them.fault.code]") == ["inside", False, "WEB-PATH-LOST"]
        for caller, old in zip(callers, before, strict=True):
            caller.until(f"{ufrag} !== '{old}'")
        narrow.kbps = float("inf")
        for caller in callers:
            caller.until("them.path === 'connected'", seconds=60)
            caller.sees_frames()
    for caller in callers:
        assert caller.complaints == []
        caller.page.context.close()


@pytest.mark.long
def test_a_call_over_a_dead_link_goes_on_by_itself_with_the_same_people(
    browser: Browser, server: str, coturn: OwnCoturn
) -> None:
    """Neither packets nor messages get through, and nothing is refused or broken: each is told why, and nobody acts."""
    who = "[them.id, them.name, call.me.id]"
    gate = Gate(urlsplit(server).port or 80)
    with contextlib.closing(Narrow(coturn.port)) as narrow:
        callers = two_callers(browser, server, gate.url, "visit-link", policy="relay", turn=narrow.port)
        patient = callers[1]
        before = [caller.ask(who) for caller in callers]
        narrow.is_up = False
        with gate.held_up():
            for caller in callers:
                caller.until("them.fault?.code === 'WEB-PATH-LOST'")
            patient.ask("call.retryNow()")  # as its next ping would, some seconds later
            patient.until("call.phase === 'away'")
        narrow.is_up = True
        for caller, old in zip(callers, before, strict=True):
            caller.until("call.phase === 'inside' && them.path === 'connected' && them.fault === null", seconds=60)
            caller.sees_frames(seconds=60)
            assert caller.ask(who) == old
            assert caller.ask("events.filter((name) => name === 'met' || name === 'gone')") == ["met"]
    gate.cut()
    for caller in callers:
        assert caller.complaints == []
        caller.page.context.close()
