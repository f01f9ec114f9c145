"""Which faults can meet whom: the rules by which a cell of the matrix makes no sense."""

from dataclasses import dataclass

from cells import Met

from ringlight.faults import FAULTS

BROWSERS = frozenset({Met.PAGE, Met.ROOM_PAGE, Met.DOCTOR})
ROOMS = frozenset({Met.ROOM_PAGE, Met.ROOM_SOCKET, Met.API, Met.DOCTOR})
SOCKETS = ROOMS - {Met.API}
OWN_CAMERAS = frozenset({Met.PAGE, Met.VIEW, Met.COMMAND, Met.API, Met.DOCTOR})
SDK = frozenset({Met.SYNC, Met.ASYNC, Met.COMMAND, Met.DOCTOR})
EVERYBODY = frozenset(Met)


@dataclass(frozen=True)
class Rule:
    """Faults by the beginning of their codes, who can meet them, and why the others cannot."""

    codes: tuple[str, ...]
    met_by: frozenset[Met]
    why: str


# The first rule that fits counts.
RULES = (
    Rule(("AUTH-IMPORT", "AUTH-CODE", "AUTH-PAGES"), frozenset({Met.COMMAND}),
         "Only `ringlight login` signs in step by step."),
    Rule(("AUTH-LINK-LOST", "AUTH-UNAVAILABLE"), OWN_CAMERAS | SDK,
         "The SDK's tokens are renewed by the same service, and are told in the same words."),
    Rule(("AUTH-PASSWORD",), OWN_CAMERAS, "Whoever signs in with a password."),
    Rule(("SIG-", "TICKET-", "SDP-", "MEDIA-", "CAM-", "AUTH-", "ACCOUNT-", "RING-"), OWN_CAMERAS,
         "A person's own cameras have a page, a client, commands and routes; the Partner SDK and the rooms never speak "
         "to the services in question."),
    Rule(("PARTNER-", "LINK-"), SDK | {Met.PAGE, Met.API},
         "The Partner API is called by the SDK, and by the server and commands through it; a person's own live view "
         "and the rooms do not use it."),
    Rule(("CALL-",), SDK - {Met.DOCTOR}, "Only the Partner SDK has a gate, a budget, a breaker and a total time."),
    Rule(("HOOK-",), frozenset({Met.API, Met.COMMAND, Met.DOCTOR, Met.PAGE}),
         "Webhooks come to the server; people see them on its page and by commands."),
    Rule(("ROOM-LINK-",), frozenset({Met.ROOM_PAGE, Met.API}), "Links are opened by a page, over HTTP."),
    Rule(("ROOM-CAMERA",), frozenset({Met.ROOM_PAGE, Met.API}),
         "Cameras of a room are watched by a page, over HTTP, and not through its socket."),
    Rule(("ROOM-UNKNOWN",), frozenset({Met.API}),
         "The API alone asks for a room by its id; who enters by a socket begins it."),
    Rule(("ROOM-ORDER",), frozenset({Met.DOCTOR}),
         "Rooms pass descriptions on unread, and clients mend their order; the doctor judges it in recordings."),
    Rule(("ROOM-ALONE",), frozenset({Met.ROOM_PAGE, Met.ROOM_SOCKET}),
         "A notice to those inside, and no refusal: no request and no look of the doctor ends in it."),
    Rule(("ROOM-PATH", "ROOM-ORIGIN", "ROOM-TOKEN-NEEDED", "ROOM-FULL", "ROOM-LOCKED", "ROOM-DENIED", "ROOM-CONSENT",
          "ROOM-WAITING", "ROOM-MESSAGE", "ROOM-SIZE", "ROOM-SLOW", "ROOM-HELLO", "ROOM-SILENT", "ROOM-REPLACED",
          "ROOM-BUSY"), SOCKETS,
         "Of entering and of what is said inside, which is done through a socket; over HTTP such a request has faults "
         "of its own (REQUEST-, ORIGIN-, KEY-)."),
    Rule(("ROOM-TOKEN-EXPIRED",), ROOMS, "A token opens a room, and a camera of it over HTTP."),
    Rule(("ROOM-TOKEN",), SOCKETS, "Over HTTP a token that is none of a room is taken for a key (KEY-NEEDED)."),
    Rule(("ROOM-",), ROOMS, "Rooms are entered by their clients and made by the API; the doctor reads recordings too."),
    Rule(("WEB-", "VIEWER-NO", "VIEWER-MICROPHONE", "REACH-MIXED", "REACH-CORS", "REACH-POLICY", "REACH-OFFLINE",
          "REACH-PORT", "REACH-SELF", "REACH-DROPPED", "REACH-CLOSED"), BROWSERS | {Met.ROOM_SOCKET},
         "Only a browser has these limits, or can only guess where a program knows."),
    Rule(("VIEWER-",), frozenset({Met.PAGE, Met.API}), "Viewers are browsers and players of the server."),
    Rule(("OIDC-",), frozenset({Met.PAGE, Met.API}), "Only a person with a browser logs in through another service."),
    Rule(("KEY-", "ORIGIN-", "REQUEST-", "SERVER-", "FAULT-", "PUBLISH-", "FILE-", "AUDIT-", "NODE-", "CLOCK-"),
         frozenset({Met.PAGE, Met.API, Met.COMMAND, Met.DOCTOR}), "These are of the server and of the commands."),
    Rule(("CFG-", "STORE-", "MQTT-"), frozenset({Met.COMMAND, Met.API, Met.DOCTOR, Met.SYNC, Met.ASYNC}),
         "Settings, stores and brokers belong to programs; a browser has none."),
    Rule(("TURN-", "REACH-"), frozenset({Met.ROOM_PAGE, Met.DOCTOR, Met.COMMAND}),
         "The way to a server is looked at where somebody connects to it and by the doctor."),
    Rule(("NET-",), EVERYBODY, "Anybody who speaks over a network."),
)  # fmt: skip


def rule_of(code: str) -> Rule:
    """Return the rule for a fault."""
    return next(rule for rule in RULES if code.startswith(rule.codes))


def makes_sense(code: str, met: Met) -> bool:
    """Whether this fault can meet them."""
    return met in rule_of(code).met_by


def uncovered() -> list[str]:
    """Return the faults that no rule speaks of."""
    return [code for code in FAULTS if not any(code.startswith(rule.codes) for rule in RULES)]
