"""Documents as Ring documents them and as its servers send them: both are read into the same types."""

import copy
import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from talking_to_the_api import always, hold, json

from ringlight.errors import BadAnswerError, DeviceOfflineError, RingError
from ringlight.partner.api import Api
from ringlight.partner.call import Call
from ringlight.partner.devices import Devices
from ringlight.partner.history import History
from ringlight.partner.integrations import Integrations
from ringlight.partner.locations import Locations
from ringlight.partner.parts import UNSET
from ringlight.partner.subscriptions import Subscriptions
from ringlight.partner.users import Users

GOLDEN = {
    profile: msgspec.json.decode((Path(__file__).parent / "golden" / f"{profile}.json").read_bytes())
    for profile in ("documented", "observed")
}
API = Api()
GATE = "ava1.ring.device.GATE2"
PROFILES = pytest.mark.parametrize("profile", GOLDEN)


def said(profile: str, what: str) -> Any:
    return always(json(GOLDEN[profile][what]))


@PROFILES
def test_the_owner_is_known_by_an_id_and_perhaps_a_telephone(profile: str) -> None:
    user = hold(Users(API).me(), said(profile, "user"))
    assert (user.id, user.first_name, user.email) == ("ava1.ring.account.GOLDEN2", "Grace", "grace@sample.example")
    assert user.phone_number == ("+15550100" if profile == "documented" else UNSET)


def test_included_parts_find_their_device_in_whatever_order_they_come() -> None:
    """The part of the second device that was asked for and is missing is told, and the device is there."""
    listing = hold(Devices(API).list(include=["status", "location"]), said("documented", "devices"))
    gate, shed = listing
    assert (gate.name, gate.image_url) == ("Gate", UNSET)
    assert gate.status
    assert gate.status.online is True
    assert gate.location
    assert (gate.location.country, gate.location.state) == ("US", "OR")
    assert gate.capabilities
    assert gate.capabilities.video
    assert gate.capabilities.video.codecs == ("AVC", "HEVC")
    assert gate.configurations is UNSET
    assert (shed.status, shed.location) == (UNSET, None)
    (fault,) = listing.faults
    assert (fault.where, fault.id, fault.error.code) == ("status", "ava1.ring.device.SHED3", "PARTNER-ANSWER")


def test_what_nobody_knows_yet_is_kept_as_it_came() -> None:
    listing = hold(Devices(API).list(), said("observed", "devices"))
    status = listing[0].status
    assert status
    assert status.extra == {"state": None}
    assert status.reported_at == datetime(2026, 10, 2, 6, 58, 3, 213_000, UTC)
    assert status.audio
    assert status.audio.snooze
    assert (status.audio.snooze.active, status.audio.snooze.until) == (None, None)
    assert listing[0].image_url == "https://pictures.example/DoorbellPro/x.png"
    assert listing.faults == ()


def test_a_sensor_that_never_reported_says_so_by_a_date() -> None:
    status = hold(Devices(API).status("DAMP4"), said("observed", "status"))
    assert status.last_report is None
    assert status.freeze_detection
    assert status.freeze_detection.faulted is True
    assert status.battery_status
    assert (status.battery_status.percent, status.battery_status.is_on_mains) == (None, True)
    assert status.temperature
    assert status.temperature.value == 3.5
    assert status.humidity
    assert (status.humidity.value, status.humidity.unit) == (61.0, "percent")
    assert status.contact_detection is UNSET
    assert hold(Devices(API).status(GATE), said("documented", "status")).online is False


def test_what_a_device_cannot_do_is_null_and_what_was_not_said_is_unset() -> None:
    chime = hold(Devices(API).capabilities("BELL5"), said("observed", "capabilities"))
    camera = hold(Devices(API).capabilities(GATE), said("documented", "capabilities"))
    assert (chime.video, chime.flood_detection) == (None, None)
    assert (camera.flood_detection, camera.audio) == (UNSET, UNSET)
    assert (chime.plays_sounds, camera.plays_sounds) == (True, False)
    assert chime.components
    assert chime.components.items
    assert chime.components.items[0].component_id == "1"


