"""Faults of Ringlight itself: settings, ports, folders, requests to our own server."""

from ringlight.faults.fault import Fault, Retry, Seen

ROWS = (
    Fault(
        "CFG-INVALID",
        "A setting is not valid",
        cause="A setting has a value that cannot be used.",
        fix="Correct it in the file or the environment variable that is named; ringlight.toml if none is.",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "CFG-STATE-DIR",
        "The state directory cannot be used",
        cause="Ringlight keeps tokens in its state directory and cannot read or write there.",
        fix="Make it writable, or set RINGLIGHT_STATE_DIR to a directory of your own.",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "CFG-PORT",
        "The port is taken",
        cause="Another program already listens on this port.",
        fix="Stop that program, or choose another port with `--port` (0 picks a free one).",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "CFG-SECRET-KEY",
        "A secret key is needed",
        cause="On an address other than loopback anybody in the network could watch, so Ringlight refuses to "
        "start there without a secret.",
        fix="Set RINGLIGHT_SECRET_KEY to a long random text, or listen on 127.0.0.1.",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "KEY-NEEDED",
        "A key is needed",
        cause="This server is reachable from other machines, so every request needs a key, and what came was none "
        "that it knows.",
        fix="Log in at /login, or send `Authorization: Bearer KEY` with a key of `ringlight key add`, or the value of "
        "RINGLIGHT_SECRET_KEY.",
        retry=Retry.AFTER_FIX,
        http=401,
    ),
    Fault(
        "KEY-SCOPE",
        "The key is not for this",
        cause="The key is right, and what was asked for needs a scope that it does not have: `view`, `talk`, "
        "`control`, `rooms` or `admin`.",
        fix="Use another key, or make one with that scope: `ringlight key add NAME --scope SCOPE`.",
        retry=Retry.AFTER_FIX,
        http=403,
    ),
    Fault(
        "KEY-CAMERA",
        "The key is for other cameras",
        cause="The key or link is limited to some cameras, and this is not one of them, or is about all of them.",
        fix="Use a key without that limit, or make one with `--camera ID`, by the camera's id in addresses.",
        retry=Retry.AFTER_FIX,
        http=403,
    ),
    Fault(
        "ORIGIN-REFUSED",
        "This web page may not use the server",
        cause="The request came from a web page of another origin that is not allowed here.",
        fix="Add the origin to RINGLIGHT_ALLOWED_ORIGINS, or open the page from this server.",
        retry=Retry.AFTER_FIX,
        http=403,
    ),
    Fault(
        "REQUEST-INVALID",
        "The request cannot be understood",
        cause="The request has the wrong form; the detail says where.",
        fix="Compare it with the API documentation at /docs.",
        retry=Retry.AFTER_FIX,
        http=400,
    ),
    Fault(
        "REQUEST-METHOD",
        "This address does not take this method",
        cause="The request used a method that this address has no use for; `Allow` in the answer lists those it has.",
        fix="Compare it with the API documentation at /docs.",
        retry=Retry.NEVER,
        http=405,
    ),
    Fault(
        "REQUEST-TYPE",
        "This address does not take this kind of content",
        cause="The Content-Type of the request is missing, or another than the one that is taken here.",
        fix="Send the type that `Accept-Post` or `Accept-Patch` in the answer names.",
        retry=Retry.AFTER_FIX,
        http=415,
    ),
    Fault(
        "REQUEST-LOOP",
        "The client belongs to another event loop",
        cause="An asynchronous client was used in one event loop, and then in a second one. Its connections and "
        "waiting calls live in the first.",
        fix="Make a client for each event loop, inside of it; or use the synchronous client, which threads may share.",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "FAULT-UNKNOWN",
        "No such fault",
        cause="The catalogue has no row for this code or text.",
        fix="Look through the list with `ringlight explain` or at /faults.",
        retry=Retry.NEVER,
        http=404,
    ),
    Fault(
        "SERVER-GONE",
        "The Ringlight server does not answer",
        cause="The Ringlight server gave no answer that can be used. It may have stopped.",
        fix="Start it again with `make demo` or `ringlight serve`; an open page comes back by itself.",
        retry=Retry.AFTER_FIX,
        http=503,
    ),
    Fault(
        "SERVER-ERROR",
        "Something unexpected went wrong here",
        cause="Ringlight met a situation that it does not know; the server's log has the details.",
        fix="Try again, and report the log lines with the time.",
        retry=Retry.BACKOFF,
        http=500,
        seen=(Seen("websocket", 1011),),
    ),
)
