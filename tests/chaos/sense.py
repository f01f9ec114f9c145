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
    Rule(("AUTH-IMPORT", "AUTH-CODE", "AUTH-PAGES"), frozenset({Met.COMMAND}),
         "Only `ringlight login` signs in step by step."),
    Rule(("AUTH-LINK-LOST", "AUTH-UNAVAILABLE"), OWN_CAMERAS | SDK,
         "The SDK's tokens are renewed by the same service, and are told in the same words."),
    Rule(("AUTH-PASSWORD",), OWN_CAMERAS, "Whoever signs in with a password."),
    Rule(("CAM-ELSEWHERE", "CAM-MOVED", "NODE-LEAVING"), frozenset({Met.PAGE, Met.API}),
         "Only servers share cameras: commands, the doctor and the live-view client open a view of their own, and hold "
         "no lease."),
    Rule(("NODE-ALONE",), frozenset({Met.PAGE, Met.API, Met.COMMAND}),
         "A server tells it of itself: on its page, by its API and to `ringlight status`."),
    Rule(("SIG-CLOSED",), OWN_CAMERAS - {Met.PAGE, Met.API},
         "The page and the server's events say that the view is closed: an end in good order is no fault of theirs."),
    Rule(("MEDIA-TCP", "SDP-DIRECTION"), OWN_CAMERAS - {Met.COMMAND},
         "Nobody has to do anything about it, so a command does not speak of it; the page notes it, and the doctor."),
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
    Rule(("VIEWER-NO-", "VIEWER-MICROPHONE"), frozenset({Met.PAGE, Met.ROOM_PAGE}),
         "Only the pages look whether their browser has WebRTC, decodes pictures and gives a microphone."),
    Rule(("VIEWER-GONE", "VIEWER-RESTART", "VIEWER-STALE", "VIEWER-MATCH", "VIEWER-FRAGMENT", "VIEWER-BATTERY"),
         frozenset({Met.API}),
         "Told to players: the page keeps the rules of WHEP, opens anew where its playback has gone, and may "
         "wake a camera on battery."),
    Rule(("VIEWER-UDP", "VIEWER-LOST", "VIEWER-TCP"), frozenset({Met.PAGE}),
         "The browser finds it out; where no packet comes through, or the server is out of reach, it says nothing."),
    Rule(("VIEWER-SLOW",), frozenset(),
         "A player that does not read cannot be told: its connection ends, and the server's log says why."),
    Rule(("WEB-", "VIEWER-MICROPHONE", "REACH-MIXED", "REACH-CORS", "REACH-POLICY", "REACH-OFFLINE",
          "REACH-PORT", "REACH-SELF", "REACH-DROPPED", "REACH-CLOSED"), BROWSERS | {Met.ROOM_SOCKET},
         "Only a browser has these limits, or can only guess where a program knows."),
    Rule(("VIEWER-",), frozenset({Met.PAGE, Met.API}), "Viewers are browsers and players of the server."),
    Rule(("OIDC-",), frozenset({Met.PAGE, Met.API}), "Only a person with a browser logs in through another service."),
    Rule(("FILE-READ",), frozenset({Met.COMMAND}), "Only `ringlight talk` reads a file of sound."),
    Rule(("FILE-GONE", "FILE-BUSY"), frozenset({Met.PAGE, Met.API}),
         "Only the server keeps recordings by name, and limits how many run; a command records into the file that it "
         "is given."),
    Rule(("FILE-",), frozenset({Met.PAGE, Met.API, Met.COMMAND}),
         "Whoever writes is told; the doctor opens no recording, and its own report is written by the command."),
    Rule(("PUBLISH-",), frozenset({Met.API, Met.COMMAND}),
         "The server publishes, and says how it fares by its API and to `ringlight status`; the page and the doctor "
         "do not speak of it."),
    Rule(("KEY-", "ORIGIN-", "REQUEST-", "SERVER-", "FAULT-", "AUDIT-", "CLOCK-"),
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
