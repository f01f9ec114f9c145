"""Deliveries as Ring sends them: those of the documentation, and others made from them."""

import json
from typing import Any

KEY = "c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ="
SENT_AT = 1_790_000_000.125  # seconds; the signed time of `PRESS` is 2026-09-21T14:13:20.125Z
ACCOUNT = "ava1.ring.account.EXAMPLEACCOUNT7"
DOORBELL = "ava1.ring.device.EXAMPLEDOORBELL2"
PRESS = (
    b'{"meta":{"version":"1.1","time":"2026-09-21T14:13:20.125Z","request_id":"0d7a7c1e-4f0b-4a58-9d8e-5a1c7f0e2b11",'
    b'"account_id":"ava1.ring.account.EXAMPLEACCOUNT7"},"data":{"id":"ava1.ring.device.EXAMPLEDOORBELL2_button_press_'
    b'1790000000000","type":"button_press","attributes":{"source":"ava1.ring.device.EXAMPLEDOORBELL2","source_type":'
    b'"devices","timestamp":1790000000000},"relationships":{"devices":{"links":{"self":"/v1/devices/ava1.ring.device.'
    b'EXAMPLEDOORBELL2"}}}}}'
)


def body(
    kind: str = "button_press", *, request_id: str = "r-1", device: str = DOORBELL, account: str | None = ACCOUNT,
    time: str = "2026-09-21T14:13:20.125Z", attributes: dict[str, Any] | None = None, **data: Any,
) -> bytes:  # fmt: skip
    """Make a delivery; what is `None` is left out."""
    meta = {"version": "1.1", "time": time, "request_id": request_id, "account_id": account}
    told = (
        {"source": device, "source_type": "devices", "timestamp": 1_790_000_000_000}
        if attributes is None
        else attributes
    )
    document = {
        "meta": {name: value for name, value in meta.items() if value is not None},
        "data": {"id": f"{device}_{kind}", "type": kind, "attributes": told,
                 "relationships": {"devices": {"links": {"self": f"/v1/devices/{device}"}}}, **data},
    }  # fmt: skip
    return json.dumps(document).encode()
