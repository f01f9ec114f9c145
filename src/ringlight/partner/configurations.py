"""How a device is set up, which an app may only read. Pure; the facts are in partner-api.md#devices."""

from ringlight.partner.documents import Resource
from ringlight.partner.parts import UNSET, Maybe, Part

__all__ = [
    "Configurations",
    "ImageEnhancements",
    "MotionDetection",
    "SoundConfiguration",
    "SoundSlot",
    "Vertex",
    "VideoConfiguration",
    "Zone",
    "configurations_of",
]


class Vertex(Part, frozen=True, kw_only=True):
    """A corner, from 0 to 1 of the picture's width and height; 0, 0 is at the upper left."""

    x: float
    y: float


class Zone(Part, frozen=True, kw_only=True):
    """An area of the picture.

    Attributes:
        id: A UUID.
        vertices: Its corners in order.
    """

    id: Maybe[str] = UNSET
    vertices: Maybe[tuple[Vertex, ...]] = UNSET


class VideoConfiguration(Part, frozen=True, kw_only=True):
    """How video is recorded."""

    resolution_mode: Maybe[str] = UNSET


class MotionDetection(Part, frozen=True, kw_only=True):
    """Where motion is looked for.

    Attributes:
        enabled: `on` or `off`, as text.
        motion_zones: Only motion inside them makes a webhook.
    """

    enabled: Maybe[str] = UNSET
    motion_zones: Maybe[tuple[Zone, ...]] = UNSET


class ImageEnhancements(Part, frozen=True, kw_only=True):
    """What is done to the picture; all but the zones are `on` or `off`, as text."""

    color_night_vision: Maybe[str] = UNSET
    hdr: Maybe[str] = UNSET
    ir_led_night_vision: Maybe[str] = UNSET
    auto_zoom_track: Maybe[str] = UNSET
    snapshot: Maybe[str] = UNSET
    privacy_zones: Maybe[tuple[Zone, ...]] = UNSET


class SoundSlot(Part, frozen=True, kw_only=True):
    """A sound of the app on a chime.

    Attributes:
        event: By which the slot is named, such as `ring-appstore-event-1`.
        disabled: Whether it is silent.
        audio_ref: By which `chimes.play` names the sound.
        audio_url: Where the sound is.
        audio_name: What it is called.
    """

    event: Maybe[str] = UNSET
    disabled: Maybe[bool] = UNSET
    audio_ref: Maybe[str] = UNSET
    audio_url: Maybe[str] = UNSET
    audio_name: Maybe[str] = UNSET


class SoundConfiguration(Part, frozen=True, kw_only=True):
    """How a speaker is set up.

    Attributes:
        volume: 0 to 11 were seen.
        customizable_slots: The app's sounds; `None` for what is no chime.
    """

    volume: Maybe[int] = UNSET
    customizable_slots: Maybe[tuple[SoundSlot, ...]] = UNSET


class Configurations(Part, frozen=True, kw_only=True):
    """How a device is set up.

    Attributes:
        id: Of this document, opaque.
        video: How video is recorded.
        motion_detection: Where motion is looked for.
        image_enhancements: What is done to the picture.
        audio: Not documented for cameras; the live service sends it.
    """

    id: str = ""
    video: Maybe[VideoConfiguration] = UNSET
    motion_detection: Maybe[MotionDetection] = UNSET
    image_enhancements: Maybe[ImageEnhancements] = UNSET
    audio: Maybe[SoundConfiguration] = UNSET


def configurations_of(resource: Resource) -> Configurations:
    """Read one."""
    return Configurations.read(resource.attributes, id=resource.id)
