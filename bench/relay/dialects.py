"""How each server is spoken to: where a socket connects, what makes it ready, and what one passes to the other."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

from relay.serve import KEY
from ringlight.rooms.people import ROLES, Claims
from ringlight.rooms.tokens import Tokens
from ringlight.secrets import Secret

MARK = b"@"  # before the time at which a message was sent


class Dialect(Protocol):
    """One side of a pair: socket 2n and 2n + 1 belong together.

    Attributes:
        passed: How a frame begins that one passes to the other.
    """

    passed: bytes

    def path(self, index: int) -> str: ...
    def hello(self, index: int) -> bytes | None: ...
    def is_ready(self, frame: bytes) -> str | None:
        """Whether this frame says that the socket is in; names the partner, if it does."""

    def partner(self, index: int, learned: str) -> str: ...
    def message(self, partner: str, text: str) -> bytes: ...
    def answer(self, message: bytes, frame: bytes) -> bytes:
        """Return a message as a page sends it that has just heard this frame."""


@dataclass
class Seed:
    """`/ws/signaling/…`: passed on byte for byte."""

    passed = b'{"type":"ice-candidate"'

    def path(self, index: int) -> str:
        return f"/ws/signaling/room-{index // 2}/{('doctor', 'patient')[index % 2]}"

    def hello(self, index: int) -> bytes | None:
        return None

    def is_ready(self, frame: bytes) -> str | None:
        return ""

    def partner(self, index: int, learned: str) -> str:
        return ""

    def message(self, partner: str, text: str) -> bytes:
        return _json({"type": "ice-candidate", "candidate": {"candidate": text, "sdpMid": "0"}})

    def answer(self, message: bytes, frame: bytes) -> bytes:
        return message


class Own:
    """`/ws/v2`: each with a signed token; numbered for each receiver, and kept for a resume."""

    passed = b'{"t":"signal","seq":'

    def __init__(self) -> None:
        self._tokens = Tokens(Secret(KEY), 3600.0)
        self.now = 0.0

    def path(self, index: int) -> str:
        return "/ws/v2"

    def hello(self, index: int) -> bytes | None:
        claims = Claims(f"room-{index // 2}", f"u_{index}", "clinician", ROLES["clinician"], "Dr A")
        return _json({"t": "hello", "v": 2, "token": self._tokens.sign(claims, self.now).reveal()})

    def is_ready(self, frame: bytes) -> str | None:
        message = json.loads(frame)
        if message["t"] == "roster":
            return next((person["id"] for person in message["people"]), "")
        return str(message["person"]["id"]) if message["t"] == "joined" else None

    def partner(self, index: int, learned: str) -> str:
        return learned

    def message(self, partner: str, text: str) -> bytes:
        return _json({"t": "signal", "to": partner, "candidate": {"candidate": text, "sdpMid": "0"}})

    def answer(self, message: bytes, frame: bytes) -> bytes:
        """Say what has arrived, as our page does."""
        at = len(self.passed)
        return b'%b,"seen":%b}' % (message[:-1], frame[at : frame.index(b",", at)])


class PeerJs:
    """The npm package `peer`."""

    passed = b'{"type":"CANDIDATE"'

    def path(self, index: int) -> str:
        return f"/peerjs?key=peerjs&id=socket-{index}&token=t{index}"

    def hello(self, index: int) -> bytes | None:
        return None

    def is_ready(self, frame: bytes) -> str | None:
        return "" if b'"OPEN"' in frame else None

    def partner(self, index: int, learned: str) -> str:
        return f"socket-{index ^ 1}"

    def message(self, partner: str, text: str) -> bytes:
        return _json({"type": "CANDIDATE", "dst": partner, "payload": {"candidate": text, "sdpMid": "0"}})

    def answer(self, message: bytes, frame: bytes) -> bytes:
        return message


def of_size(dialect: Dialect, partner: str, size: int, stamp: str) -> bytes:
    """Return a message of a size in bytes that carries a stamp."""
    bare = len(dialect.message(partner, f"@{stamp} "))
    return dialect.message(partner, f"@{stamp} " + "x" * max(0, size - bare))


def _json(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


DIALECTS: dict[str, type[Seed] | type[Own] | type[PeerJs]] = {"seed": Seed, "v2": Own, "peer": PeerJs}
