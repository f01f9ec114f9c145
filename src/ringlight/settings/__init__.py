"""Every option of Ringlight, declared once: default, unit and a sentence.

Read once at the start and passed down. Later sources win: `ringlight.toml`, the environment
(`RINGLIGHT_…`, `__` between levels), then options of the command line.
"""

from ringlight.settings.access import OidcSettings
from ringlight.settings.calls import PartnerSettings, ResilienceSettings
from ringlight.settings.cameras import (
    CameraSettings,
    LiveViewSettings,
    MediaSettings,
    MqttSettings,
    OneCamera,
    PlayerSettings,
    RecordingSettings,
    RtspSettings,
)
from ringlight.settings.logs import LogSettings
from ringlight.settings.retention import RetentionSettings
from ringlight.settings.rooms import Consentable, RoomSettings
from ringlight.settings.whole import ServerSettings, Settings, load_settings

__all__ = [
    "CameraSettings",
    "Consentable",
    "LiveViewSettings",
    "LogSettings",
    "MediaSettings",
    "MqttSettings",
    "OidcSettings",
    "OneCamera",
    "PartnerSettings",
    "PlayerSettings",
    "RecordingSettings",
    "ResilienceSettings",
    "RetentionSettings",
    "RoomSettings",
    "RtspSettings",
    "ServerSettings",
    "Settings",
    "load_settings",
]
