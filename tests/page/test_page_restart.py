"""The page looks for another path when its network changes, and the picture goes on meanwhile."""

import re
import signal
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page, Route
from watching import server_ufrag, video_stats, wait_for_new_path, wait_for_picture, wait_until_it_moves, watch

from conftest import Program, clean_environment
from ringlight.secrets import Secret
from ringlight.server.relay import LIFETIME, IceServers

pytestmark = [pytest.mark.browser, pytest.mark.program]
_CHANGE = "dispatchEvent(new Event('online'))"  # what a browser says when its network is there again


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = Program("demo", "--port", "0", env=clean_environment(tmp_path_factory.mktemp("state")))
    yield program
    program.stop()


@pytest.fixture
def demo(program: Program) -> str:
    return program.url


@pytest.fixture
def page(chromium: Browser, demo: str) -> Iterator[Page]:
    page = chromium.new_page()
    page.goto(demo)
    yield page
    page.close()


def _restart(page: Page) -> None:
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as patched:
        page.evaluate(_CHANGE)
    assert patched.value.status == 200
    assert patched.value.header_value("content-type") == "application/trickle-ice-sdpfrag"
    wait_for_new_path(page, patched.value)


def test_when_the_network_changes_the_picture_goes_on_over_a_new_path(page: Page, demo: str) -> None:
    """Twice in a row, without a freeze or a lost packet: the old path is good until the new one is.

    A busy machine may freeze the browser itself; then it is looked at again, three times at most.
    """
    watch(page)
    for _ in range(3):
        before = video_stats(page)
        _restart(page)
        page.wait_for_timeout(2_100)
        _restart(page)
        page.wait_for_timeout(2_100)
        after = video_stats(page)
        if after["freezes"] == before["freezes"]:
            break
    assert after["freezes"] == before["freezes"]
    assert after["lost"] == 0
    assert after["frames"] - before["frames"] > 45
    (viewer,) = httpx2.get(f"{demo}api/cameras/front-door").json()["audience"]
    assert viewer["restarts"] >= 2
    assert viewer["connected"]
    assert viewer["loss"] == 0
    assert viewer["round_trip_ms"] is not None


def test_a_restart_that_the_server_refuses_leaves_the_picture_alone(page: Page) -> None:
    watch(page)
    page.route("**/whep/*/*", lambda route: route.fulfill(status=405) if route.request.method == "PATCH" else None)
    before, ufrag = video_stats(page), server_ufrag(page)
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        page.evaluate(_CHANGE)
    page.wait_for_timeout(1_500)
    assert video_stats(page)["frames"] - before["frames"] > 10
    assert server_ufrag(page) == ufrag
    assert page.locator("camera-view").get_attribute("state") == "playing"


def test_a_restart_that_hangs_on_a_network_that_is_gone_gives_way_when_the_network_changes(page: Page) -> None:
    watch(page)
    hanging: list[Route] = []

    def hang(route: Route) -> None:
        if route.request.method == "PATCH" and not hanging:
            hanging.append(route)
        else:
            route.continue_()

    page.route("**/whep/*/*", hang)
    with page.expect_request(lambda request: request.method == "PATCH"):
        page.evaluate(_CHANGE)
    with page.expect_response(lambda answer: answer.request.method == "PATCH", timeout=4_000) as patched:
        page.evaluate(_CHANGE)
    assert patched.value.status == 200
    wait_for_new_path(page, patched.value)


def test_a_picture_whose_path_was_lost_comes_back_by_itself(page: Page, program: Program) -> None:
    """Nothing answers for some seconds, neither packets nor requests, as in a lift; the page says so and goes on."""
    watch(page)
    program.process.send_signal(signal.SIGSTOP)
    try:
        page.get_by_text("The connection is interrupted").wait_for(timeout=13_000)
    finally:
        program.process.send_signal(signal.SIGCONT)
    page.get_by_text("The connection is interrupted").wait_for(state="hidden", timeout=10_000)
    wait_until_it_moves(page)
    for _ in range(200):  # the page of the test before may have gone without a word
        audience = httpx2.get(f"{program.url}api/cameras/front-door").json()["audience"]
        if len(audience) == 1:
            break
        page.wait_for_timeout(100)
    assert [viewer["connected"] for viewer in audience] == [True]


