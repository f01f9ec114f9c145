"""Which faults can meet whom: the rules by which a cell of the matrix makes no sense."""

from dataclasses import dataclass

from cells import Met

from ringlight.faults import FAULTS

BROWSERS = frozenset({Met.PAGE, Met.ROOM_PAGE})
ROOMS = frozenset({Met.ROOM_PAGE, Met.ROOM_SOCKET, Met.API, Met.DOCTOR})
SOCKETS = ROOMS - {Met.API}
OWN_CAMERAS = frozenset({Met.PAGE, Met.VIEW, Met.COMMAND, Met.API, Met.DOCTOR})
SDK = frozenset({Met.SYNC, Met.ASYNC, Met.COMMAND, Met.DOCTOR})
SERVED = frozenset({Met.API, Met.PAGE})
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
    Rule(("CAM-ELSEWHERE", "CAM-MOVED", "NODE-LEAVING"), frozenset({Met.PAGE, Met.API}),
         "Only servers share cameras: commands, the doctor and the live-view client open a view of their own, and hold "
         "no lease."),
    Rule(("NODE-ALONE",), frozenset({Met.PAGE, Met.API, Met.COMMAND, Met.DOCTOR}),
         "A server tells it of itself: on its page, by its API and to `ringlight status`; the doctor asks Redis."),
    Rule(("SIG-CLOSED",), OWN_CAMERAS - {Met.PAGE, Met.API},
         "The page and the server's events say that the view is closed: an end in good order is no fault of theirs."),
    Rule(("MEDIA-TCP", "SDP-DIRECTION"), OWN_CAMERAS - {Met.COMMAND},
         "Nobody has to do anything about it, so a command does not speak of it; the page notes it, and the doctor."),
    Rule(("MEDIA-NO-KEY-FRAME",), OWN_CAMERAS | {Met.ROOM_PAGE},
         "Whoever has a view and no picture; a room's client with a camera that is in the room asks the server why."),
    Rule(("SIG-", "TICKET-", "SDP-", "MEDIA-", "CAM-", "AUTH-", "ACCOUNT-", "RING-"), OWN_CAMERAS,
         "A person's own cameras have a page, a client, commands and routes; the Partner SDK and the rooms never speak "
         "to the services in question."),
    Rule(("LINK-CHECK-",), frozenset({Met.COMMAND}),
         "Only `ringlight partner link-check` walks through an app's linking."),
    Rule(("LINK-KEY", "LINK-DORMANT", "PARTNER-WRONG-TOKEN", "PARTNER-NO-DEVICES"), frozenset({Met.DOCTOR}),
         "Only the doctor looks for it. Everybody else meets what follows from it: a signature or a nonce that does "
         "not fit, webhooks that stay away, a token that is refused, an empty list."),
    Rule(("LINK-QUERY", "LINK-STALE", "LINK-NONCE", "LINK-PERSON", "LINK-STATE", "LINK-DENIED"), SERVED,
         "Judged where a browser comes to an app's pages of linking."),
    Rule(("LINK-TRIES",), frozenset({Met.API}), "Only Ring, or who pretends to be it, sends codes; no page does."),
    Rule(("LINK-CODE-EXPIRED",), SERVED | {Met.COMMAND},
         "Codes are exchanged by the server's addresses and by `ringlight partner token`."),
    Rule(("LINK-NONE",), SDK, "The server lists the accounts that have tokens, and asks for no other."),
    Rule(("PARTNER-NONCE", "PARTNER-TRANSITION"), SDK - {Met.COMMAND} | SERVED,
         "No command confirms or completes a link."),
    Rule(("PARTNER-NOT-LINKED",), SDK - {Met.COMMAND, Met.DOCTOR} | SERVED,
         "Neither commands nor the doctor ask for a link's state at Ring."),
    Rule(("PARTNER-ONE-WAY",), SDK - {Met.COMMAND, Met.DOCTOR}, "Only a program with the SDK ends a link at Ring."),
    Rule(("PARTNER-ARGUMENT",), SDK - {Met.DOCTOR},
         "The server judges what it is asked for before the SDK does, and the doctor asks for nothing that is wrong."),
    Rule(("PARTNER-VIEW-LIMIT",), SERVED, "Only the server keeps a view of a linked camera open for so long."),
    Rule(("PARTNER-VIEW-BUSY",), SDK - {Met.COMMAND} | SERVED, "No command opens a view of a linked camera."),
    Rule(("PARTNER-", "LINK-"), SDK | SERVED,
         "The Partner API is called by the SDK, and by the server and commands through it; a person's own live view "
         "and the rooms do not use it."),
    Rule(("CALL-CIRCUIT", "CALL-BUDGET"), SDK - {Met.COMMAND, Met.DOCTOR} | SERVED,
         "It takes calls that went wrong before: a command ends with the first, and the doctor makes each once."),
    Rule(("CALL-GATE",), SDK - {Met.DOCTOR} | SERVED, "The doctor makes a handful of calls, each without a line."),
    Rule(("CALL-",), SDK | SERVED,
         "Only the Partner SDK has a gate, a budget, a breaker and a total time; the server's linked cameras and the "
         "commands go by it."),
    Rule(("HOOK-LATE", "HOOK-LOST", "HOOK-FAILING", "HOOK-REDIRECT"), frozenset({Met.COMMAND, Met.DOCTOR}),
         "Told to who plays Ring towards a receiver: `ringlight partner webhook-send` and the doctor."),
    Rule(("HOOK-UNDELIVERED",), frozenset({Met.API}), "Told by the trial of the rooms' webhooks, which is an address."),
    Rule(("HOOK-",), SERVED | {Met.COMMAND},
         "Webhooks come to the server; people see what became of them on its page, by `ringlight status` and by "
         "`ringlight partner dead-letters`. The doctor sends deliveries, and sees what Ring would see."),
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
    Rule(("VIEWER-GONE", "VIEWER-RESTART", "VIEWER-STALE", "VIEWER-MATCH", "VIEWER-FRAGMENT", "VIEWER-BATTERY"),
         frozenset({Met.API}),
         "Told to players: the page keeps the rules of WHEP, opens anew where its playback has gone, and may "
         "wake a camera on battery."),
    Rule(("VIEWER-UDP", "VIEWER-LOST"), frozenset({Met.PAGE}),
         "The browser finds it out; where no packet comes through, or the server is out of reach, it says nothing."),
    Rule(("VIEWER-SLOW",), frozenset(),
         "A player that does not read cannot be told: its connection ends, and the server's log says why."),
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
    Rule(("ORIGIN-",), frozenset({Met.PAGE, Met.API, Met.COMMAND, Met.DOCTOR}),
         "Whoever asks a server from a page, or as one."),
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
