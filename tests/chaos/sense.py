"""Which faults can meet whom: the rules by which a cell of the matrix makes no sense."""

from dataclasses import dataclass

from cells import Met

from ringlight.faults import FAULTS

BROWSERS = frozenset({Met.PAGE, Met.ROOM_PAGE})
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
    Rule(("WEB-CLOSED-EARLY",), frozenset({Met.COMMAND}),
         "No page of ours closes its own socket; `ringlight explain` names it in what the browser of another page "
         "wrote."),
    Rule(("WEB-DENIED", "WEB-NO-DEVICE", "WEB-INSECURE", "VIEWER-NO-WEBRTC"), BROWSERS | {Met.COMMAND},
         "Limits of a browser: pages meet them, and `ringlight explain` names them in what a browser wrote. The "
         "doctor on the command line looks into no browser; what the page's own finds counts to the page."),
    Rule(("VIEWER-MICROPHONE", "VIEWER-NO-FRAME"), BROWSERS,
         "A browser's answer to whoever wants to talk to a camera, or to see it."),
    Rule(("WEB-QUIET", "WEB-THIN", "WEB-DEVICE-BUSY", "WEB-NO-PATH", "WEB-PATH-LOST"), frozenset({Met.ROOM_PAGE}),
         "Of calls between browsers, and of the checks before one. The page of cameras opens no camera, knows no other "
         "browser, and says `VIEWER-…` of its own way and microphone."),
    Rule(("WEB-SLOW", "VIEWER-TCP"), frozenset({Met.PAGE}),
         "Measured by \"What is wrong?\" of the page alone, from its browser to the server."),
    Rule(("REACH-OFFLINE", "REACH-PORT", "REACH-SELF", "REACH-DROPPED"), frozenset({Met.ROOM_PAGE}),
         "What a page can only guess of its socket: a program is told more, and says `REACH-REFUSED`, `REACH-CUT` and "
         "so on. The page of cameras speaks to the server that it came from, and says `SERVER-GONE`."),
    Rule(("REACH-CLOSED",), frozenset({Met.ROOM_PAGE, Met.DOCTOR}), "Of sockets, and who opens them without words."),
    Rule(("REACH-POLICY",), frozenset({Met.ROOM_PAGE, Met.COMMAND}),
         "Only a browser keeps a page from its server; `ringlight explain` names it in what that wrote. The page of "
         "cameras has a policy that lets it reach its own server, the only one that it asks."),
    Rule(("REACH-PROXY",), BROWSERS | {Met.ROOM_SOCKET, Met.API, Met.COMMAND, Met.DOCTOR},
         "Whoever opens a socket, or is asked for one; the server says so in its answer (426)."),
    Rule(("REACH-CUT",), frozenset({Met.PAGE, Met.DOCTOR}),
         "Looked at by the doctor and by \"What is wrong?\"; a room's page tries again, and says `REACH-DROPPED`."),
    Rule(("REACH-MIXED", "REACH-CORS", "REACH-OTHER", "REACH-URL", "REACH-FIREWALL"),
         frozenset({Met.ROOM_PAGE, Met.COMMAND, Met.DOCTOR}),
         "Of an address that somebody gave: to a room's page, to a command, to the doctor. The page of cameras has the "
         "one that it came from."),
    Rule(("REACH-REFUSED", "REACH-SCHEME", "REACH-CERT", "REACH-SANDBOX"), frozenset({Met.COMMAND, Met.DOCTOR}),
         "Programs are told this, and `ringlight explain` reads it. A page is told nothing, and says `REACH-PORT`."),
    Rule(("REACH-LOOPBACK", "REACH-CLOCK", "REACH-NAT"), frozenset({Met.DOCTOR}),
         "Found by looking at more than one's own connection: at listeners, at two clocks, at two STUN servers."),
    Rule(("TURN-RELAY",), frozenset({Met.ROOM_PAGE, Met.DOCTOR}),
         "Seen by whoever sends something through the TURN server; \"What is wrong?\" of the page asks only for an "
         "address there."),
    Rule(("TURN-UNREACHABLE",), frozenset({Met.PAGE, Met.ROOM_PAGE, Met.DOCTOR}),
         "Seen by whoever asks the TURN server for something."),
    Rule(("TURN-",), frozenset({Met.PAGE, Met.ROOM_PAGE, Met.COMMAND, Met.DOCTOR}),
         "Seen by whoever asks the TURN server for something, and by `ringlight explain` in that one's log."),
    Rule(("VIEWER-",), frozenset({Met.PAGE, Met.API}), "Viewers are browsers and players of the server."),
    Rule(("OIDC-",), frozenset({Met.PAGE, Met.API}), "Only a person with a browser logs in through another service."),
    Rule(("KEY-", "ORIGIN-", "REQUEST-", "SERVER-", "FAULT-", "PUBLISH-", "FILE-", "AUDIT-", "NODE-", "CLOCK-"),
         frozenset({Met.PAGE, Met.API, Met.COMMAND, Met.DOCTOR}), "These are of the server and of the commands."),
    Rule(("CFG-", "STORE-", "MQTT-"), frozenset({Met.COMMAND, Met.API, Met.DOCTOR, Met.SYNC, Met.ASYNC}),
         "Settings, stores and brokers belong to programs; a browser has none."),
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
