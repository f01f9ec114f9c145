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
        "CAM-VIDEO-OFF",
        "Video on demand is switched off",
        cause="The camera's settings say that video on demand is off.",
        fix="In Ring's app open the device's Video Settings and switch live view on.",
        retry=Retry.AFTER_FIX,
        http=403,
        source="derived-facts",
    ),
)
