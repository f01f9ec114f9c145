"""Devices, history, subscriptions, the chime and the limit, as a partner's program meets them in each profile."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from partner_calls import NOON, Partner, code_of, partner

from ringlight.simulator.director import apply, load_scenario, world_of
from ringlight.simulator.partner import estate
from ringlight.simulator.partner.behaviour import PARTNER_PROFILES
from ringlight.simulator.partner.history import PartnerEvent, iso, page_of, parse_cursor, parse_filter
from ringlight.simulator.partner.limit import Limit
from ringlight.simulator.partner.switches import PARTNER_SWITCHES
from ringlight.simulator.scenario import parse_scenario
from ringlight.simulator.world import CAMERAS, World

pytestmark = pytest.mark.anyio

INCLUDE = "status,capabilities,location,configurations"
PROFILES = tuple(PARTNER_PROFILES)


def kinds(events: Any) -> list[str]:
    return [event["attributes"]["event_type"] for event in events.json()["data"]]


# Devices


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_cameras_are_devices_and_each_part_is_included_once(profile: str) -> None:
    async with partner(profile) as app:
        listed = (await app.get(f"/v1/devices?include={INCLUDE},unknown")).json()
        assert [one["attributes"]["name"] for one in listed["data"]] == [camera.name for camera in CAMERAS]
        included = {(part["type"], part["id"]): part for part in listed["included"]}
        assert len(included) == len(listed["included"])
        for device in listed["data"]:
            for relation in device["relationships"].values():
                named = relation["data"]
                alone = (await app.get(relation["links"]["related"])).json()["data"]
                assert alone == included[(named["type"], named["id"])]
        single = (await app.get(f"{await app.device('Back Yard')}?include=status")).json()
        assert single["data"]["id"] in {one["id"] for one in listed["data"]}


async def test_ids_are_as_long_as_rings_and_the_same_each_time() -> None:
    async with partner("observed") as app:
        (first, *_) = (await app.get("/v1/devices")).json()["data"]
    async with partner("observed") as app:
        assert (await app.get("/v1/devices")).json()["data"][0]["id"] == first["id"]
    prefix, _, name = first["id"].rpartition(".")
    assert (prefix, len(name)) == ("ava1.ring.device", 96)
    assert len(first["relationships"]["location"]["data"]["id"].rpartition(".")[2]) == 122


async def test_what_a_device_has_not_is_null_as_observed_and_absent_as_documented() -> None:
    for profile, expected in (("documented", False), ("observed", True)):
        async with partner(profile) as app:
            device = await app.device()
            said = (await app.get(f"{device}/capabilities")).json()["data"]["attributes"]
            assert ("flood_detection" in said, said.get("flood_detection")) == (expected, None)
            status = (await app.get(f"{device}/status")).json()["data"]["attributes"]
            assert status["online"] is True
            assert ("state" in status) is expected


async def test_what_the_owner_does_to_a_camera_is_seen() -> None:
    async with partner() as app:
        device = await app.device()
        app.world.motion_off.add(1001)
        await app.web.put("/_sim/partner/devices/1001", json={"online": False})
        said = (await app.get(f"{device}/configurations")).json()["data"]["attributes"]
        assert said["motion_detection"]["enabled"] == "off"
        assert (await app.get(f"{device}/status")).json()["data"]["attributes"]["online"] is False
        app.world.switch(["partner-offline"])
        assert (await app.get(f"{await app.device('Driveway')}/status")).json()["data"]["attributes"]["online"] is False
        gone = await app.web.put("/_sim/partner/devices/1001", json={"shared": False})
        assert gone.json() == {"online": False, "shared": False, "flooded": False}
        assert code_of(await app.get(device)) == (404, "Not Found")
        assert len((await app.get("/v1/devices")).json()["data"]) == 2
        assert (await app.web.put("/_sim/partner/devices/9", json={})).status_code == 404


async def test_paths_that_everybody_guesses_are_not_there() -> None:
    async with partner() as app:
        device = await app.device()
        assert (await app.get(f"{device}/events")).status_code == 403
        for path in (f"{device}/snapshot", f"{device}/media", "/v1/events", "/v1/chimes", "/v1/locations"):
            assert (await app.get(path)).status_code == 404, path
        wrong = await app.call("PUT", "/v1/devices")
        assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET")
    async with partner("observed") as app:
        (place,) = (await app.get("/v1/locations")).json()["data"]
        assert place["attributes"] == {"country": "US", "state": "WA"}


async def test_chime_and_sensor_are_there_for_early_access_only() -> None:
    async with partner("documented", "partner-early-access") as app:
        sensor, chime, camera = await app.device("Cellar Floor"), await app.device("Hallway Chime"), await app.device()
        await app.web.put("/_sim/partner/devices/sensor-1", json={"flooded": True})
        status = (await app.get(f"{sensor}/status")).json()["data"]["attributes"]
        assert (status["flood_detection"], status["battery_status"]) == ({"faulted": True}, {"percentage": 90})
        (slot, _) = (await app.get(f"{chime}/configurations")).json()["data"]["attributes"]["audio"][
            "customizable_slots"
        ]
        play = f"{chime}/media/audio/playback"
        full = await app.call("POST", play, json={"data": {"attributes": {"audio_ref": slot["audio_ref"]}}})
        assert full.json() == {"data": {"id": slot["audio_ref"], "attributes": {"status": "completed"}}}
        assert (await app.call("POST", play, json={"event": "ring-appstore-event-2"})).status_code == 204
        assert app.estate.played == [("chime-1", "ring-appstore-event-1"), ("chime-1", "ring-appstore-event-2")]
        for path, body in ((play, {"audio_ref": "of nobody"}), (play, []), (f"{camera}/media/audio/playback", slot)):
            assert code_of(await app.call("POST", path, json=body)) == (400, "Validation Error")
        app.estate.app.groups.discard("chimes")
        assert code_of(await app.call("POST", play, json={"event": slot["event"]})) == (403, "Out of Scope Access")
        app.world.switch([])
        assert (await app.get(sensor)).status_code == 404


async def test_subscriptions_name_their_devices_and_come_in_pages() -> None:
    async with partner() as app:
        listed = (await app.get("/v1/accounts/me/subscriptions")).json()
        assert [one["attributes"]["sub_type"] for one in listed["data"]] == ["paid", "trial"]
        assert "plan_id" not in listed["data"][1]["attributes"]
        assert len(listed["data"][0]["relationships"]["devices"]["data"]) == 3
        app.estate.subscriptions = app.estate.subscriptions * 20
        first = (await app.get("/v1/accounts/me/subscriptions")).json()
        second = (await app.get(first["links"]["next"])).json()
        assert (len(first["data"]), len(second["data"]), "links" in second) == (25, 15, False)
        app.world.switch(["partner-no-subscriptions"])
        assert (await app.get("/v1/accounts/me/subscriptions")).status_code == 422


# History


async def test_history_is_newest_first_and_begins_with_the_consent() -> None:
    async with partner() as app:
        events = await app.events()
        assert kinds(events) == ["ding", "motion", "motion", "motion", "on_demand"]
        starts = [event["attributes"]["start"] for event in events.json()["data"]]
        assert starts == sorted(starts, reverse=True)
        assert min(starts) > app.now - 30 * 86_400_000
        human = await app.events(query="?event_types=motion.human,ding")
        assert kinds(human) == ["ding", "motion"], "the one before the consent is not told"
        assert "sub_type" not in human.json()["data"][1]["attributes"]
        assert (await app.events(query="?event_types=burglar")).status_code == 400
        assert (await app.events(query="?page[key]=yesterday")).status_code == 400
        assert kinds(await app.events(query="?event_type=burglar&filter[x]=y")) == kinds(events), "not known, not read"


async def test_a_bell_that_is_pressed_is_an_event_without_an_end_at_first() -> None:
    async with partner() as app:
        await app.web.post("/_sim/cameras/1001/bell")
        (newest, *_) = (await app.events()).json()["data"]
        assert newest["attributes"] == {"event_type": "ding", "is_third_party_reviewed": False, "start": app.now}
        app.seconds += 9
        (newest, *_) = (await app.events()).json()["data"]
        assert newest["attributes"]["end"] == NOON * 1000 + 8000


@pytest.mark.parametrize("profile", PROFILES)
async def test_all_pages_together_are_the_whole_history(profile: str) -> None:
    """Where the next page's address forgets the filter, the client gives it anew."""
    async with partner(profile) as app:
        for minute in range(7):
            app.estate.happened("1001", "motion", subtype="human", start=app.now - minute * 60_000, seconds=5)
        seen, answer = [], await app.events(query="?event_types=motion.human")
        for _ in range(20):
            seen += answer.json()["data"]
            following = answer.json().get("links", {}).get("next")
            if following is None:
                break
            kept = "" if "event_types" in following else "&event_types=motion.human"
            answer = await app.get(f"{following}{kept}")
        assert following is None
        assert len(seen) == len({event["id"] for event in seen}) == 8