def test_some_seconds_without_a_network_do_not_end_the_view(page: Page) -> None:
    """The page's events break off with the network; a server that cannot be asked for a moment is not gone."""
    page.add_init_script("""window.EventSource = class extends EventSource {
      constructor(url) { super(url); window.latest = this; }
    }""")
    page.reload()
    watch(page)
    refused: list[Route] = []

    def unreachable(route: Route) -> None:
        if len(refused) < 2:
            refused.append(route)
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route("**/api/about", unreachable)
    with page.expect_response("**/api/about", timeout=8_000):
        page.evaluate("latest.dispatchEvent(new Event('error'))")
        page.get_by_text("The connection is interrupted").wait_for(timeout=5_000)
    page.get_by_text("The connection is interrupted").wait_for(state="hidden", timeout=5_000)
    assert len(refused) == 2
    before = video_stats(page)["frames"]
    page.wait_for_timeout(1_000)
    assert video_stats(page)["frames"] > before
    assert page.locator("camera-view").get_attribute("state") == "playing"


def test_the_page_reads_the_ice_servers_of_an_answer(page: Page) -> None:
    """As the server writes them, and as others may: commas and semicolons stand in addresses and in quotes."""
    links = IceServers(["stun:a:3478", "turn:b:3478?transport=udp"], Secret("shared"), lambda: 0.0).links()
    foreign = '</style.css>; rel=preload, <turn:c>; rel=ice-server; username="u,;1"; credential=p'
    read = page.evaluate(
        "async (link) => (await import('/page/ice.js')).iceServersOf(link)", ", ".join([*links, foreign])
    )
    assert [one["urls"] for one in read] == ["stun:a:3478", "turn:b:3478?transport=udp", "turn:c"]
    assert "username" not in read[0]
    assert read[1]["username"] == f"{LIFETIME}:ringlight"
    assert links[1].count(read[1]["credential"]) == 1
    assert (read[2]["username"], read[2]["credential"]) == ("u,;1", "p")


def test_a_restart_keeps_all_of_the_answer_but_its_ice(page: Page) -> None:
    answer = "v=0\r\nm=video 9 X 96\r\na=ice-ufrag:old\r\na=ice-pwd:oldpwd\r\na=candidate:1\r\na=mid:0\r\n"
    with_ice = "async ([answer, fragment]) => (await import('/page/ice.js')).withIce(answer, fragment)"
    fragment = "a=ice-ufrag:new\r\na=ice-pwd:newpwd\r\na=candidate:2\r\na=end-of-candidates\r\n"
    changed = "v=0\r\nm=video 9 X 96\r\na=ice-ufrag:new\r\na=ice-pwd:newpwd\r\na=candidate:2\r\na=mid:0\r\n"
    assert page.evaluate(with_ice, [answer, fragment]) == changed
    assert page.evaluate(with_ice, [answer, "a=mid:0"]) is None


def test_a_browser_that_finds_no_way_tries_again_with_the_servers_of_the_answer(page: Page) -> None:
    """They are named in the answer, too late for the offer: here to one whose candidates lead nowhere."""

    def astray(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        answer = route.fetch()
        lines = [
            re.sub(r"^(a=candidate:\S+ 1 \S+ \d+) \S+ \d+", r"\1 192.0.2.1 9", one) for one in answer.text().split("\n")
        ]
        route.fulfill(
            response=answer,
            body="\n".join(lines),
            headers={**answer.headers, "link": "<stun:192.0.2.1>; rel=ice-server"},
        )

    page.route("**/whep/**", astray)
    with page.expect_response(lambda answer: answer.request.method == "PATCH", timeout=15_000) as patched:
        page.click('[data-camera="front-door"]')
    assert patched.value.status == 200
    wait_for_picture(page)