@pytest.mark.parametrize(
    ("battery", "seconds"), [(None, 60.0), ({"supported": True}, 30.0), ({}, 30.0), ({"supported": False}, 60.0)]
)
def test_a_live_view_on_a_battery_ends_sooner(battery: object, seconds: float) -> None:
    body = {"data": {"type": "device-capabilities", "id": "C", "attributes": {"battery_status": battery}}}
    assert hold(Devices(API).capabilities(GATE), always(json(body))).live_view_seconds == seconds


def test_zones_have_corners_and_slots_have_sounds() -> None:
    camera = hold(Devices(API).configurations(GATE), said("documented", "configurations"))
    assert camera.motion_detection
    assert camera.motion_detection.enabled == "on"
    assert camera.motion_detection.motion_zones
    corners = camera.motion_detection.motion_zones[0].vertices
    assert corners
    assert [(corner.x, corner.y) for corner in corners] == [(0.0, 0.5), (1.0, 0.5), (1.0, 1.0)]
    chime = hold(Devices(API).configurations("BELL5"), said("observed", "configurations"))
    assert chime.audio
    assert chime.audio.customizable_slots
    assert [slot.audio_ref for slot in chime.audio.customizable_slots] == ["c7a4", UNSET]


def test_a_device_may_be_nowhere() -> None:
    assert hold(Devices(API).location(GATE), said("observed", "location")) is None
    place = hold(Devices(API).location(GATE), said("documented", "location"))
    assert place
    assert place.state == "OR"
    listed = hold(Locations(API).list(), always(json({"data": [GOLDEN["documented"]["location"]["data"]]})))
    assert listed.items == (place,)


def test_times_of_events_are_numbers_or_numbers_as_text() -> None:
    page = hold(History(API).pages(GATE).page(), said("documented", "history"))
    assert [event.start for event in page] == [1_790_800_000_000, 1_790_700_000_000]
    assert page[0].started_at == datetime(2026, 9, 30, 20, 26, 40, tzinfo=UTC)
    assert page[0].device_id == GATE
    going_on = hold(History(API).pages(GATE).page(), said("observed", "history"))[0]
    assert (going_on.end, going_on.ended_at, going_on.meta) == (None, None, {"riid": None})


@pytest.mark.parametrize(
    "event",
    [
        {"subType": "human", "attributes": {}},
        {"attributes": {"sub_type": "human"}},
        {"attributes": {"subType": "human"}},
        {"subType": "human", "attributes": {"sub_type": None}},
        {"subType": "motion", "attributes": {"sub_type": "human"}},
    ],
)
def test_a_subtype_is_found_in_both_places_and_spellings(event: dict[str, object]) -> None:
    body = {"data": [{"type": "history-events", "id": "E", **event}]}
    assert hold(History(API).pages(GATE).page(), always(json(body)))[0].sub_type == "human"


def test_a_trial_has_no_plan_or_a_plan_that_is_null() -> None:
    paid, trial = hold(Subscriptions(API).list(), said("documented", "subscriptions"))
    assert (paid.is_active, paid.device_ids) == (True, (GATE, "ava1.ring.device.SHED3"))
    assert (trial.is_active, trial.plan_id, trial.device_ids) == (False, UNSET, ())
    observed = hold(Subscriptions(API).list(), said("observed", "subscriptions"))[0]
    assert (observed.plan_id, observed.device_ids) == (None, (GATE,))


@PROFILES
def test_the_link_is_told_without_an_envelope(profile: str) -> None:
    link = hold(Integrations(API).complete(), said(profile, "integration"))
    assert link.status == GOLDEN[profile]["integration"]["status"]


def test_a_field_of_another_type_spoils_neither_its_neighbours_nor_its_own_value() -> None:
    attributes = {"name": 7, "image_url": "https://pictures.example/x"}
    body = {"data": [{"type": "devices", "id": "D", "attributes": attributes}, {"type": "devices"}, "what?"]}
    listing = hold(Devices(API).list(), always(json(body)))
    assert (listing[0].name, listing[0].extra) == (UNSET, {"name": 7})
    assert listing[0].image_url == "https://pictures.example/x"
    assert [fault.where for fault in listing.faults] == ["data[1]", "data[2]"]


