"""The devices of an account as the Partner API knows them. Pure."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ringlight.simulator.premises import SimCamera

__all__ = ["EARLY_ACCESS", "OWNERS", "Owner", "PartnerDevice", "account_id", "devices_of", "opaque"]

Family = Literal["doorbell", "camera", "chime", "sensor"]
_MODELS = {"doorbell": "DoorbellPro", "camera": "SpotlightCam", "chime": "ChimePro", "sensor": "FloodFreezeSensor"}


@dataclass(frozen=True, slots=True)
class PartnerDevice:
    """One device.

    Attributes:
        key: Its name inside the simulator; of a camera, its number.
        name: As its owner calls it.
        family: What it is. The API does not tell.
        camera: The camera behind it, or `None`.
        battery: Per cent; `None` on mains.
        account: Whose it is, by the account's key.
    """

    key: str
    name: str
    family: Family
    camera: SimCamera | None = None
    battery: int | None = None
    account: str = "ada"

    @property
    def model(self) -> str:
        """The model, as the address of its picture names it."""
        return _MODELS[self.family]

    def id(self, *, odd: bool = False) -> str:
        """Its id in the API; an odd one has characters that an address must escape."""
        return opaque("device", self.key, 96) + ("+ =:ä" if odd else "")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has a Ring account.

    Attributes:
        first_name: As the API tells it.
        email: The same.
    """

    first_name: str
    email: str


OWNERS = {"ada": Owner("Ada", "ada@ringlight.test"), "bob": Owner("Bob", "bob@ringlight.test")}

EARLY_ACCESS = (
    PartnerDevice("chime-1", "Hallway Chime", "chime"),
    PartnerDevice("sensor-1", "Cellar Floor", "sensor", battery=90),
)


def devices_of(cameras: Iterable[SimCamera], *, early_access: bool, account: str = "ada") -> Iterator[PartnerDevice]:
    """Yield the devices that stand for the cameras, and those that not everybody has; of another account, just one."""
    for camera in cameras:
        if account != "ada":
            name = f"{OWNERS[account].first_name}'s Door"
            yield PartnerDevice(f"{account}-1", name, "doorbell", camera, camera.battery, account)
            return
        family: Family = "doorbell" if "doorbots" in camera.group else "camera"
        yield PartnerDevice(str(camera.id), camera.name, family, camera, camera.battery)
    if early_access:
        yield from EARLY_ACCESS


def account_id(key: str) -> str:
    """Return an account's id in the API."""
    return opaque("account", key, 96)


@lru_cache(maxsize=4096)
def opaque(kind: str, key: str, length: int) -> str:
    """Return an id such as Ring's: a prefix, then so many characters of upper-case base32; always the same."""
    digest = hashlib.shake_256(f"{kind}/{key}".encode()).digest(length)
    return f"ava1.ring.{kind}.{base64.b32encode(digest).decode()[:length]}"
