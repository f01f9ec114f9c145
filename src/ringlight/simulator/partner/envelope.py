"""The body of a webhook, as it is documented. Pure."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

__all__ = ["ACCOUNT_TYPES", "DEVICE_TYPES", "SENSOR_TYPES", "SUBSCRIPTION_TYPES", "envelope"]

SENSOR_TYPES = tuple(
    f"{what}_{word}"
    for what, alarm in (
        ("contact_sensor", "faulted"), ("tamper", "detected"), ("flood", "detected"), ("freeze", "detected"),
        ("temperature", "exceeded"), ("humidity", "exceeded"), ("pm25", "exceeded"), ("co", "exceeded"),
    )
    for word in (alarm, "cleared")
)  # fmt: skip
DEVICE_TYPES = (
    "motion_detected", "button_press", "device_added", "device_removed", "device_online", "device_offline",
    *SENSOR_TYPES,
)  # fmt: skip
ACCOUNT_TYPES = ("app_integration_added", "app_integration_removed")
SUBSCRIPTION_TYPES = ("subscription_activated", "subscription_deactivated")


def envelope(
    kind: str, *, request_id: str, account: str, device: str, at_ns: int, subtype: str = "", snake: bool = False
) -> bytes:
    """Return the body that tells of one event.

    Args:
        kind: What happened; of a type that is not documented the body is that of a device's event.
        request_id: The same in every delivery of the same event.
        account: Ring's id of the account.
        device: Ring's id of the device; for an account's events it is not told.
        at_ns: When, in nanoseconds since 1970.
        subtype: What moved.
        snake: Whether the subtype is `sub_type` in the attributes, in place of `subType` on the data.
    """
    meta = {"version": "1.1", "time": _iso_ns(at_ns), "request_id": request_id, "account_id": account}
    milliseconds = at_ns // 1_000_000
    data: dict[str, Any] = {"id": f"{device}_{subtype or kind}_{milliseconds}", "type": kind}
    attributes: dict[str, Any] = {"source": device, "source_type": "devices", "timestamp": milliseconds}
    relationships: dict[str, Any] = {"devices": {"links": {"self": f"/v1/devices/{quote(device, safe='')}"}}}
    if kind in ACCOUNT_TYPES:
        data["id"] = f"{account}_{kind}_{milliseconds}"
        attributes |= {"source": account, "source_type": "users"}
        relationships = {}
    elif kind in SUBSCRIPTION_TYPES:
        attributes = {"source": "subscriptions", "source_id": "sub-sim-1", "sub_type": "paid",
                      "plan_id": "3b9d1f0a-1111-4222-8333-444455556666"}  # fmt: skip
        if kind == "subscription_activated":
            attributes["expires_at"] = _iso_ns(at_ns + 30 * 86_400 * 10**9)
        relationships = {"devices": {"data": [{"type": "device", "id": device}]},
                         "subscriptions": {"links": {"self": "/v1/accounts/me/subscriptions"}}}  # fmt: skip
    elif kind == "motion_detected" and subtype:
        (attributes if snake else data)["sub_type" if snake else "subType"] = subtype
    data |= {"attributes": attributes} | ({"relationships": relationships} if relationships else {})
    return json.dumps({"meta": meta, "data": data}, separators=(",", ":")).encode()


def _iso_ns(at_ns: int) -> str:
    seconds, rest = divmod(at_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
