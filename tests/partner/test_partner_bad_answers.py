"""Whatever a body holds, a conversation ends in a typed object or a typed error."""

import gzip
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from talking_to_the_api import always, hold, outcome

from ringlight.errors import BadAnswerError, RingError
from ringlight.http.flow import Response
from ringlight.partner.api import Api
from ringlight.partner.chimes import Chimes
from ringlight.partner.devices import Devices
from ringlight.partner.history import History
from ringlight.partner.integrations import Integrations
from ringlight.partner.live import Live
from ringlight.partner.locations import Locations
from ringlight.partner.media import head_of
from ringlight.partner.subscriptions import Subscriptions
from ringlight.partner.users import Users

API = Api()
CONVERSATIONS: dict[str, Callable[[], Any]] = {
    "users.me": Users(API).me,
    "devices.list": lambda: Devices(API).list(include=["status", "location"]),
    "devices.get": lambda: Devices(API).get("D"),
    "devices.status": lambda: Devices(API).status("D"),
    "devices.capabilities": lambda: Devices(API).capabilities("D"),
    "devices.configurations": lambda: Devices(API).configurations("D"),
    "devices.location": lambda: Devices(API).location("D"),
    "locations.list": Locations(API).list,
    "history.page": lambda: History(API).pages("D").page(),
    "subscriptions.list": Subscriptions(API).list,
    "integrations.confirm": lambda: Integrations(API).confirm("N"),
    "integrations.complete": Integrations(API).complete,
    "integrations.remove": Integrations(API).remove,
    "chimes.play": lambda: Chimes(API).play("D", "A"),
    "live.open": lambda: Live(API).open("D", "v=0\r\n"),
}
WHOLE = b'{"data": [{"type": "devices", "id": "D", "attributes": {"name": "Gate"}}]}'
BODIES = {
    "empty": b"",
    "a page of HTML": b"<!doctype html><title>Sign in to the network</title>",
    "gzip that was cut": gzip.compress(WHOLE)[:30],
    "JSON that was cut": WHOLE[:50],
    "10 MB of list": b'{"data": [' + b",".join([b'{"id": "' + b"x" * 990 + b'"}'] * 10_000) + b"]}",
    "10 MB of text": b'"' + b"x" * 10_000_000 + b'"',
    "no UTF-8": b'{"data": "\xff\xfe"}',
    "deep": b"[" * 100_000,
    "deep document": b'{"data": ' * 5_000 + b"null" + b"}" * 5_000,
    "null": b"null",
    "a number": b"17",
    "a list": b"[]",
    "no data": b'{"meta": {}}',
    "data is null": b'{"data": null}',
    "data is text": b'{"data": "all well"}',
    "data is a list of lists": b'{"data": [[], [[]], null, 1, {}]}',
    "ids are numbers": b'{"data": [{"type": "devices", "id": 7}]}',
    "id is empty": b'{"data": {"type": "devices", "id": ""}}',
    "attributes are a list": b'{"data": {"type": "devices", "id": "D", "attributes": []}}',
    "everything is null": b'{"data": {"type": null, "id": "D", "attributes": null, "relationships": null}}',
    "relationships point nowhere": b'{"data": [{"id": "D", "relationships": {"status": {"data": {"id": 1}}}}]}',
    "links are text": b'{"data": [], "links": "next"}',
    "an error with 200": b'{"errors": [{"title": "Validation Error"}]}',
    "error items of other shapes": b'{"errors": [null, 1, {"status": 404}]}',
    "an unknown enumeration": b'{"data": [{"type": "devices-v9", "id": "D", "attributes": {"event_type": "flight"}}]}',
}  # fmt: skip


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("body", BODIES)
def test_a_strange_body_is_an_object_or_an_error_of_ours(name: str, body: str) -> None:
    response = Response(200, {"Content-Type": "application/json"}, BODIES[body])
    found = outcome(CONVERSATIONS[name](), always(response))
    if isinstance(found, RingError):
        assert isinstance(found, BadAnswerError)
        assert found.status == 200
        assert len(str(found)) < 500


