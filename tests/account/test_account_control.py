"""Light, siren, fresh pictures, history and recordings: what is asked, what is refused before asking, what comes."""

import json
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringlight.account import control
from ringlight.account.devices import Device, parse_devices
from ringlight.account.events import CameraEvent, event_named, parse_events
from ringlight.errors import AuthError, CameraError, RingError, UsageError, fault_error
from ringlight.http.flow import Flow, Request, Response
from ringlight.secrets import Secret

T = TypeVar("T")
ACCESS, HARDWARE = Secret("access-1"), "hw-1"
JPEG = b"\xff\xd8\xff\xe0 and so on"
API = "https://api.ring.com/clients_api"
DING = CameraEvent("7500000000000000003", 1003, "ding", None, answered=False, has_recording=True)


def _device(**fields: object) -> Device:
    (camera,) = parse_devices({"stickup_cams": [{"id": 1003, "description": "Driveway", **fields}]}).cameras
    return camera


FLOOD = _device(kind="floodlight_pro", led_status="off", siren_status={"seconds_remaining": 0})
BARE = _device(kind="stickup_cam_mini")


def _talk(flow: Flow[T], *answers: Response | RingError) -> tuple[list[Request], T]:
    asked, left = [next(flow)], list(answers)
    try:
        while True:
            answer = left.pop(0)
            asked.append(flow.throw(answer) if isinstance(answer, RingError) else flow.send(answer))
    except StopIteration as end:
        assert not left
        return asked, end.value


def _said(status: int, body: object = None) -> Response:
    return Response(status, {"Content-Type": "application/json"}, json.dumps(body).encode())


def _code(flow: Flow[object], *answers: Response | RingError) -> str:
    with pytest.raises(RingError) as caught:
        _talk(flow, *answers)
    return caught.value.code


def _still(device: Device = FLOOD, *, streaming: bool = False) -> Flow[bytes]:
    return control.fresh_snapshot(ACCESS, HARDWARE, device, after=1.5, within=10.0, streaming=streaming)


# Light and siren


@pytest.mark.parametrize(
    ("flow", "path"),
    [
        (lambda: control.set_light(ACCESS, HARDWARE, FLOOD, on=True), "floodlight_light_on"),
        (lambda: control.set_light(ACCESS, HARDWARE, FLOOD, on=False), "floodlight_light_off"),
        (lambda: control.set_siren(ACCESS, HARDWARE, FLOOD, on=True, seconds=5), "siren_on?duration=5"),
        (lambda: control.set_siren(ACCESS, HARDWARE, FLOOD, on=False, seconds=5), "siren_off"),
    ],
)
def test_light_and_siren_are_switched_by_a_put(flow: Callable[[], Flow[None]], path: str) -> None:
    (request,), nothing = _talk(flow(), _said(200, {"seconds_remaining": 5}))
    assert (request.method, request.url) == ("PUT", f"{API}/doorbots/1003/{path}")
    assert (request.at, request.bearer, request.headers) == ("device", ACCESS, {"hardware_id": HARDWARE})
    assert nothing is None
    assert _code(flow(), _said(404)) == "CAM-GONE"
    assert _code(flow(), _said(422)) == "RING-BODY"
    assert _code(flow(), _said(406)) == "AUTH-EDGE-BLOCK"
    assert _code(flow(), _said(404, {"error": "no session for hw-1"})) == "ACCOUNT-SESSION"


def test_a_camera_without_light_or_siren_is_not_asked() -> None:
    assert _code(control.set_light(ACCESS, HARDWARE, BARE, on=True)) == "CAM-UNABLE"
    assert _code(control.set_siren(ACCESS, HARDWARE, BARE, on=True, seconds=5)) == "CAM-UNABLE"


@pytest.mark.parametrize("seconds", [0, -1, 121])
def test_a_siren_sounds_for_two_minutes_at_most(seconds: int) -> None:
    with pytest.raises(UsageError, match="1 to 120"):
        next(control.set_siren(ACCESS, HARDWARE, FLOOD, on=True, seconds=seconds))


# Pictures


