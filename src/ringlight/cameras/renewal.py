"""Whether a camera's view may go on beyond Ring's time limit: what its owner has set, read for one camera."""

from ringlight.account import Power
from ringlight.cameras.shared_view import Policy
from ringlight.settings import CameraSettings

__all__ = ["renewal_policy"]


def renewal_policy(settings: CameraSettings, identifier: str, power: Power) -> Policy:
    """Return what `cameras.renewal` and `renewal_of` come to for a camera.

    Every minute costs a battery charge, so with `auto` its owner is asked, unless it is published on battery.
    """
    chosen = settings.renewal_of.get(identifier, settings.renewal)
    if chosen == "auto":
        single = settings.single.get(identifier)
        agreed = single is not None and single.publish is not None and single.publish_on_battery
        return "while-watched" if power is Power.WIRED or agreed else "ask"
    return chosen
