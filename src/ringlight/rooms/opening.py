"""Rooms as the settings say."""

import secrets

from ringlight.rooms.house import House
from ringlight.rooms.ice import Turn
from ringlight.rooms.porter import Porter, steady_clock
from ringlight.rooms.tokens import Tokens
from ringlight.secrets import Secret
from ringlight.settings import Settings

__all__ = ["open_rooms"]


def open_rooms(settings: Settings, *, any_loopback_origin: bool = False) -> Porter:
    """Return the rooms of a server.

    Without a secret key tokens are signed with chance, and end with the program.

    Args:
        settings: Those of rooms, the secret key, allowed origins and TURN.
        any_loopback_origin: Whether pages of any loopback origin may enter over a loopback address.
    """
    key = settings.secret_key or Secret(secrets.token_urlsafe(32))
    house = House(
        settings.rooms,
        lambda: secrets.token_urlsafe(12),
        tokens=Tokens(key, settings.rooms.token_life),
        origins=frozenset(settings.allowed_origins),
        any_loopback_origin=any_loopback_origin,
        turn=Turn(settings.turn_url, settings.turn_secret, settings.rooms.turn_life),
    )
    return Porter(house, steady_clock())