def test_a_fresh_picture_is_one_taken_after_the_question() -> None:
    (request,), picture = _talk(_still(), Response(200, {"Content-Type": "image/jpeg"}, JPEG))
    assert request.url == (
        "https://app-snaps.ring.com/snapshots/next/1003?extras=force&after-ms=1500&max-wait-ms=10000"
    )
    assert (request.headers["Accept"], request.bearer) == ("image/jpeg", ACCESS)
    assert request.timeout is not None
    assert request.timeout > 10.0, "Ring's own wait ends first"
    assert picture == JPEG


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Response(204), "CAM-SNAPSHOT"),
        (Response(200, {"Content-Type": "text/html"}, b"<html>"), "CAM-SNAPSHOT"),
        (_said(404), "CAM-SNAPSHOT"),
        (fault_error("NET-TIMEOUT"), "CAM-SNAPSHOT"),
        (fault_error("NET-DNS"), "NET-DNS"),
        (_said(401), "AUTH-TOKEN"),
        (_said(504), "RING-DOWN"),
    ],
)
def test_what_else_may_come_for_a_picture(answer: Response | RingError, code: str) -> None:
    assert _code(_still(), answer) == code


@pytest.mark.parametrize(
    ("device", "streaming", "code"),
    [
        (_device(alerts={"connection": "offline"}), False, "CAM-OFFLINE"),
        (_device(alerts={"privacy_cover_enabled": True}), False, "CAM-PRIVACY"),
        (_device(settings={"motion_detection_enabled": False}), False, "CAM-SNAPSHOT"),
        (_device(kind="cocoa_camera"), True, "CAM-SNAPSHOT"),
    ],
)
def test_a_camera_that_takes_no_picture_is_not_asked(device: Device, streaming: bool, code: str) -> None:
    assert _code(_still(device, streaming=streaming)) == code


@pytest.mark.parametrize(
    ("device", "streaming"),
    [(_device(kind="cocoa_camera"), False), (FLOOD, True), (_device(settings={"live_view_disabled": True}), False)],
)
def test_any_other_camera_is_asked(device: Device, streaming: bool) -> None:
    assert _talk(_still(device, streaming=streaming), Response(200, {}, JPEG))[1] == JPEG


# History


def test_the_history_of_a_camera() -> None:
    body = [
        {"id": 987654321, "created_at": "2017-03-05T15:03:40.000Z", "kind": "motion", "answered": False,
         "recording": {"status": "ready"}, "events": [], "favorite": False, "snapshot_url": ""},
        {"ding_id_str": "7500000000000000003", "ding_id": 75e17, "created_at": "2026-02-03T18:04:05.250Z",
         "kind": "ding", "answered": True, "recording_status": "unavailable"},
        {"event_id": "ab-12", "start_time": "2026-02-03T18:04:05", "event_type": "on_demand"},
    ]  # fmt: skip
    (request,), found = _talk(control.events(ACCESS, HARDWARE, FLOOD, limit=20), _said(200, body))
    assert (request.url, request.at) == (f"{API}/doorbots/1003/history?limit=20", "device")
    assert found == [
        CameraEvent("987654321", 1003, "motion", 1_488_726_220.0, answered=False, has_recording=True),
        CameraEvent("7500000000000000003", 1003, "ding", 1_770_141_845.25, answered=True, has_recording=False),
        CameraEvent("ab-12", 1003, "on_demand", 1_770_141_845.0, answered=False, has_recording=None),
    ]


def test_the_history_goes_on_before_an_event() -> None:
    request = next(control.events(ACCESS, HARDWARE, FLOOD, limit=5, before="750"))
    assert request.url == f"{API}/doorbots/1003/history?limit=5&older_than=750"


@pytest.mark.parametrize(
    ("seen", "person"),
    [
        (None, None),
        ({}, None),
        ({"person_detected": None, "detection_type": None}, None),
        ({"person_detected": True}, True),
        ({"person_detected": None, "detection_type": "human"}, True),
        ({"detection_type": "package_delivery", "detection_types": [{"detection_type": "human"}, 5]}, True),
        ({"person_detected": None, "detection_type": "vehicle"}, False),
        ({"person_detected": False}, False),
        ({"detection_types": "human"}, None),
    ],
)
def test_whether_a_person_was_seen_has_three_answers(seen: object, person: bool | None) -> None:
    """Recorded: `person_detected` is null beside `human`, and a courier is a person though the parcel comes first."""
    (event,) = parse_events([{"id": 1, "cv_properties": seen}], 1003)
    assert event.person is person


