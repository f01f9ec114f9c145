"""The conversations about one camera: light, siren, a fresh still picture, history, recordings. Pure."""

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from ringlight.account import endpoints
from ringlight.account.answers import read
from ringlight.account.devices import Device, Online, Power
from ringlight.account.events import CameraEvent, parse_events
from ringlight.account.flows import api_request, ask, is_plain
from ringlight.errors import RingError, fault_error
from ringlight.http.address import hostname_of
from ringlight.http.flow import Flow, Request, Response, unreadable
from ringlight.resilience.retry_after import http_date
from ringlight.secrets import Secret

__all__ = [
    "MOST_EVENTS",
    "SIREN_LONGEST",
    "events",
    "fetch_recording",
    "fresh_snapshot",
    "recording_request",
    "recording_url",
    "set_light",
    "set_siren",
]

SIREN_LONGEST = 120  # seconds; python-ring-doorbell sends no more (observed-protocol.md#hosts)
MOST_EVENTS = 100  # in one answer; more is asked for by nobody
RECORDING_LIMIT = 256 * 1024 * 1024  # bytes; a minute in the best quality has some ten MiB
RECORDING_TIMEOUT = 300.0  # seconds
_JPEG = b"\xff\xd8\xff"


class _UrlAnswer(msgspec.Struct):
    url: Secret


def set_light(access: Secret, hardware_id: str, device: Device, *, on: bool) -> Flow[None]:
    """Switch the light of a camera.

    Raises:
        CameraError: CAM-UNABLE, it has none; CAM-GONE.
    """
    if not device.has_light:
        raise fault_error("CAM-UNABLE", f"{device.name} has no light")
    yield from _put(access, hardware_id, device, f"floodlight_light_{'on' if on else 'off'}")


def set_siren(access: Secret, hardware_id: str, device: Device, *, on: bool, seconds: int) -> Flow[None]:
    """Sound or silence the siren of a camera.

    Args:
        access: The access token.
        hardware_id: This installation's id.
        device: The camera.
        on: Whether it is to sound.
        seconds: For how long, 1 to 120; it then ends by itself.

    Raises:
        UsageError: REQUEST-INVALID, `seconds` is out of range.
        CameraError: CAM-UNABLE, it has none; CAM-GONE.
    """
    if not device.has_siren:
        raise fault_error("CAM-UNABLE", f"{device.name} has no siren")
    if not 1 <= seconds <= SIREN_LONGEST:
        raise fault_error("REQUEST-INVALID", f"a siren sounds for 1 to {SIREN_LONGEST} seconds, not {seconds}")
    yield from _put(access, hardware_id, device, f"siren_on?duration={seconds}" if on else "siren_off")


def fresh_snapshot(
    access: Secret, hardware_id: str, device: Device, *, after: float, within: float, streaming: bool
) -> Flow[bytes]:
    """Have the camera take a picture now; return it as JPEG.

    Args:
        access: The access token.
        hardware_id: This installation's id.
        device: The camera.
        after: How old the picture may be at most, as a time in seconds since the epoch.
        within: Seconds that Ring may wait for the camera.
        streaming: Whether a live view of it is open, in which a camera on battery takes none.

    Raises:
        CameraError: CAM-SNAPSHOT, it cannot or did not take one; CAM-OFFLINE, CAM-PRIVACY.
    """
    refused = _no_picture(device, streaming=streaming)
    if refused is not None:
        raise refused
    query = {"extras": "force", "after-ms": int(after * 1000), "max-wait-ms": int(within * 1000)}
    request = Request(
        "GET",
        f"{endpoints.SNAPSHOTS}/{device.id}?{urlencode(query)}",
        headers={"hardware_id": hardware_id, "Accept": "image/jpeg"},
        at="device",
        bearer=access,
        timeout=within + 10.0,
    )
    try:
        response = yield from ask(request)
    except RingError as error:
        if error.code in ("CAM-GONE", "NET-TIMEOUT"):
            raise fault_error("CAM-SNAPSHOT", error.detail) from None
        raise
    if not response.body.startswith(_JPEG):
        kind = response.headers.get("content-type", "no type").partition(";")[0][:40]
        raise fault_error("CAM-SNAPSHOT", f"HTTP {response.status}, {len(response.body)} bytes, {kind}")
    return response.body