async def test_an_empty_history_is_bare_as_observed_and_goes_on_as_documented() -> None:
    for profile, pages in (("observed", 1), ("documented", 3)):
        async with partner(profile) as app:
            app.estate.events.clear()
            answer, count = await app.events(), 1
            while following := answer.json().get("links", {}).get("next"):
                answer, count = await app.get(following), count + 1
                assert answer.json()["data"] == []
            assert count == pages


def test_events_of_one_moment_stay_on_one_page() -> None:
    """The cursor is a time, and could not tell them apart."""
    events = [PartnerEvent(number, "d", "motion", "human", 1000 * (number // 3), 9999) for number in range(9)]
    page = page_of(events, None, None, 2, keep=True)
    assert [event.number for event in page.events] == [8, 7, 6]
    rest = page_of(events, None, parse_cursor(page.next_query.partition("=")[2]), 99, keep=True)
    assert [event.number for event in rest.events] == [5, 4, 3, 2, 1, 0]
    assert parse_cursor(iso(1_795_000_000_123)) == 1_795_000_000_123
    assert parse_filter("") is None


# The limit


def test_the_limit_counts_in_any_second_however_it_is_laid() -> None:
    limit = Limit(calls=3)
    assert [limit.take(at).taken for at in (0.0, 0.5, 0.9, 0.99, 1.0, 1.2, 1.5)] == [
        True, True, True, False, True, False, True,
    ]  # fmt: skip
    assert limit.refused == 2


async def test_the_hundred_and_first_call_of_a_second_is_refused_and_told_when() -> None:
    async with partner(limit=100) as app:
        answers = await asyncio.gather(*(app.get("/v1/users/me") for _ in range(101)))
        assert sorted(answer.status_code for answer in answers)[99:] == [200, 429]
        (refused,) = [answer for answer in answers if answer.status_code == 429]
        assert code_of(refused) == (429, "Rate Limit Exceeded")
        assert refused.headers["Retry-After"] == "1"
        remaining = {int(answer.headers["X-RateLimit-Remaining"]) for answer in answers}
        assert remaining == set(range(100))
        assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"100"}
        app.token = "invented"
        assert (await app.get("/v1/devices")).status_code == 401, "what has no token has no limit"
        app.token, app.seconds = "sim-token", 1.0
        assert (await app.get("/v1/users/me")).status_code == 200


# Faults


FAULTS: list[tuple[str, int, str]] = [
    ("partner-401", 401, "Invalid Client"), ("partner-401-empty", 401, ""), ("partner-403", 403, "Out of Scope Access"),
    ("partner-429", 429, "retry after 1"), ("partner-429-date", 429, "retry after 1"),
    ("partner-429-bare", 429, "Too many"), ("partner-500", 500, "Internal"), ("partner-502", 502, "<html>"),
    ("partner-503", 503, "SERVER_BUSY"), ("partner-html", 200, "<html>"), ("partner-no-devices", 200, '"data":[]'),
    ("partner-access-ended", 200, "Front Door"), ("partner-link-lost", 401, "Invalid Client"),
    ("offline", 200, "Front Door"),
]  # fmt: skip


@pytest.mark.parametrize(("switch", "status", "said"), FAULTS)
async def test_a_switch_is_seen_by_each_call(switch: str, status: int, said: str) -> None:
    async with partner("documented", switch) as app:
        answer = await app.get("/v1/devices")
        assert answer.status_code == status
        assert said in answer.text
        assert bool(answer.text) == bool(said)
        given = answer.headers.get("Retry-After")
        assert given == {"partner-429": "1", "partner-429-date": "Wed, 18 Nov 2026 11:06:42 GMT"}.get(switch)
        assert answer.headers["server"] == "envoy"
        app.world.switch([])
        assert "Front Door" in (await app.get("/v1/devices")).text


async def test_faults_can_be_told_for_single_calls() -> None:
    async with partner() as app:
        calls = [["partner-503"], [], ["partner-401-empty", "partner-slow"]]
        assert (await app.web.put("/_sim/partner/next", json={"calls": calls})).status_code == 200
        assert [(await app.get("/v1/devices")).status_code for _ in range(4)] == [503, 200, 401, 200]
        shown = (await app.web.get("/_sim/partner")).json()
        assert [status for _, _, status in shown["calls"]] == [503, 200, 401, 200]
        assert (await app.web.put("/_sim/partner/next", json={"calls": [["no-such"]]})).status_code == 404


async def test_flaky_means_every_second_call() -> None:
    async with partner("documented", "partner-flaky") as app:
        assert [(await app.get("/v1/devices")).status_code for _ in range(4)] == [503, 200, 503, 200]


async def _fate(app: Partner, within: float = 0.3) -> str:
    try:
        async with asyncio.timeout(within):
            answer = await app.get("/v1/devices")
            answer.json()
    except (TimeoutError, ValueError, httpx2.TransportError) as error:
        return type(error).__name__
    return f"{len(answer.content):,}"


@pytest.mark.parametrize(
    ("switch", "fate"),
    [
        ("partner-silent", "TimeoutError"), ("partner-cut", "RemoteProtocolError"),
        ("partner-cut-body", "RemoteProtocolError"), ("partner-slow", "TimeoutError"),
        ("partner-truncated", "JSONDecodeError"), ("partner-bad-gzip", "JSONDecodeError"),
    ],
)  # fmt: skip
async def test_the_wire_can_suffer(switch: str, fate: str) -> None:
    async with partner("documented", switch, wire=True) as app:
        assert await _fate(app, 0.3 if fate == "TimeoutError" else 30) == fate


async def test_a_document_can_be_huge() -> None:
    async with partner("documented", "partner-huge") as app:
        answer = await app.get("/v1/devices")
        assert len(answer.content) > 10_000_000
        assert len(answer.json()["data"]) == 3


def test_every_switch_of_the_partner_api_is_looked_at_somewhere() -> None:
    folder = Path(estate.__file__).parent
    source = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py") if file.stem != "switches")
    for name, switch in PARTNER_SWITCHES.items():
        assert f'"{name}"' in source, name
        assert switch.name == name
        assert name.startswith("partner-")
        assert switch.title
        assert switch.about.endswith(".")


# Scenarios


def test_a_scenario_says_nothing_of_the_partner_api_and_leaves_it_as_it_is() -> None:
    usual, told = World().partner, world_of(parse_scenario('title = "x"', "a.toml")).partner
    for name in ("address_life", "view_battery", "view_line", "media_lag"):
        assert getattr(told, name) == getattr(usual, name), name
    assert (told.grants.access_life, told.grants.refresh_life) == (usual.grants.access_life, usual.grants.refresh_life)
    assert told.limit.calls == usual.limit.calls


async def test_an_outage_is_a_scenario() -> None:
    text = """
    title = "Busy"
    on = ["partner-503"]
    [partner]
    calls_per_second = 7
    access_life = 60
    [[at]]
    seconds = 5
    off = ["partner-503"]
    """
    scenario = parse_scenario(text, "a.toml")
    world = world_of(scenario)
    assert (world.partner.limit.calls, world.partner.grants.access_life) == (7, 60.0)
    assert world.on == {"partner-503"}
    apply(world, scenario.at[0])
    assert world.on == set()
    assert load_scenario("partner-outage").at