@pytest.mark.parametrize("text", ["", "a b", "../1", "1/2", "x" * 65, "ü"])
def test_what_cannot_be_an_event_is_asked_for_nowhere(text: str) -> None:
    with pytest.raises(UsageError, match="REQUEST-INVALID"):
        event_named(text, 1003)
    assert event_named("7500000000000000003", 1003).id == DING.id


@pytest.mark.parametrize(("limit", "asked"), [(0, 1), (-5, 1), (100, 100), (5000, 100)])
def test_the_length_of_a_history_has_limits(limit: int, asked: int) -> None:
    request = next(control.events(ACCESS, HARDWARE, FLOOD, limit=limit))
    assert request.url.endswith(f"limit={asked}")


@pytest.mark.parametrize("body", [b"", b"<html>", b"5", b'{"events": null}', b'"x"'])
def test_a_history_in_an_unknown_form_is_a_fault(body: bytes) -> None:
    assert _code(control.events(ACCESS, HARDWARE, FLOOD, limit=5), Response(200, {}, body)) == "ACCOUNT-ANSWER"


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
NAMES = [
    "id",
    "ding_id",
    "ding_id_str",
    "created_at",
    "start_time",
    "kind",
    "recording",
    "status",
    "events",
    "answered",
    "cv_properties",
    "detection_types",
]
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=15,
)


@given(JSON | st.lists(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6), max_size=4))
@example([{"id": 1, "created_at": "9999-12-31T23:59:59-23:59"}, {"id": 1, "created_at": "0001-01-01T00:00:00+23:59"}])
def test_no_history_breaks_the_parser(json: object) -> None:
    try:
        found = parse_events(json, 1003)
    except AuthError:
        return
    assert all(event.id and event.kind and event.id.isascii() for event in found)


# Recordings


def test_a_recording_is_fetched_from_its_storage_without_token_or_id() -> None:
    url = "https://storage.example/recordings/1.mp4?signature=canary"
    asked, film = _talk(
        control.fetch_recording(ACCESS, HARDWARE, DING), _said(200, {"url": url}), Response(200, {}, b"film")
    )
    assert asked[0].url == f"{API}/dings/7500000000000000003/share/play?disable_redirect=true"
    assert (asked[0].bearer, asked[0].at) == (ACCESS, "device")
    assert (asked[1].url, asked[1].bearer, dict(asked[1].headers)) == (
        url, None, {"Accept": "*/*", "Accept-Encoding": "identity"},
    )  # fmt: skip
    assert asked[1].limit > 100_000_000
    assert film == b"film"


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ((_said(404),), "CAM-RECORDING"),
        ((_said(403),), "ACCOUNT-FORBIDDEN"),
        ((_said(200, {"url": None}),), "ACCOUNT-ANSWER"),
        ((_said(200, {"url": "file:///etc/passwd"}),), "ACCOUNT-ANSWER"),
        ((_said(200, {"url": "https://h/a b"}),), "ACCOUNT-ANSWER"),
        ((_said(200, {"url": "https://h/x"}), _said(403)), "CAM-RECORDING"),
        ((_said(200, {"url": "https://h/x"}), _said(302)), "CAM-RECORDING"),
        ((_said(200, {"url": "https://h/x"}), fault_error("NET-TIMEOUT")), "NET-TIMEOUT"),
    ],
)
def test_what_may_come_instead_of_a_recording(answers: tuple[Response | RingError, ...], code: str) -> None:
    flow = control.fetch_recording(ACCESS, HARDWARE, DING)
    with pytest.raises(RingError) as caught:
        _talk(flow, *answers)
    assert caught.value.code == code
    assert code != "CAM-RECORDING" or isinstance(caught.value, CameraError)
