"""What each address of the server needs: the table of scopes, and who may do what. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from ringlight.errors import fault_error
from ringlight.settings.access import SCOPES, Scope

__all__ = ["ANYBODY", "JUDGED", "LINES", "OWNER", "SCOPES", "Holder", "Line", "Scope", "is_open", "line_of", "may"]

OPEN: Final = "open"  # no key: it tells nothing, or has to be read by who has none yet
JUDGED: Final = "judged"  # no key of ours: a signature, a link or a room's token is judged behind it
ANYBODY: Final = "anybody"  # any key, whatever it is for
Needs = Scope | Literal["open", "judged", "anybody"]
_NAME = re.compile(r"\{(\w+)(:path)?\}")


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who was let in, and what that is good for.

    Attributes:
        who: Stands for the holder in the audit, such as `key:3f2a` or `owner`.
        scopes: What may be done. None of them holds another.
        cameras: The cameras (ids in addresses) that this is limited to; `None` is all, and everything beside cameras.
        ends: When it is over, in seconds since 1970; `None` is never.
    """

    who: str
    scopes: frozenset[Scope]
    cameras: frozenset[str] | None = None
    ends: float | None = field(default=None, compare=False)

    def sees(self, camera: str) -> bool:
        """Whether a camera is among those that there are for this holder."""
        return "view" in self.scopes and (self.cameras is None or camera in self.cameras)


OWNER: Final = Holder("owner", frozenset(SCOPES))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes:
        methods: Separated by spaces; `WS` is a WebSocket, `RTSP` a player's DESCRIBE.
        path: As the routes have it; `{camera}` is a camera, other names stand for anything without a slash, those with
            `:path` for anything.
        needs: The scope, or `open`, `judged`, `anybody`.
        limited: Whether keys that are limited to cameras may come here too. Where a camera is named they may always,
            if it is theirs.
        guests: Whether people of a room may come here to a camera of that room with its token, in place of a key.
    """

    methods: str
    path: str
    needs: Needs
    limited: bool = False
    guests: bool = False
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the comparison."""
        parts, at = [], 0
        for name in _NAME.finditer(self.path):
            parts += [re.escape(self.path[at : name.start()]), f"(?P<{name[1]}>{'.*' if name[2] else '[^/]+'})"]
            at = name.end()
        object.__setattr__(self, "pattern", re.compile("".join([*parts, re.escape(self.path[at:])]), re.DOTALL))


# Scripts of the owner's page that the page of the rooms is made of too.
_OF_GUESTS: Final = ("api", "audience", "dom", "fault-card", "frames", "ice", "takeover", "talking", "trace", "whep")

