"""A person's Ring account: signing in, keeping the tokens alive, devices, signaling tickets."""

from typing import TYPE_CHECKING

from ringlight.lazy import from_homes

if TYPE_CHECKING:
    from ringlight.account.client import AccountClient
    from ringlight.account.devices import Device, Online, Power
    from ringlight.account.events import CameraEvent
    from ringlight.account.importing import Imported, parse_token_file
    from ringlight.account.keeper import Credentials

__all__ = ["AccountClient", "CameraEvent", "Credentials", "Device", "Imported", "Online", "Power", "parse_token_file"]

_HOMES = {
    "AccountClient": "ringlight.account.client",
    "CameraEvent": "ringlight.account.events",
    "Credentials": "ringlight.account.keeper",
    "Device": "ringlight.account.devices",
    "Imported": "ringlight.account.importing",
    "Online": "ringlight.account.devices",
    "Power": "ringlight.account.devices",
    "parse_token_file": "ringlight.account.importing",
}

__getattr__ = from_homes(__name__, _HOMES)
