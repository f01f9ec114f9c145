"""A person's Ring account: signing in, keeping the tokens alive, devices, signaling tickets."""

from ringlight.account.client import AccountClient
from ringlight.account.devices import Device, Online, Power
from ringlight.account.events import CameraEvent
from ringlight.account.importing import Imported, parse_token_file
from ringlight.account.keeper import Credentials

__all__ = ["AccountClient", "CameraEvent", "Credentials", "Device", "Imported", "Online", "Power", "parse_token_file"]