def test_an_attribute_cannot_pass_for_what_stands_beside_the_attributes() -> None:
    attributes = {"id": "another", "status": {"online": True}, "extra": 1, "name": "Gate"}
    device = hold(Devices(API).list(), always(json({"data": [{"id": "D", "attributes": attributes}]})))[0]
    assert (device.id, device.status, device.name) == ("D", UNSET, "Gate")
    assert device.extra == {"id": "another", "status": {"online": True}, "extra": 1}


def test_a_time_without_its_zone_is_that_of_greenwich() -> None:
    body = {"data": {"id": "S", "attributes": {"reported_at": "2026-10-02T06:58:03"}}}
    assert hold(Devices(API).status(GATE), always(json(body))).last_report == datetime(2026, 10, 2, 6, 58, 3, 0, UTC)


def test_what_was_read_survives_a_journey_between_processes() -> None:
    listing = hold(Devices(API).list(), said("documented", "devices"))
    for twin in (pickle.loads(pickle.dumps(listing)), copy.deepcopy(listing)):
        assert twin == listing
        assert twin[1].status is UNSET


def test_a_device_that_is_listed_twice_is_there_once() -> None:
    listing = hold(Devices(API).list(), always(json({"data": [{"id": "D"}, {"id": "D"}]})))
    assert (len(listing), [fault.id for fault in listing.faults]) == (1, ["D"])


def test_one_part_of_twenty_that_fails_leaves_the_nineteen() -> None:
    """Each is asked for by itself, where the list did not bring them along."""
    devices = [{"type": "devices", "id": f"D{number}"} for number in range(20)]

    def answer(call: Call[Any]) -> Any:
        if call.operation.name == "devices.list":
            return json({"data": devices})
        if call.operation.device == "D7":
            return DeviceOfflineError("PARTNER-DEVICE-OFFLINE")
        return json({"data": {"type": "device-status", "id": "S", "attributes": {"online": True}}})

    listing = hold(Devices(API).list(include=["status"], fill=True), answer)
    assert len(listing) == 20
    assert [device.id for device in listing if not device.status] == ["D7"]
    (fault,) = listing.faults
    assert (fault.where, fault.id, fault.error.code) == ("status", "D7", "PARTNER-DEVICE-OFFLINE")


def test_ids_are_encoded_whatever_is_in_them() -> None:
    seen: list[str] = []

    def answer(call: Call[Any]) -> Any:
        seen.append(call.request.url)
        return json({"data": {"id": "S"}})

    hold(Devices(API).status("a/b?c#d é%"), answer)
    hold(Devices(API).capabilities("D", component_id="1&x=2"), answer)
    hold(Devices(API).get("D", include=["status", "location"]), answer)
    assert seen == [
        "https://api.amazonvision.com/v1/devices/a%2Fb%3Fc%23d%20%C3%A9%25/status",
        "https://api.amazonvision.com/v1/devices/D/capabilities?component_id=1%26x%3D2",
        "https://api.amazonvision.com/v1/devices/D?include=status,location",
    ]


@pytest.mark.parametrize("device_id", ["", ".", "..", "\ud800"])
def test_an_id_that_would_lead_elsewhere_is_refused_before_anything_is_sent(device_id: str) -> None:
    with pytest.raises(RingError) as caught:
        hold(Devices(API).status(device_id), always(json({})))
    assert caught.value.code == "PARTNER-ARGUMENT"


def test_an_answer_that_cannot_be_read_tells_where_to_look_but_not_what_was_there() -> None:
    with pytest.raises(BadAnswerError) as caught:
        hold(Users(API).me(), always(json({"data": ["canary"]})))
    assert (caught.value.status, caught.value.request_id) == (200, "r-1")
    assert str(caught.value).endswith("(HTTP 200, application/json: `data` is of type list, not a resource)")
