"""Rooms as the settings say."""

import secrets

from ringlight.rooms.admission import Admission
from ringlight.rooms.clock import RoomClock
from ringlight.rooms.house import House
from ringlight.rooms.ice import Turn
from ringlight.rooms.porter import Porter
from ringlight.rooms.tokens import Tokens
from ringlight.secrets import Secret
from ringlight.settings import Settings

__all__ = ["open_rooms", "open_shared_rooms"]


def open_rooms(settings: Settings, *, any_loopback_origin: bool = False) -> Porter:
    """Return the rooms of a server.

    Without a secret key tokens are signed with chance, and end with the program.

    Args:
        settings: Those of rooms, the secret key, allowed origins and TURN.
        any_loopback_origin: Whether pages of any loopback origin may enter over a loopback address.
    """
    clock = RoomClock()
    porter = Porter(House(settings.rooms, _mint, *_door(settings, any_loopback_origin)), clock)
    porter.follow = clock.follow
    return porter


def open_shared_rooms(settings: Settings, *, any_loopback_origin: bool = False) -> Porter:
    """Return the rooms of a server, which are shared with other servers while `running` where Redis is named.

    All of them need the same secret key and the same settings of rooms.

    Args:
        settings: As for `open_rooms`, and `redis_url`.
        any_loopback_origin: As for `open_rooms`.

    Raises:
        SetupError: CFG-DEPENDENCY or CFG-INVALID.
    """
    if settings.redis_url is None:
        return open_rooms(settings, any_loopback_origin=any_loopback_origin)
    # Imported here: most servers are alone.
    from ringlight.rooms.nodes import SharedPorter, new_node  # noqa: PLC0415
    from ringlight.rooms.shared_house import SharedHouse  # noqa: PLC0415

    house = SharedHouse(settings.rooms, _mint, *_door(settings, any_loopback_origin), node=new_node())
    clock = RoomClock()
    porter = SharedPorter(house, clock, settings.redis_url)
    porter.follow = clock.follow
    return porter


def _mint() -> str:
    return secrets.token_urlsafe(12)


def _door(settings: Settings, any_loopback_origin: bool) -> tuple[Admission, Turn]:
    rooms, origins = settings.rooms, frozenset(settings.allowed_origins)
    tokens = Tokens(settings.secret_key or Secret(secrets.token_urlsafe(32)), rooms.token_life)
    admission = Admission(rooms, tokens, origins, any_loopback_origin=any_loopback_origin)
    return admission, Turn(settings.turn_url, settings.turn_secret, rooms.turn_life)
