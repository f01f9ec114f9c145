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
    Rule(("KEY-NAME",), frozenset({Met.COMMAND}), "`ringlight key` alone knows keys by their names."),
    Rule(("KEY-LINK-UNKNOWN",), frozenset({Met.COMMAND, Met.API}), "Links are taken back by the API and by a command."),
    Rule(("KEY-REVOKED", "KEY-SESSION", "KEY-LINK"), frozenset({Met.PAGE, Met.API}),
         "Sessions and links to cameras are a browser's; a key that was taken back is to a program one that is not "
         "known."),
    Rule(("KEY-NEEDED",), frozenset({Met.PAGE, Met.API, Met.COMMAND, Met.DOCTOR}),
         "Whoever comes to a server that others reach."),
    Rule(("KEY-",), frozenset({Met.PAGE, Met.API, Met.COMMAND}),
         "Whoever shows a key; the doctor shows the settings' own, and takes a server that refuses it for ours."),
    Rule(("REQUEST-LOOP",), frozenset({Met.ASYNC}), "Only the asynchronous client belongs to an event loop."),
    Rule(("REQUEST-METHOD", "REQUEST-TYPE"), frozenset({Met.API}),
         "Our page and commands ask as the server of the same version wants it; others may not."),
    Rule(("REQUEST-INVALID",), frozenset({Met.API, Met.COMMAND}),
         "The page asks in the right form by itself; of what the doctor is asked in a wrong one, its command or the "
         "API tells."),
    Rule(("SERVER-GONE",), frozenset({Met.PAGE, Met.COMMAND}),
         "A server that is gone says nothing; the doctor names why its address does not answer."),
    Rule(("SERVER-ERROR", "FAULT-"), frozenset({Met.PAGE, Met.API, Met.COMMAND}),
         "What a server says for itself, and who asks it; the doctor asks for no fault by name."),
    Rule(("CLOCK-",), frozenset({Met.PAGE, Met.API, Met.COMMAND}),
         "A server that runs notices it; the doctor looks once, and compares with another clock: `REACH-CLOCK`."),
    Rule(("AUDIT-",), frozenset({Met.API, Met.COMMAND}),
         "`ringlight audit verify` and the server's own look find it; its owner is told, not who watches."),
    Rule(("ORIGIN-", "PUBLISH-", "FILE-", "NODE-"),
         frozenset({Met.PAGE, Met.API, Met.COMMAND, Met.DOCTOR}), "These are of the server and of the commands."),
    Rule(("MQTT-",), frozenset({Met.PAGE, Met.API, Met.COMMAND, Met.DOCTOR}),
         "The server speaks to the broker, and tells its page and `ringlight status`; the SDK knows none."),
    Rule(("STORE-CLOCK",), frozenset({Met.API, Met.COMMAND}),
         "The server removes what is old, and tells its owner; a doctor that looks once sees no jump."),
    Rule(("STORE-COPY", "STORE-IN-USE"), frozenset({Met.COMMAND}), "Only `ringlight restore` puts a copy back."),
    Rule(("CFG-RESTART",), frozenset({Met.API, Met.COMMAND}), "Only a server that runs reads its settings anew."),
    Rule(("CFG-PORT", "CFG-SECRET-KEY"), frozenset({Met.COMMAND, Met.DOCTOR}),
         "With these a server does not start; the SDK listens nowhere."),
    Rule(("CFG-SECRETS-KEY",), frozenset({Met.SYNC, Met.ASYNC, Met.COMMAND, Met.DOCTOR}),
         "A server does not start so; whatever else opens what is sealed says it."),
    Rule(("CFG-DEPENDENCY",), frozenset({Met.API, Met.COMMAND, Met.DOCTOR}),
         "The SDK names the store whose package is missing: `STORE-ADDRESS`."),
    Rule(("CFG-", "STORE-"), frozenset({Met.COMMAND, Met.API, Met.DOCTOR, Met.SYNC, Met.ASYNC}),
         "Settings and stores belong to programs; a browser has none."),
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