def events(
    access: Secret, hardware_id: str, device: Device, *, limit: int, before: str | None = None
) -> Flow[list[CameraEvent]]:
    """List what a camera has seen, newest first.

    Args:
        access: The access token.
        hardware_id: This installation's id.
        device: The camera.
        limit: How many at most, up to 100.
        before: Only what came before the event of this id; `None` begins with the newest.

    Raises:
        CameraError: CAM-GONE.
    """
    count = min(max(limit, 1), MOST_EVENTS)
    query = {"limit": str(count), **({"older_than": before} if before is not None else {})}
    request = _about(device, f"history?{urlencode(query)}", access, hardware_id)
    response = yield from ask(request)
    return parse_events(_json(request, response), device.id, http_date(response.headers.get("date")))[:count]


def recording_url(access: Secret, hardware_id: str, event: CameraEvent) -> Flow[Secret]:
    """Return the address of an event's recording, a secret: who has it can watch for about 15 minutes.

    Raises:
        CameraError: CAM-RECORDING, there is none.
    """
    url = f"{endpoints.EVENTS}/{event.id}/share/play?disable_redirect=true"
    request = api_request("GET", url, access, hardware_id, at="device")
    try:
        response = yield from ask(request)
    except RingError as error:
        if error.code == "CAM-GONE":
            raise fault_error("CAM-RECORDING", error.detail) from None
        raise
    found = read(request, response, _UrlAnswer).url
    is_web = found.reveal().lower().startswith(("https://", "http://"))
    if not (is_web and is_plain(found) and hostname_of(found.reveal())):
        raise unreadable(request.at, "the address of the recording is none")
    return found


def recording_request(url: Secret, *, timeout: float, headers: Mapping[str, str] | None = None) -> Request:
    """Make the request to the storage behind a recording's address: with neither token nor id.

    Args:
        url: As `recording_url` returned it.
        timeout: Seconds for the exchange; where the answer is streamed, for each piece of it.
        headers: Further header fields, such as `Range`.
    """
    # Never compressed: a range counts the bytes that are sent (RFC 9110 section 14.1.2), we count those of the file.
    fields = {"Accept": "*/*", "Accept-Encoding": "identity", **(headers or {})}
    return Request(
        "GET", url.reveal(), headers=fields, at="storage", limit=RECORDING_LIMIT, timeout=timeout, foreign=True
    )


def fetch_recording(access: Secret, hardware_id: str, event: CameraEvent) -> Flow[bytes]:
    """Fetch an event's recording, an MP4 file. The storage behind the address gets neither token nor id.

    Raises:
        CameraError: CAM-RECORDING, there is none, or its address is no longer good.
    """
    url = yield from recording_url(access, hardware_id, event)
    response = yield recording_request(url, timeout=RECORDING_TIMEOUT)
    if not 200 <= response.status < 300:
        raise fault_error("CAM-RECORDING", f"HTTP {response.status} from the storage")
    return response.body


def _no_picture(device: Device, *, streaming: bool) -> RingError | None:
    """Say why the camera takes no picture now (observed-protocol.md#derived-facts)."""
    if device.state is Online.OFFLINE:
        return fault_error("CAM-OFFLINE")
    if device.refusal == "CAM-PRIVACY":
        return fault_error("CAM-PRIVACY")
    settings = device.raw.get("settings")
    if isinstance(settings, dict) and settings.get("motion_detection_enabled") is False:
        return fault_error("CAM-SNAPSHOT", "motion detection is switched off")
    if streaming and device.power is Power.BATTERY:
        return fault_error("CAM-SNAPSHOT", "a camera on battery takes none while it streams")
    return None


def _about(device: Device, what: str, access: Secret, hardware_id: str) -> Request:
    return api_request("GET", f"{endpoints.DOORBOTS}/{device.id}/{what}", access, hardware_id, at="device")


def _put(access: Secret, hardware_id: str, device: Device, what: str) -> Flow[None]:
    yield from ask(api_request("PUT", f"{endpoints.DOORBOTS}/{device.id}/{what}", access, hardware_id, at="device"))


def _json(request: Request, response: Response) -> object:
    try:
        return response.json()
    except ValueError:
        raise unreadable(request.at, f"HTTP {response.status}: no JSON") from None
