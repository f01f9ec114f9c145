"""STUN and TURN servers that viewers are told of, with passwords that last for some hours."""

import time
from collections.abc import Callable, Sequence

from ringlight.errors import fault_error
from ringlight.media.ice_servers import lent
from ringlight.secrets import Secret

LIFETIME = 4 * 3600  # seconds that a password is good for; a path that is open by then stays


def wrong_relays(urls: Sequence[str], secret: Secret | None) -> list[str]:
    """Return what is wrong with the settings of STUN and TURN servers: each bad address, a missing secret."""
    wrong = [f"turn_url: {url[:80]!r} is no stun:, turn: or turns: address" for url in urls if not _is_relay(url)]
    if not secret and any(_scheme(url).startswith("turn") for url in urls):
        wrong.append("turn_secret: a TURN server needs the secret that it shares with us")
    return wrong


def _is_relay(url: str) -> bool:
    return _scheme(url) in ("stun", "stuns", "turn", "turns") and not any(mark in url for mark in '<>" \r\n')


def _scheme(url: str) -> str:
    return url.partition(":")[0].lower()


class IceServers:
    """The servers, and what a viewer needs to use them.

    Args:
        urls: `stun:`, `turn:` and `turns:` addresses.
        secret: Shared with the TURN servers.
        wall: Returns the seconds since 1970.

    Raises:
        SetupError: CFG-INVALID for another kind of address, or TURN without a secret.
    """

    def __init__(
        self, urls: Sequence[str] = (), secret: Secret | None = None, wall: Callable[[], float] = time.time
    ) -> None:
        for wrong in wrong_relays(urls, secret):
            raise fault_error("CFG-INVALID", wrong)
        self._urls, self._secret, self._wall = tuple(urls), secret, wall

    def links(self) -> list[str]:
        """Return the values of `Link` headers, one for each server (RFC 9725 section 4.6)."""
        found = []
        for url in self._urls:
            link = f'<{url}>; rel="ice-server"'
            if self._secret is not None and url.lower().startswith("turn"):
                name, password = lent(self._secret, "ringlight", self._wall() + LIFETIME)
                link += f'; username="{name}"; credential="{password}"; credential-type="password"'
            found.append(link)
        return found
