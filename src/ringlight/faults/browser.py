"""Faults of the browser: its devices, its line, and its way to another person's."""

from ringlight.faults.fault import Fault, Retry

ROWS = (
    Fault(
        "WEB-DENIED",
        "The browser gives neither camera nor microphone",
        cause="Camera or microphone were refused to this page, just now or at an earlier visit, or by the system.",
        fix="Click the sign beside the address, allow camera and microphone, and load the page again.",
        retry=Retry.AFTER_FIX,
        http=403,
    ),
    Fault(
        "WEB-NO-DEVICE",
        "No camera or microphone was found",
        cause="The browser finds no device of this kind.",
        fix="Plug one in, or switch it on; then try again. A call works with sound alone.",
        retry=Retry.AFTER_FIX,
        http=404,
    ),
    Fault(
        "WEB-DEVICE-BUSY",
        "Another program uses the camera",
        cause="The device is there, and could not be opened: usually another program or page has it.",
        fix="Close other programs that use the camera or microphone, then try again.",
        retry=Retry.AFTER_FIX,
        http=409,
    ),
    Fault(
        "WEB-QUIET",
        "The microphone hears nothing",
        cause="The microphone is open, and no sound comes from it: it is muted at the device or in the system, or "
        "another one is meant.",
        fix="Speak a word; switch the device's own mute off, or choose another microphone.",
        retry=Retry.AFTER_FIX,
        http=409,
    ),
    Fault(
        "WEB-THIN",
        "The line is thin",
        cause="Less gets through to the TURN server and back than a picture needs, or much is lost on the way.",
        fix="Move closer to the router, end downloads, or call with sound alone: that needs a tenth.",
        retry=Retry.BACKOFF,
        http=503,
    ),
    Fault(
        "WEB-INSECURE",
        "The page's address is not secure",
        cause="Browsers give camera and microphone to pages by https and on localhost only.",
        fix="Open the page by https, or on the server's own machine as http://localhost.",
        retry=Retry.AFTER_FIX,
        http=403,
    ),
    Fault(
        "WEB-NO-PATH",
        "The two browsers find no way to each other",
        cause="Signaling works, but no pair of addresses lets sound and pictures through: networks block UDP, and no "
        "TURN server is set or reached.",
        fix="Set RINGLIGHT_TURN_URL and RINGLIGHT_TURN_SECRET to a coturn that both reach, best with `turns:` on port "
        "443.",
        retry=Retry.BACKOFF,
        http=504,
    ),
    Fault(
        "WEB-PATH-LOST",
        "The connection to the other person is interrupted",
        cause="Sound and pictures came until a moment ago. The network of one of the two is down, or has changed.",
        fix="Wait: another way is looked for all the time, and the call goes on by itself. Whoever has no network "
        "should look at their Wi-Fi or cable.",
        retry=Retry.NOW,
        http=504,
    ),
    Fault(
        "WEB-SLOW",
        "The line is too slow for video",
        cause="What the browser measured to the server and back is less than a picture of a camera needs.",
        fix="Move nearer to the Wi-Fi or use a cable, and end downloads; then try again.",
        retry=Retry.BACKOFF,
        http=504,
    ),
    Fault(
        "WEB-CLOSED-EARLY",
        "The page closed its own socket",
        cause="The page closed the WebSocket before it was open, or left while it was opening: a component that was "
        "taken away (React runs effects twice in development), or a reload. The server did nothing wrong.",
        fix="Close the socket only after `onopen`, or ignore the first of the two; look whether a second one opens.",
        retry=Retry.NOW,
        http=400,
    ),
)
