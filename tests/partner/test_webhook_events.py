"""What a delivery tells: both spellings, the sensors, nanoseconds, and whatever Ring thinks of next."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webhook_bodies import ACCOUNT, DOORBELL, body

from ringlight.errors import WebhookRefused
from ringlight.partner import webhooks
from ringlight.partner.webhooks import (
    Event,
    MotionDetected,
    SensorChanged,
    SubscriptionActivated,
    SubscriptionDeactivated,
    parse,
)
from ringlight.partner.webhooks.events import SENSOR_TYPES, time_ns_of

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("motion_detected", "MotionDetected"), ("button_press", "ButtonPressed"), ("device_added", "DeviceAdded"),
        ("device_removed", "DeviceRemoved"), ("device_online", "DeviceOnline"), ("device_offline", "DeviceOffline"),
        ("app_integration_added", "IntegrationAdded"), ("app_integration_removed", "IntegrationRemoved"),
        ("subscription_activated", "SubscriptionActivated"),
        ("subscription_deactivated", "SubscriptionDeactivated"), ("doorbell_sang", "Event"),
    ],
)  # fmt: skip
def test_each_documented_type_has_its_class(kind: str, name: str) -> None:
    event = parse(body(kind))
    assert type(event) is getattr(webhooks, name)
    assert (event.type, event.request_id, event.account) == (kind, "r-1", ACCOUNT)


def test_the_subtype_of_motion_is_found_in_either_place() -> None:
    """Ring's pages put it on the data in one spelling and into the attributes in the other."""
    source = {"source": DOORBELL, "source_type": "devices", "timestamp": 1}
    for delivered in (
        body("motion_detected", subType="human"), body("motion_detected", attributes={**source, "sub_type": "human"})
    ):  # fmt: skip
        event = parse(delivered)
        assert isinstance(event, MotionDetected)
        assert event.subtype == "human"
    unheard_of = parse(body("motion_detected", subType="dragon", attributes={**source, "component_ids": [1, "left"]}))
    assert isinstance(unheard_of, MotionDetected)
    assert (unheard_of.subtype, unheard_of.components) == ("dragon", (1, "left"))
    silent = parse(body("motion_detected"))
    assert isinstance(silent, MotionDetected)
    assert silent.subtype is None


def test_sensors_say_what_they_are_and_whether_they_give_alarm() -> None:
    assert len(SENSOR_TYPES) == 16
    for kind, (sensor, alarm) in SENSOR_TYPES.items():
        event = parse(body(kind))
        assert isinstance(event, SensorChanged)
        assert (event.sensor, event.alarm) == (sensor, alarm)
    assert SENSOR_TYPES["pm25_cleared"] == ("pm25", False)
    assert SENSOR_TYPES["contact_sensor_faulted"] == ("contact", True)


def test_subscriptions_have_neither_time_nor_source() -> None:
    attributes = {"source": "subscriptions", "source_id": "sub-1", "sub_type": "paid", "plan_id": "p-1",
                  "expires_at": "2026-10-21T00:00:00Z"}  # fmt: skip
    relations = {"devices": {"data": [{"type": "device", "id": DOORBELL}, {"type": "device"}, 7]}}
    event = parse(body("subscription_activated", attributes=attributes, relationships=relations))
    assert isinstance(event, SubscriptionActivated)
    assert (event.kind, event.subscription, event.plan, event.expires_at) == (
        "paid",
        "sub-1",
        "p-1",
        "2026-10-21T00:00:00Z",
    )
    assert (event.devices, event.device, event.timestamp, event.subject) == ((DOORBELL,), None, None, ACCOUNT)
    trial = {"source": "subscriptions", "source_id": "sub-1", "sub_type": "trial", "plan_id": None}
    ended = parse(body("subscription_deactivated", attributes=trial, relationships=relations))
    assert isinstance(ended, SubscriptionDeactivated)
    assert (ended.kind, ended.plan) == ("trial", None)


def test_an_accounts_event_has_no_device() -> None:
    attributes = {"source": ACCOUNT, "source_type": "users", "timestamp": 5}
    event = parse(body("app_integration_added", attributes=attributes, relationships={}))
    assert (event.device, event.subject, event.timestamp) == (None, ACCOUNT, 5)


def test_the_older_envelope_names_no_account() -> None:
    event = parse(body(account=None))
    assert (event.account, event.subject) == ("", DOORBELL)


def test_a_device_that_only_the_link_names_is_found() -> None:
    event = parse(body("device_online", device="a%2Fb", attributes={}))
    assert event.device == "a/b"


@pytest.mark.parametrize(
    ("written", "nanoseconds"),
    [
        ("2026-09-21T14:13:21.200155525Z", 1_790_000_001_200_155_525),
        ("2026-09-21T14:13:21Z", 1_790_000_001_000_000_000),
        ("2026-09-21T16:13:21.5+02:00", 1_790_000_001_500_000_000),
        ("2026-09-21t14:13:21.1234567891z", 1_790_000_001_123_456_789),
        ("2026-09-21T14:12:60Z", 1_789_999_980_000_000_000),
        ("2026-09-21T14:13:21", None),
        ("2026-13-21T14:13:21Z", None),
        ("2026-09-21 14:13:21Z", None),
        ("²026-09-21T14:13:21Z", None),
        ("yesterday", None),
        (1_790_000_000, None),
        (None, None),
    ],
)
def test_times_keep_their_nanoseconds(written: object, nanoseconds: int | None) -> None:
    assert time_ns_of(written) == nanoseconds


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"meta":{},"data":{}}', body(time="never"),
        body(request_id=""), body(request_id="x" * 513), body(request_id="a\x00b"), body(account="a\nb"), body(kind=""),
        body().replace(b'"r-1"', b"17"),
    ],
)  # fmt: skip
def test_without_time_id_and_type_it_is_no_delivery(content: bytes) -> None:
    with pytest.raises(WebhookRefused) as caught:
        parse(content)
    assert caught.value.code == "HOOK-FORM"


@given(JSON, JSON, JSON, st.sampled_from(["motion_detected", "subscription_activated", "flood_detected", "x"]))
def test_whatever_the_rest_is_the_event_is_read_and_all_of_it_kept(
    attributes: Any, relationships: Any, extra: Any, kind: str
) -> None:
    meta = {"version": 7, "time": "2026-09-21T14:13:21Z", "request_id": "r", "mood": extra}
    document = {"meta": meta, "data": {"type": kind, "attributes": attributes, "relationships": relationships}}
    content = json.dumps(document).encode()
    event = parse(content)
    assert isinstance(event, Event)
    assert event.document == json.loads(content)
    assert isinstance(hash(event), int)
