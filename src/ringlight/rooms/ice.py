"""ICE servers for rooms: credentials of coturn's REST interface, made from its shared secret for a short time."""

from ringlight.media.ice_servers import lent
from ringlight.rooms.messages import IceServer
from ringlight.secrets import Secret

__all__ = ["Turn"]


class Turn:
    """Makes credentials. Without an address rooms name no server at all: nobody's STUN is told who talks to whom.

    Args:
        urls: Addresses of STUN and TURN servers.
        secret: Its `static-auth-secret`.
        life: Seconds that credentials are good for.
    """

    def __init__(self, urls: list[str], secret: Secret | None, life: float) -> None:
        plain = [url for url in urls if url.lower().startswith("stun")]
        self._plain = (IceServer(urls=plain),) if plain else ()
        self._relays = [url for url in urls if url not in plain]
        self._secret = secret
        self._life = life

    def servers(self, person: str, now: float) -> tuple[tuple[IceServer, ...], float | None]:
        """Return the servers for a person, and for how many seconds they are good (`None`: there are none)."""
        if not self._relays or self._secret is None:
            return self._plain, None
        name, password = lent(self._secret, person, now + self._life)
        return (*self._plain, IceServer(urls=self._relays, username=name, credential=password)), self._life
