"""Faults of publishing a camera to another media server (WHIP)."""

from ringlight.faults.fault import Fault, Retry

ROWS = (
    Fault(
        "PUBLISH-TOKEN",
        "The media server takes no token of ours",
        cause="The media server that the camera is published to wants a token, or refuses the one that it was sent.",
        fix="Set `publish_token` of this camera to a token that may publish there.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "PUBLISH-GONE",
        "Nobody takes the camera at this address",
        cause="The media server says that there is nothing at the address that the camera is published to.",
        fix="Compare `publish` of this camera with the address that the media server names for WHIP.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "PUBLISH-REFUSED",
        "The media server refuses the camera",
        cause="The media server refused the offer, or led to another address that may not be followed.",
        fix="Look into the media server's log: whether it takes WHIP, and H.264 by it.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "PUBLISH-BUSY",
        "The media server cannot take the camera now",
        cause="The media server is overloaded, is being restarted, or has this stream already.",
        fix="Wait: Ringlight tries again by itself, after as long as the server asks for.",
        retry=Retry.BACKOFF,
        http=502,
    ),
    Fault(
        "PUBLISH-ANSWER",
        "The media server's answer cannot be used",
        cause="The media server answered the offer with something that is no session description, takes no video of "
        "ours, or lacks the address of the session.",
        fix="Check that `publish` names a WHIP address, and that the media server takes H.264.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "PUBLISH-PATH",
        "No path for video to the media server",
        cause="The media server took the offer, but no encrypted channel came about between here and there.",
        fix="Allow UDP to the media server's ports, and check which address it announces; a server behind a "
        "router needs the address outside.",
        retry=Retry.BACKOFF,
        http=504,
    ),
    Fault(
        "PUBLISH-LOST",
        "The media server is gone",
        cause="The camera was published, then the media server said goodbye or fell silent.",
        fix="Check that the media server runs; Ringlight comes back to it by itself.",
        retry=Retry.BACKOFF,
        http=504,
    ),
    Fault(
        "PUBLISH-BATTERY",
        "A camera on battery is not published",
        cause="Publishing keeps the live view open all the time, which empties a battery within hours.",
        fix="Set `publish_on_battery = true` for this camera if that is what you want.",
        retry=Retry.AFTER_FIX,
        http=409,
    ),
)
