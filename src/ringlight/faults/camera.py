"""Faults of a camera itself: not there, offline, or not allowed to show anything."""

from ringlight.faults.fault import Fault, Retry, Seen

ROWS = (
    Fault(
        "CAM-UNKNOWN",
        "No such camera",
        cause="No camera of this account has that name or id.",
        fix="Run `ringlight devices` to see the names. A shared camera appears only after the invitation was accepted.",
        retry=Retry.AFTER_FIX,
        http=404,
        source="devices",
    ),
    Fault(
        "CAM-GONE",
        "The camera is no longer in this account",
        cause="Ring answers 404 for this device: it was removed, moved to another account, or sharing ended.",
        fix="Look in Ring's app whether the camera is still there, then run `ringlight devices`.",
        retry=Retry.AFTER_FIX,
        http=404,
        seen=(Seen("device", 404), Seen("clients_api", 404)),
        source="http-statuses",
    ),
    Fault(
        "CAM-OFFLINE",
        "The camera is offline",
        cause="Ring has lost touch with the camera: no power, an empty battery, or no Wi-Fi.",
        fix="Check its power or charge the battery, then the Wi-Fi signal at the camera (Device Health in "
        "Ring's app). Ringlight shows it again by itself when it is back.",
        retry=Retry.AFTER_FIX,
        http=503,
        source="derived-facts",
    ),
    Fault(
        "CAM-DISABLED",
        "Live view is switched off",
        cause="Live view is disabled for this camera, usually by the location's current Mode.",
        fix="In Ring's app open Modes and choose one that allows live view, or change what this Mode does.",
        retry=Retry.AFTER_FIX,
        http=403,
        source="derived-facts",
    ),
    Fault(
        "CAM-PRIVACY",
        "The privacy cover is closed",
        cause="The camera's physical privacy cover is closed, so it shows and hears nothing.",
        fix="Turn the cover away from the lens.",
        retry=Retry.AFTER_FIX,
        http=403,
        source="derived-facts",
    ),
    Fault(
        "CAM-NO-PTZ",
        "This camera cannot turn",
        cause="Nothing that Ring says of this camera shows that it can pan or tilt.",
        fix="Choose a camera with pan and tilt; `ringlight devices` lists them all.",
        retry=Retry.NEVER,
        http=409,
        source="derived-facts",
    ),
    Fault(
        "CAM-COMMAND",
        "The camera did not do what it was told",
        cause="The command went out, but the camera refused it or did not answer.",
        fix="Try again while the live view runs. If it stays, restart the camera.",
        retry=Retry.BACKOFF,
        http=502,
        source="messages",
    ),
    Fault(
        "CAM-VIDEO-OFF",
        "Video on demand is switched off",
        cause="The camera's settings say that video on demand is off.",
        fix="In Ring's app open the device's Video Settings and switch live view on.",
        retry=Retry.AFTER_FIX,
        http=403,
        source="derived-facts",
    ),
    Fault(
        "CAM-UNABLE",
        "The camera has nothing of the kind",
        cause="This camera has no light or no siren, so there is nothing to switch.",
        fix="Choose a camera that has one: `ringlight devices --json` tells what each can do.",
        retry=Retry.AFTER_FIX,
        http=409,
        source="derived-facts",
    ),
    Fault(
        "CAM-SNAPSHOT",
        "The camera took no picture",
        cause="Ring sent no fresh picture. A camera takes none while its motion detection is off, and one on "
        "battery takes none while it streams.",
        fix="Switch motion detection on in Ring's app, and end the live view of a camera on battery; or take "
        "the picture from a live view with `ringlight snapshot`.",
        retry=Retry.BACKOFF,
        http=503,
        source="devices",
    ),
    Fault(
        "CAM-RECORDING",
        "There is no recording of this event",
        cause="Ring has no recording of this event: the account has no subscription, the event is too old, "
        "or the recording is still being made.",
        fix="Wait a minute if the event is new. Recordings need a Ring subscription; Ringlight can record a "
        "live view without one, with `ringlight record`.",
        retry=Retry.BACKOFF,
        http=404,
        source="devices",
    ),
)
