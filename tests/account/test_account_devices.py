"""The device list: every list optional, every field doubtful, no device able to spoil the others."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ringlight.account.devices import Device, Online, Power, parse_devices
from ringlight.account.kinds import KINDS
from ringlight.errors import AuthError
from ringlight.faults import FAULTS


def _one(list_name: str = "stickup_cams", /, **fields: object) -> Device:
    (camera,) = parse_devices({list_name: [{"id": 1, **fields}]}).cameras
    return camera


YARD = {
    "id": 50120001,
    "description": "Yard",
    "kind": "cocoa_camera",
    "owned": True,
    "battery_life": "87",
    "battery_life_2": None,
    "led_status": "off",
    "siren_status": {"seconds_remaining": 0},
    "alerts": {"connection": "online", "battery": "low", "privacy_cover_enabled": False},
    "settings": {"enable_vod": True, "live_view_disabled": False, "power_mode": "battery"},
    "health": {
        "connected": True,
        "vod_enabled": True,
        "battery_present": True,
        "battery_percentage": 87,
        "ptz_connected": "penguin",
        "supported_rpc_commands": ["PTZ.Pan.Step"],
    },
    "a field that nobody knows yet": [1],
}


def test_a_whole_record() -> None:
    (camera,) = parse_devices({"stickup_cams": [YARD]}).cameras
    assert camera == Device(
        id=50120001,
        name="Yard",
        kind="cocoa_camera",
        model="Stick-up camera",
        power=Power.BATTERY,
        battery_percent=87,
        state=Online.ONLINE,
        shared=False,
        refusal=None,
        has_light=True,
        has_siren=True,
        has_ptz=True,
        raw={},
        light_on=False,
        siren_seconds=0,
    )
    assert camera.raw["a field that nobody knows yet"] == [1]
    assert "nobody knows" not in repr(camera)


def test_a_bare_record_claims_nothing() -> None:
    camera = _one()
    assert (camera.light_on, camera.siren_seconds, camera.has_recordings) == (None, None, None)
    assert (camera.name, camera.kind, camera.model) == ("Unknown 1", "unknown", "Unknown")
    assert (camera.power, camera.battery_percent, camera.state) == (Power.UNKNOWN, None, Online.UNKNOWN)
    assert camera.refusal is None
    assert not any((camera.shared, camera.has_light, camera.has_siren, camera.has_ptz))


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({"led_status": "on", "siren_status": {"seconds_remaining": 12.0}}, (True, 12, None)),
        ({"led_status": "off", "features": {"show_recordings": True}}, (False, None, True)),
        ({"led_status": {"seconds_remaining": 4}, "siren_status": {"seconds_remaining": -1}}, (None, None, None)),
        ({"led_status": None, "siren_status": None, "features": {"show_recordings": False}}, (None, None, False)),
        ({"siren_status": {"seconds_remaining": float("nan")}, "features": {"show_recordings": 1}}, (None, None, None)),
    ],
)
def test_light_siren_and_subscription_are_known_or_not(fields: dict[str, object], known: tuple[object, ...]) -> None:
    camera = _one(**fields)
    assert (camera.light_on, camera.siren_seconds, camera.has_recordings) == known


def test_every_list_is_optional() -> None:
    found = parse_devices({})
    assert (found.cameras, found.others, found.notes) == ([], [], [])
    assert parse_devices({"doorbots": None, "beams_bridges": None}).notes == []


def test_cameras_are_told_from_other_devices() -> None:
    found = parse_devices(
        {
            "doorbots": [{"id": 1, "kind": "lpd_v4"}],
            "authorized_doorbots": [{"id": 2, "kind": "doorbell_v5"}],
            "stickup_cams": [{"id": 3, "kind": "brand_new_cam"}],
            "chimes": [{"id": 4, "kind": "chime_pro_v2"}],
            "base_stations": [{"id": 5}],
            "other": [
                {"id": 6, "kind": "onvif_camera"},
                {"id": 7, "kind": "intercom_handset_audio"},
                {"id": 8, "kind": "three_p_cam"},
                {"id": 9, "kind": "third_party_gdo"},
            ],
            "a new list": [{"id": 10, "kind": "lpd_v2"}, {"id": 11, "kind": "toaster"}],
        }
    )
    assert [camera.id for camera in found.cameras] == [1, 2, 3, 6, 8, 10]
    assert [device.id for device in found.others] == [4, 5, 7, 9, 11]
    assert found.others[0].model == "Chime pro v2"
    assert [camera.shared for camera in found.cameras] == [False, True, False, False, False, False]


def test_a_camera_of_somebody_else_is_shared_in_any_list() -> None:
    assert _one(owned=False).shared
    assert not _one(owned=None).shared


@pytest.mark.parametrize(("given_id", "expected"), [(7, 7), ("1001", 1001), (2**63 - 1, 2**63 - 1)])
def test_usable_ids(given_id: object, expected: int) -> None:
    (camera,) = parse_devices({"doorbots": [{"id": given_id}]}).cameras
    assert camera.id == expected


@pytest.mark.parametrize("given_id", [None, True, 1.0, "0c1d2e", "", 0, -1, 2**63, "²", "9" * 5000, [], {}])
def test_a_device_without_a_usable_id_is_skipped_with_a_note(given_id: object) -> None:
    found = parse_devices({"doorbots": [{"id": given_id}, {"id": 5}]})
    assert [camera.id for camera in found.cameras] == [5]
    assert found.notes == ["doorbots[0] has no usable id"]


def test_other_nonsense_is_noted_too() -> None:
    found = parse_devices({"doorbots": "none", "stickup_cams": [5, {"id": 1}, {"id": 1}], "version": 3})
    assert found.notes == ["doorbots is no list", "stickup_cams[0] is no object", "stickup_cams[2] repeats the id 1"]


@pytest.mark.parametrize(
    ("fields", "percent"),
    [
        ({"battery_life": "87"}, 87),
        ({"battery_life": 87}, 87),
        ({"battery_life": "86.6"}, 87),
        ({"battery_life": "0"}, 0),
        ({"battery_life": 90, "battery_life_2": "40"}, 40),
        ({"battery_life": None, "battery_life_2": 40}, 40),
        ({"battery_life": 4003}, 55),  # millivolts: health knows better
        ({"battery_life": "4081"}, 55),
        ({"battery_life": True}, 55),
        ({"battery_life": "nan"}, 55),
        ({"battery_life": "full"}, 55),
        ({}, 55),
    ],
)
def test_battery_levels_come_in_every_form(fields: dict[str, object], percent: int) -> None:
    assert _one(**fields, health={"battery_percentage": 55}).battery_percent == percent


@pytest.mark.parametrize(
    ("fields", "power", "percent"),
    [
        ({"settings": {"power_mode": "wired"}, "health": {"battery_percentage": 90}}, Power.WIRED, 90),
        ({"settings": {"power_mode": "battery"}}, Power.BATTERY, None),
        ({"settings": {"power_mode": "solar"}}, Power.UNKNOWN, None),
        ({"health": {"battery_present": True}, "battery_life": 5}, Power.BATTERY, 5),
        ({"health": {"battery_present": False, "battery_percentage": None}, "battery_life": 100}, Power.UNKNOWN, None),
        ({"health": {"battery_percentage": 0}}, Power.BATTERY, 0),
        ({"health": {"ac_power": 1}}, Power.WIRED, None),
        ({"health": {"ac_power": 0}, "battery_life": 100}, Power.UNKNOWN, None),
        ({"external_connection": True}, Power.WIRED, None),
        ({"kind": "lpd_v2", "battery_life": 4003}, Power.WIRED, None),
        ({"kind": "cocoa_floodlight", "battery_life": 100, "health": {"ac_power": 0}}, Power.WIRED, None),
        ({"kind": "doorbell_v4", "battery_life": "60"}, Power.BATTERY, 60),
        ({"kind": "cocoa_spotlight"}, Power.UNKNOWN, None),
    ],
)
def test_what_it_runs_on(fields: dict[str, object], power: Power, percent: int | None) -> None:
    """`battery_life` alone lies: a camera on mains was seen to report 100."""
    camera = _one(**fields)
    assert (camera.power, camera.battery_percent) == (power, percent)


@pytest.mark.parametrize(
    ("alerts", "health", "state"),
    [
        ({"connection": "online"}, {}, Online.ONLINE),
        ({"connection": "offline"}, {"connected": True}, Online.OFFLINE),
        ({"connection": "online"}, {"connected": False}, Online.OFFLINE),
        ({"connection": "online"}, {"rss_connected": False}, Online.OFFLINE),
        ({}, {"connected": True}, Online.ONLINE),
        ({}, {}, Online.UNKNOWN),
        (None, None, Online.UNKNOWN),
        ({"connection": "something new"}, {"connected": None}, Online.UNKNOWN),
    ],
)
def test_missing_is_not_offline(alerts: object, health: object, state: Online) -> None:
    camera = _one(alerts=alerts, health=health)
    assert camera.state is state
    assert camera.refusal == ("CAM-OFFLINE" if state is Online.OFFLINE else None)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"settings": {"live_view_disabled": True}}, "CAM-DISABLED"),
        ({"settings": {"live_view_disabled": None}}, None),
        ({"alerts": {"privacy_cover_enabled": True}}, "CAM-PRIVACY"),
        ({"health": {"privacy_cover_enabled": True}}, "CAM-PRIVACY"),
        ({"settings": {"enable_vod": False}}, "CAM-VIDEO-OFF"),
        ({"settings": {"enable_vod": 0}}, "CAM-VIDEO-OFF"),
        ({"settings": {"enable_vod": 1}}, None),
        ({"health": {"vod_enabled": False}}, "CAM-VIDEO-OFF"),
        ({"health": {"vod_enabled": None}}, None),
        ({"health": {"connected": False}, "settings": {"live_view_disabled": True}}, "CAM-OFFLINE"),
        ({"health": {"vod_enabled": False}, "settings": {"live_view_disabled": True}}, "CAM-DISABLED"),
    ],
)
def test_why_a_live_view_would_be_refused(fields: dict[str, object], code: str | None) -> None:
    camera = _one(**fields)
    assert camera.refusal == code
    assert code is None or code in FAULTS


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": "stickup_cam_mini_ptz_v1"}, True),
        ({"health": {"ptz_connected": "penguin"}}, True),
        ({"health": {"ptz_connected": "emperor"}}, True),
        ({"health": {"ptz_connected": "none"}}, False),
        ({"health": {"ptz_connected": ["penguin"]}}, False),
        ({"health": {"supported_rpc_commands": ["Siren.On", 5, "PTZ.Get"]}}, True),
        ({"health": {"supported_rpc_commands": "PTZ.Get"}}, False),
    ],
)
def test_pan_and_tilt(fields: dict[str, object], expected: bool) -> None:
    assert _one(**fields).has_ptz is expected


def test_names_are_safe_for_a_terminal() -> None:
    assert _one(description=" Front\x1b[2J\nDoor\u202e ").name == "Front [2J Door"
    assert len(_one(description="x" * 5000).name) == 80


def test_every_known_kind_has_words_for_people() -> None:
    assert all(kind.model and "_" not in kind.model for kind in KINDS.values())
    assert _one(kind="doorbell_graham_cracker").model == "Wired doorbell"


def test_the_flat_list_is_read_by_the_same_rules() -> None:
    found = parse_devices(
        {
            "devices": [
                {**YARD, "id": 1},
                {"id": 2, "kind": "cam_of_tomorrow", "settings": {"enable_vod": True}},
                {"id": 3, "kind": "cam_of_next_week", "health": {"vod_enabled": False}, "owned": False},
                {"id": 4, "kind": "chime_v3", "settings": {"volume": 5}},
                {"id": 5, "kind": "base_station_v1", "alerts": {"connection": "online"}},
                {"id": 6, "kind": "intercom_handset_audio", "settings": {"show_recordings": True}},
                {"id": 7, "kind": "onvif_camera"},
                5,
            ]
        }
    )
    assert [camera.id for camera in found.cameras] == [1, 2, 3, 7]
    assert [device.id for device in found.others] == [4, 5, 6]
    assert found.notes == ["devices[7] is no object"]
    assert (found.cameras[2].shared, found.cameras[2].refusal) == (True, "CAM-VIDEO-OFF")
    (same,) = parse_devices({"stickup_cams": [{**YARD, "id": 1}]}).cameras
    assert found.cameras[0] == same


@pytest.mark.parametrize("value", [4003, "4081", 101, "1e9"])
def test_millivolts_are_no_percentage_and_make_no_battery(value: object) -> None:
    """Wired doorbells were seen to report 4003 and 4081 as `battery_life`."""
    camera = _one("doorbots", kind="lpd_v1", battery_life=value)
    assert (camera.power, camera.battery_percent) == (Power.WIRED, None)
    assert _one(kind="cocoa_camera", battery_life=value, battery_life_2="55").battery_percent == 55


@pytest.mark.parametrize("json", [None, [], "x", 5, True])
def test_an_answer_that_is_no_object_is_a_fault(json: object) -> None:
    with pytest.raises(AuthError) as caught:
        parse_devices(json)
    assert caught.value.code == "ACCOUNT-ANSWER"


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
NAMES = [
    *("id", "kind", "description", "owned", "battery_life", "battery_life_2", "led_status", "siren_status"),
    *("external_connection", "alerts", "settings", "health", "connection", "connected", "rss_connected"),
    *("power_mode", "enable_vod", "vod_enabled", "live_view_disabled", "privacy_cover_enabled"),
    *("enable_vod", "video_settings"),
    *("battery_percentage", "battery_present", "ac_power", "ptz_connected", "supported_rpc_commands"),
]
PARTS = st.dictionaries(st.sampled_from(NAMES), JSON)
RECORDS = st.dictionaries(st.sampled_from(NAMES), JSON | PARTS)
LISTS = st.dictionaries(
    st.sampled_from(["doorbots", "stickup_cams", "chimes", "other", "devices"]) | st.text(), st.lists(RECORDS)
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a slow machine is no fault of ours
@given(JSON | LISTS)
@example({"doorbots": [{"id": 1, "battery_life": "1e999", "settings": {"power_mode": []}}]})
def test_no_answer_of_any_form_breaks_the_parser(json: object) -> None:
    if not isinstance(json, dict):
        with pytest.raises(AuthError, match="ACCOUNT-ANSWER"):
            parse_devices(json)
        return
    found = parse_devices(json)
    devices = found.cameras + found.others
    assert len({device.id for device in devices}) == len(devices)
    for device in devices:
        assert device.name
        assert device.battery_percent is None or 0 <= device.battery_percent <= 100
        hash(device)
