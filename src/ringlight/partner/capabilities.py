"""What a device can do. Pure; the facts are in partner-api.md#devices.

On the live service what a device cannot do is `null`; what is absent nobody has said anything about.
"""

from collections.abc import Mapping

from ringlight.partner.documents import Resource
from ringlight.partner.parts import UNSET, Maybe, Part, plain

__all__ = ["Capabilities", "Component", "Components", "Feature", "SoundFeature", "VideoFeature", "capabilities_of"]

_BATTERY, _MAINS = 30.0, 60.0  # seconds
_PLAY = "chime.play"


class Feature(Part, frozen=True, kw_only=True):
    """Something that can be configured.

    Attributes:
        configurations: The names of what can be.
        supported: Of those that are there or not, such as a battery.
    """

    configurations: Maybe[tuple[str, ...]] = UNSET
    supported: Maybe[bool] = UNSET


class VideoFeature(Feature, frozen=True, kw_only=True):
    """What a device's video is like.

    Attributes:
        codecs: `AVC` and `HEVC` are known.
        ratio: Such as `16:9`.
        max_resolution: Lines.
        supported_resolutions: Lines.
    """

    codecs: Maybe[tuple[str, ...]] = UNSET
    ratio: Maybe[str] = UNSET
    max_resolution: Maybe[int] = UNSET
    supported_resolutions: Maybe[tuple[int, ...]] = UNSET


class SoundFeature(Feature, frozen=True, kw_only=True):
    """What a device's speaker can be told.

    Attributes:
        customizable_slots: How many sounds an app may have on it.
        supported_actions: `chime.play` is known.
    """

    customizable_slots: Maybe[int] = UNSET
    supported_actions: Maybe[tuple[str, ...]] = UNSET


class Component(Part, frozen=True, kw_only=True):
    """One camera of several in a device.

    Attributes:
        component_id: By which requests name it.
        video: What its video is like.
    """

    component_id: Maybe[str] = UNSET
    video: Maybe[VideoFeature] = UNSET


class Components(Part, frozen=True, kw_only=True):
    """The cameras of a device that has several."""

    items: Maybe[tuple[Component, ...]] = UNSET


class Capabilities(Part, frozen=True, kw_only=True):
    """What a device can do. It rarely changes.

    Attributes:
        id: Of this document, opaque.
        video: `None` for what has no camera.
        motion_detection: Whether motion is looked for, and what of that can be configured.
        image_enhancements: Night vision, privacy zones and their like.
        audio: Of chimes above all.
        battery_status: Not null only where there is a battery, as far as is known.
        components: Of a device with several cameras.
        contact_detection: Of sensors, as those that follow.
        flood_detection: As above.
        freeze_detection: As above.
        tamper_detection: As above.
        glass_break_detection: As above.
        smoke_detection: As above.
        co_detection_listener: As above.
    """

    id: str = ""
    video: Maybe[VideoFeature] = UNSET
    motion_detection: Maybe[Feature] = UNSET
    image_enhancements: Maybe[Feature] = UNSET
    audio: Maybe[SoundFeature] = UNSET
    battery_status: Maybe[Feature] = UNSET
    components: Maybe[Components] = UNSET
    contact_detection: Maybe[Mapping[str, object]] = UNSET
    flood_detection: Maybe[Mapping[str, object]] = UNSET
    freeze_detection: Maybe[Mapping[str, object]] = UNSET
    tamper_detection: Maybe[Mapping[str, object]] = UNSET
    glass_break_detection: Maybe[Mapping[str, object]] = UNSET
    smoke_detection: Maybe[Mapping[str, object]] = UNSET
    co_detection_listener: Maybe[Mapping[str, object]] = UNSET

    @property
    def plays_sounds(self) -> bool:
        """Whether it can be told to play one of the app's sounds."""
        audio = plain(self.audio)
        return audio is not None and _PLAY in (plain(audio.supported_actions) or ())

    @property
    def live_view_seconds(self) -> float:
        """After how long Ring ends a live view at the latest: 30 s on a battery, else 60.

        Nothing says for certain what a device runs on, so a view may end earlier.
        """
        battery = plain(self.battery_status)
        return _MAINS if battery is None or battery.supported is False else _BATTERY


def capabilities_of(resource: Resource) -> Capabilities:
    """Read one."""
    return Capabilities.read(resource.attributes, id=resource.id)
