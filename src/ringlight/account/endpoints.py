"""Ring's addresses for a person's account, each written once (observed-protocol.md#hosts)."""

from urllib.parse import urlencode

from ringlight.http.address import base_of
from ringlight.secrets import Secret

__all__ = [
    "AUTHORIZE",
    "CLIENT_ID",
    "DEVICES",
    "DEVICES_V3",
    "DOORBOTS",
    "EVENTS",
    "REDIRECT",
    "SCOPE",
    "SESSION",
    "SIGNALING",
    "SIGN_IN",
    "SNAPSHOTS",
    "TICKET",
    "TICKET_ALIAS",
    "TOKEN",
    "VERIFY",
    "signaling_url",
]

CLIENT_ID = "ring_official_android"  # in the body, where it is mandatory since September 2024
SCOPE = "client"

TOKEN = "https://oauth.ring.com/oauth/token"  # noqa: S105 - an address
SESSION = "https://api.ring.com/clients_api/session"
DEVICES = "https://api.ring.com/clients_api/ring_devices"
DEVICES_V3 = "https://api.ring.com/device_info/v3/devices"  # the flat list that the app itself reads now
TICKET = "https://prd-api-us.prd.rings.solutions/api/v1/clap/ticket/request/signalsocket"
# The older name of the same service; one client left it in 2024 for sockets that failed, two others still use it.
TICKET_ALIAS = "https://app.ring.com/api/v1/clap/ticket/request/signalsocket"

# One camera: its number and what is wanted follow (observed-protocol.md#hosts).
DOORBOTS = "https://api.ring.com/clients_api/doorbots"
EVENTS = "https://api.ring.com/clients_api/dings"
SNAPSHOTS = "https://app-snaps.ring.com/snapshots/next"

# The sign-in in steps, as in a browser (observed-protocol.md#a-second-way-to-sign-in).
AUTHORIZE = "https://oauth.ring.com/oauth/v2/authorize"
SIGN_IN = "https://oauth.ring.com/oauth/v2/signin"
VERIFY = "https://oauth.ring.com/oauth/v2/2fa/verify"
REDIRECT = "https://ring.com/signin/callback"  # where a browser would go at the end; nobody asks it for anything

# One name for the whole world; only the media servers behind it are regional.
SIGNALING = "wss://api.prod.signalling.ring.devices.a2z.com:443/ws"

_SOCKET_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def signaling_url(ring_url: str | None, override: str | None, ticket: Secret, client_id: str) -> Secret:
    """Return the address for one connection to Ring's signaling socket, a secret because the ticket is in it.

    Args:
        ring_url: The setting of that name: a base URL that stands for every host of Ring, or `None`.
        override: The setting `ring_signaling_url`, whole with its path; wins over `ring_url`.
        ticket: A fresh ticket, good for one connection.
        client_id: `ring_site-` and a uuid4, new for each connection.

    Raises:
        SetupError: CFG-INVALID, a setting is no usable address.
    """
    if override is not None:
        parts = base_of("ring_signaling_url", override, ("wss", "ws", "https", "http"))
    elif ring_url is not None:
        parts = base_of("ring_url", ring_url)
        parts = parts._replace(path=f"{parts.path.rstrip('/')}/ws", query="")
    else:
        parts = base_of("", SIGNALING, ("wss",))
    fields = {
        "api_version": "4.0",
        "auth_type": "ring_solutions",
        "client_id": client_id,
        "token": ticket.reveal(),
    }
    query = "&".join(part for part in (parts.query, urlencode(fields)) if part)
    return Secret(parts._replace(scheme=_SOCKET_SCHEMES[parts.scheme], query=query, fragment="").geturl())
