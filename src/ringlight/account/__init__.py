"""A person's Ring account: signing in, keeping the tokens alive, devices, signaling tickets."""

from ringlight.account.client import AccountClient
from ringlight.account.devices import Device, Online, Power
from ringlight.account.keeper import Credentials

__all__ = ["AccountClient", "Credentials", "Device", "Online", "Power"]