@pytest.mark.parametrize("name", sorted(set(CONVERSATIONS) - {"integrations.remove"}))
@pytest.mark.parametrize("body", ["a page of HTML", "gzip that was cut", "JSON that was cut", "deep", "null", "a list"])
def test_what_is_no_document_is_never_taken_for_one(name: str, body: str) -> None:
    with pytest.raises(BadAnswerError) as caught:
        hold(CONVERSATIONS[name](), always(Response(200, {"Content-Type": "text/html"}, BODIES[body])))
    assert caught.value.code == "PARTNER-ANSWER"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["name", "status", "online", "reported_at", "audio", "video", "battery_status", "start", "end", "event_type", "x",
     "y", "motion_detection", "motion_zones", "vertices", "sub_type", "subType", "expires_at", "component_id",
     "components", "items", "temperature", "updated_at", "answer", "id", "type", "extra",
     "attributes", "relationships", "device_ids"]
)  # fmt: skip
LIKE_ATTRIBUTES = st.recursive(
    JSON | st.sampled_from(["2026-10-02T07:00:00Z", "9999-99-99T99:99:99Z", "1e999", "-0", "on", 255, 2**70]),
    lambda inner: st.dictionaries(FIELDS, inner, max_size=6) | st.lists(inner, max_size=3),
    max_leaves=20,
)
RESOURCE = st.fixed_dictionaries(
    {},
    optional={
        "type": JSON | st.just("devices"),
        "id": JSON | st.just("D"),
        "attributes": LIKE_ATTRIBUTES,
        "relationships": LIKE_ATTRIBUTES
        | st.just({"status": {"data": {"type": "device-status", "id": "D"}}, "source": {"data": [1]}}),
        "meta": JSON,
    },
)
DOCUMENT = st.fixed_dictionaries(
    {},
    optional={
        "data": RESOURCE | st.lists(RESOURCE, max_size=4) | JSON,
        "included": st.lists(RESOURCE, max_size=4) | JSON,
        "links": st.fixed_dictionaries({"next": JSON | st.just("//elsewhere.example/v1")}) | JSON,
        "status": LIKE_ATTRIBUTES,
    },
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(CONVERSATIONS)), DOCUMENT | JSON)
def test_no_document_whatever_breaks_a_reader(name: str, body: object) -> None:
    response = Response(200, {"Content-Type": "application/json"}, msgspec.json.encode(body))
    found = outcome(CONVERSATIONS[name](), always(response))
    if isinstance(found, RingError):
        assert found.code in {"PARTNER-ANSWER", "PARTNER-ORIGIN"}
        return
    for item in (found, *getattr(found, "items", ())):
        assert repr(item)
        for derived in ("last_report", "started_at", "ended_at", "live_view_seconds", "plays_sounds", "is_active"):
            getattr(item, derived, None)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(CONVERSATIONS)), st.binary(max_size=60))
def test_no_bytes_whatever_break_a_reader(name: str, body: bytes) -> None:
    found = outcome(CONVERSATIONS[name](), always(Response(200, {}, body)))
    assert not isinstance(found, RingError) or found.code == "PARTNER-ANSWER"


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([200, 206, 301, 303, 307, 204, 299]),
    st.dictionaries(
        st.sampled_from(["Content-Type", "Content-Length", "Content-Range", "ETag", "Location", "X-Media-Timestamp"]),
        st.text(max_size=20)
        | st.sampled_from(["bytes 0-1/2", "bytes 5-9/*", '"e"', 'W/"e"', '"', "video/mp4", "12", "٣"]),
    ),
)
def test_no_header_fields_whatever_break_the_head_of_a_download(status: int, fields: dict[str, str]) -> None:
    try:
        head = head_of(Response(status, fields))
    except BadAnswerError:
        return
    assert head.etag is None or head.etag[0] == head.etag[-1] == '"'
