"""Passes, signed with the server's secret key (JWT, HS256): sessions of browsers, and links to a camera. Pure."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from ringlight.errors import fault_error
from ringlight.secrets import Secret
from ringlight.server.scopes import SCOPES, Scope

__all__ = ["OWNERS", "Pass", "Passes"]

Kind = Literal["session", "link"]
OWNERS = "owner"  # in the place of a key's id


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass says.

    Attributes:
        id: Of the key that a session was opened with, `owner` for the owner's; of a link, a number of its own.
        ends: Seconds since 1970.
        camera: The camera that a link is for, by its id in addresses; `None` where a key says what is allowed.
        talk: Whether a link lets people talk as well.
        granted: What somebody may do who has logged in through another service; `None` where a key or link says that.
    """

    id: str
    ends: float
    camera: str | None = None
    talk: bool = False
    granted: tuple[Scope, ...] | None = None

    @property
    def scopes(self) -> frozenset[Scope]:
        """What a link is good for."""
        return frozenset(("view", "talk")) if self.talk else frozenset(("view",))


class Passes:
    """Signs and checks.

    Args:
        secret: The server's secret key; what signs is derived from it and good for nothing else. With another secret
            key all passes end.
    """

    def __init__(self, secret: Secret) -> None:
        told = secret.reveal().encode(errors="surrogatepass")
        kinds: tuple[Kind, ...] = ("session", "link")
        self._told = told
        self._keys = {
            kind: OctKey.import_key(hmac.digest(told, f"ringlight {kind}".encode(), hashlib.sha256)) for kind in kinds
        }

    def derived(self, what: str, text: str) -> Secret:
        """Return what only this server can make of a text, in 64 characters; `what` says what it is for."""
        return Secret(hmac.digest(self._told, f"ringlight {what} {text}".encode(), hashlib.sha256).hex())

    def sign(self, kind: Kind, said: Pass) -> Secret:
        """Return a pass as text, for a cookie or an address."""
        claims = {"aud": kind, "sub": said.id, "exp": int(said.ends), "camera": said.camera, "talk": said.talk}
        if said.granted is not None:
            claims["scopes"] = list(said.granted)
        return Secret(jwt.encode({"alg": "HS256"}, claims, self._keys[kind]))

    def check(self, kind: Kind, text: str, now: float) -> Pass:
        """Return what a pass says.

        Raises:
            UsageError: KEY-LINK, it is not ours or was changed; KEY-LINK-EXPIRED.
        """
        try:
            said = jwt.decode(text, self._keys[kind], algorithms=["HS256"]).claims
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise fault_error("KEY-LINK", type(error).__name__) from None
        id, ends, camera, talk = (said.get(name) for name in ("sub", "exp", "camera", "talk"))  # noqa: A001 - as above
        if not (said.get("aud") == kind and isinstance(id, str) and isinstance(ends, int)):
            raise fault_error("KEY-LINK", "it has not the claims of one")
        if ends <= now:
            raise fault_error("KEY-LINK-EXPIRED", f"it ended {(now - ends) / 60:.0f} min ago")
        listed = said.get("scopes")
        granted = tuple(one for one in SCOPES if one in listed) if isinstance(listed, list) else None
        return Pass(id, float(ends), camera if isinstance(camera, str) else None, talk is True, granted)