# The first line that fits counts. What fits none needs `admin`, so that nothing new is open by oversight.
LINES: Final = (
    Line("GET HEAD OPTIONS", "/health", OPEN),
    Line("GET HEAD OPTIONS", "/ready", OPEN),
    # Patients have no key: their page, what it is made of, and the texts of the faults that they meet.
    Line("GET HEAD", "/api/faults", OPEN),
    Line("GET HEAD", "/api/faults/{code}", OPEN),
    Line("GET HEAD", "/faults", OPEN),
    Line("GET HEAD", "/faults/{code}", OPEN),
    Line("GET HEAD", "/page/{name}.css", OPEN),
    Line("GET HEAD", "/page/favicon.svg", OPEN),
    *(Line("GET HEAD", f"/page/{name}.js", OPEN) for name in _OF_GUESTS),
    Line("GET HEAD", "/rooms/{rest:path}", JUDGED),
    Line("GET HEAD", "/rooms", JUDGED),
    Line("GET HEAD", "/rooms-page/{rest:path}", JUDGED),
    Line("GET HEAD POST", "/j/{token}", JUDGED),
    Line("GET HEAD", "/j/{rest:path}", JUDGED),
    Line("GET HEAD", "/j", JUDGED),
    Line("GET", "/s/{token}", JUDGED),
    Line("GET POST", "/login", JUDGED),
    Line("GET", "/login/oidc", JUDGED),
    Line("GET", "/login/oidc/callback", JUDGED),
    Line("POST", "/logout", JUDGED),
    # Ring comes to the names that the developer portal has: with a signature, or a code that Ring alone takes back.
    Line("POST", "/ring/webhook", JUDGED),
    Line("POST", "/ring/token", JUDGED),
    Line("WS", "/ws/v2", JUDGED),
    Line("WS", "/{rest:path}", JUDGED),
    # The page itself, for whoever has a key.
    Line("GET HEAD", "/", ANYBODY, limited=True),
    Line("GET HEAD", "/page/{rest:path}", ANYBODY, limited=True),
    Line("GET HEAD", "/docs", ANYBODY),
    Line("GET HEAD", "/docs/websockets", ANYBODY),
    Line("GET HEAD", "/redoc", ANYBODY),
    Line("GET HEAD", "/openapi.json", ANYBODY),
    Line("GET HEAD", "/api/about", ANYBODY, limited=True),
    Line("GET HEAD", "/metrics", "view"),
    # To watch.
    Line("GET HEAD", "/api/cameras", "view", limited=True),
    Line("GET HEAD", "/api/cameras/{camera}", "view"),
    Line("GET", "/api/cameras/{camera}/events", "view"),
    Line("GET", "/api/cameras/{camera}/audience/{session}", "view", guests=True),
    Line("GET", "/api/cameras/{camera}/snapshot.jpg", "view"),
    Line("POST", "/api/cameras/{camera}/renewal", "view"),
    Line("GET", "/api/cameras/{camera}/live.mp4", "view"),
    Line("GET", "/api/cameras/{camera}/hls/{name}", "view"),
    Line("GET", "/api/cameras/{camera}/history", "view"),
    Line("GET", "/api/cameras/{camera}/history/{event}/recording", "view"),
    Line("GET", "/api/cameras/{camera}/recordings", "view"),
    Line("GET HEAD", "/api/cameras/{camera}/recordings/{name}", "view"),
    Line("GET", "/api/media", "view"),
    Line("GET", "/api/doctor/block", "view", limited=True),
    Line("POST", "/api/doctor/media", "view", limited=True),
    Line("GET HEAD POST PUT PATCH DELETE OPTIONS", "/whep/{camera}", "view", guests=True),
    Line("GET HEAD POST PUT PATCH DELETE OPTIONS", "/whep/{camera}/{session}", "view", guests=True),
    Line("RTSP", "/{camera}", "view"),
    # To be heard there.
    Line("POST DELETE", "/whep/{camera}/{session}/talk", "talk", guests=True),
    # To move, light, sound and record.
    Line("POST", "/api/cameras/{camera}/light", "control"),
    Line("POST", "/api/cameras/{camera}/siren", "control"),
    Line("POST", "/api/cameras/{camera}/ptz", "control"),
    Line("POST", "/api/cameras/{camera}/recordings", "control"),
    Line("DELETE", "/api/cameras/{camera}/recordings/{name}", "control"),
    # Rooms; to bring a camera into one needs `view` as well, which is judged where its name is read.
    Line("POST", "/api/rooms", "rooms"),
    Line("POST", "/api/rooms/webhook-test", "rooms"),
    Line("GET DELETE", "/api/rooms/{room}", "rooms"),
    Line("POST", "/api/rooms/{room}/tokens", "rooms"),
    Line("POST", "/api/rooms/{room}/links", "rooms"),
    Line("POST", "/api/rooms/{room}/cameras", "rooms"),
    Line("DELETE", "/api/rooms/{room}/cameras/{which}", "rooms"),
    # The server itself, and the Ring accounts behind it.
    Line("GET POST", "/api/doctor", "admin"),
    Line("GET", "/api/publications", "admin"),
    Line("GET", "/api/nodes", "admin"),
    Line("GET", "/api/status", "admin"),
    Line("POST", "/api/config/reload", "admin"),
    Line("GET POST", "/api/links", "admin"),
    Line("DELETE", "/api/links/{link}", "admin"),
    Line("GET", "/api/ring", "admin"),
    Line("GET POST", "/api/ring/{rest:path}", "admin"),
    Line("GET POST", "/ring/{rest:path}", "admin"),
)
_OTHERWISE = Line("", "", "admin")


def line_of(method: str, path: str, lines: Iterable[Line] = LINES) -> tuple[Line, str | None]:
    """Return the line that counts for a request, and the camera that it names; `None` where it names none."""
    for line in lines:
        if method in line.methods.split() and (found := line.pattern.fullmatch(path)) is not None:
            return line, found.groupdict().get("camera")
    return _OTHERWISE, None


def is_open(method: str, path: str) -> bool:
    """Whether no key is needed for a request."""
    return line_of(method, path)[0].needs in (OPEN, JUDGED)


def may(holder: Holder | None, method: str, path: str) -> Holder:
    """Let whoever makes a request that needs a key pass, or say why not.

    Args:
        holder: Who asks; `None` has shown nothing.
        method: Of the request, like `path`, which is decoded.

    Raises:
        UsageError: KEY-NEEDED, KEY-SCOPE or KEY-CAMERA.
    """
    line, camera = line_of(method, path)
    if holder is None:
        raise fault_error("KEY-NEEDED")
    if line.needs != ANYBODY and line.needs not in holder.scopes:
        raise fault_error("KEY-SCOPE", f"this needs `{line.needs}`; the key has {_listed(holder.scopes)}")
    if holder.cameras is None or line.limited:
        return holder
    if camera is None:
        raise fault_error("KEY-CAMERA", "this is about more than single cameras")
    if camera not in holder.cameras:
        raise fault_error("KEY-CAMERA", f"it is for {_listed(holder.cameras)}")
    return holder


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"
