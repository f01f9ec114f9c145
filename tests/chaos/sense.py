"""Which faults can meet whom: the rules by which a cell of the matrix makes no sense."""

from dataclasses import dataclass

from cells import Met

from ringlight.faults import FAULTS

BROWSERS = frozenset({Met.PAGE, Met.ROOM_PAGE, Met.DOCTOR})
ROOMS = frozenset({Met.ROOM_PAGE, Met.ROOM_SOCKET, Met.API, Met.DOCTOR})
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
    Rule(("AUTH-IMPORT", "AUTH-CODE", "AUTH-PAGES"), frozenset({Met.COMMAND, Met.VIEW}),
         "Only `ringlight login` and programs sign in step by step; a server and the doctor take the sign-in that is "
         "kept."),
    Rule(("RING-OLD-ENDPOINT",), frozenset({Met.COMMAND}),
         "We never ask this address; `ringlight explain` names it in what programs of others wrote."),
    Rule(("ACCOUNT-ID",), frozenset({Met.VIEW, Met.DOCTOR}),
         "Live view never needs it: it is asked for by programs and the doctor, and `ringlight whoami` shows a "
         "registration without one as it is."),
    Rule(("CAM-NO-PTZ", "CAM-UNABLE", "CAM-NO-TALK"), frozenset({Met.VIEW, Met.COMMAND, Met.API}),
         "The page shows no button for what a camera cannot do, and the doctor tells no camera anything."),
    Rule(("CAM-TALK-BUSY",), frozenset({Met.VIEW, Met.API, Met.PAGE}),
         "A command talks by a view of its own, whose turn nobody else can have; the doctor does not talk."),
    Rule(("CAM-GONE", "CAM-COMMAND", "CAM-SNAPSHOT", "CAM-RECORDING", "RING-BODY"),
         OWN_CAMERAS - {Met.DOCTOR},
         "The doctor lists cameras and opens a view; it switches nothing and fetches no picture or recording."),
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
    Rule(("ROOM-", "REQUEST-CONSENT"), ROOMS, "Rooms are entered by their clients and made by the API."),
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
    Rule(("NET-POOL",), frozenset({Met.SYNC, Met.ASYNC, Met.API, Met.PAGE}),
         "Only the SDK, and the server by it, has a time for one of its connections to become free. Commands and the "
         "doctor ask one thing after the other; a call to a person's own account that waits for long is NET-TIMEOUT."),
    Rule(("NET-INSIDE",), EVERYBODY - {Met.ROOM_PAGE, Met.ROOM_SOCKET},
         "Whoever fetches a file from an address that Ring has named; rooms fetch none."),
    Rule(("NET-",), EVERYBODY - {Met.ROOM_SOCKET},
         "Anybody who speaks over a network; a room's client in a browser meets it with a camera that is in the room. "
         "Why a bare socket has no connection, its own library says, and rooms name no such fault."),
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
