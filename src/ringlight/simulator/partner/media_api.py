"""Clips and stills: the calls that ask for them, and the storage that gives them out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from ringlight.simulator.expiring import Expiring
from ringlight.simulator.footage import film, picture
from ringlight.simulator.partner.footage import Found, find_clip, find_still
from ringlight.simulator.partner.front import API_HOST, DOWNLOAD, STORAGE_HOST, call_of
from ringlight.simulator.partner.gate import Caller, body_of, enter_device, refusals
from ringlight.simulator.partner.media_requests import Complaint, StillRequest, asked_time, parse_clip, parse_still
from ringlight.simulator.partner.premises import PartnerDevice
from ringlight.simulator.ranges import ranged
from ringlight.simulator.world import World

__all__ = ["add_media"]

T = TypeVar("T")
CUT_AFTER = 64 * 1024  # bytes
OTHER_NAME = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}  # of this machine: another origin
SEALED = b"TAKE\x00\x01" + bytes(range(256)) * 8


@dataclass(frozen=True, slots=True)
class _Answer:
    """A file, and what is told of it. Making it takes its time, and is done in a thread."""

    make: Callable[[], bytes]
    media_type: str
    headers: dict[str, str]
    status: int = 200


_Give = Callable[[], _Answer | Response]  # what an address of the storage stands for


def add_media(router: APIRouter, world: World) -> None:
    """Add `…/media/video/download`, `…/media/image/download` and the storage."""
    kept: Expiring[_Give] = Expiring(lambda: world.now())  # noqa: PLW0108 - tests set another clock

    @router.post("/v1/devices/{identity}/media/video/download")
    async def clip(request: Request, identity: str) -> Response:
        found = enter_device(world, request, identity, media=True)
        if isinstance(found, Response):
            return found
        caller, device = found
        asked, now = _judged(world, caller, device, await _body(request), parse_clip), world.partner.now()
        if isinstance(asked, Response):
            return asked
        footage = find_clip(world.partner.recordings(device).values(), asked.start, asked.length, now)
        instead = _refusal(caller, footage.status, "TIMESTAMP_NOT_FOUND")
        if instead is not None:
            return instead

        def give() -> _Answer:
            return _film(world, caller, device, footage)

        status = _clip_status(world, caller.on)
        if status == 200:
            answer = give()
            content = await asyncio.to_thread(answer.make)
            return Response(content, answer.status, answer.headers, answer.media_type)
        return _redirect(world, request, kept, "video_download", status, give)

    @router.post("/v1/devices/{identity}/media/image/download")
    async def still(request: Request, identity: str) -> Response:
        found = enter_device(world, request, identity, media=True)
        if isinstance(found, Response):
            return found
        caller, device = found
        asked = _judged(world, caller, device, await _body(request), parse_still)
        if isinstance(asked, Response):
            return asked

        def give() -> _Answer | Response:
            return _picture(world, caller, device, asked)

        return _redirect(world, request, kept, "image_download", 303, give)

    @router.get(DOWNLOAD)
    async def download(request: Request) -> Response:
        give = _stored(world, request, kept)
        answer = give if isinstance(give, Response) else give()
        if isinstance(answer, Response):
            return answer
        return _given(world, request, answer, await asyncio.to_thread(answer.make))


# ---- asking ----


async def _body(request: Request) -> object:
    """Return the body of a request for media; empty text where there is none at all."""
    return await body_of(request) if await request.body() else ""


def _judged(
    world: World, caller: Caller, device: PartnerDevice, fields: object, parse: Callable[[object, int], T]
) -> T | Response:
    """Read a request, or refuse it. In some profiles rights are judged before the form is."""
    refuse, estate = caller.refuse.media, world.partner
    if estate.how.authorises_first:
        refusal = _unauthorised(world, caller, device, fields)
        if refusal is not None:
            return refusal
    try:
        asked = parse(fields, estate.now())
    except Complaint as complaint:
        return refuse(400, "INVALID_PAYLOAD", str(complaint), complaint.pointer)
    return _unauthorised(world, caller, device, fields) or asked


def _unauthorised(world: World, caller: Caller, device: PartnerDevice, fields: object) -> Response | None:
    refuse, at = caller.refuse.media, asked_time(fields)
    if fields == "":
        return refuse(403, "REQUEST_FORBIDDEN", "Cannot authorize: empty request body")
    if at is None:
        return refuse(403, "REQUEST_FORBIDDEN", "Cannot authorize: missing required timestamp fields in request body")
    if at < world.partner.consent(caller.access.account, device):
        said = "Requested time range is not within authorized boundaries"
        return refuse(403, "TIME_RANGE_NOT_AUTHORIZED", said)
    return None


def _refusal(caller: Caller, status: int, missing: str) -> Response | None:
    """Refuse footage that is not there, not ready or not readable, as found or as the switches say."""
    told = {"partner-media-missing": 416, "partner-media-early": 425, "partner-media-corrupt": 422}
    status = next((number for name, number in told.items() if name in caller.on), status)
    match status:
        case 416:
            return caller.refuse.media(416, missing, "No footage was found for the requested time")
        case 425:
            return caller.refuse.media(425, "RECORDING_NOT_READY", "The recording is still being processed")
        case 422:
            return caller.refuse.media(422, "CORRUPT_RECORDING", "The recording could not be decrypted or decoded")
    return None


def _clip_status(world: World, on: set[str]) -> int:
    return 301 if "partner-media-301" in on else 303 if "partner-media-303" in on else world.partner.how.clip_status


def _redirect(
    world: World,
    request: Request,
    kept: Expiring[_Give],
    kind: str,
    status: int,
    give: _Give,
) -> Response:
    """Send the client to the storage, which is on another origin and good for a while."""
    token, life = world.hexadecimal(16), world.partner.address_life
    kept.add(token, life, give)
    host, port = request.url.hostname or "", request.url.port
    name = STORAGE_HOST if host == API_HOST else OTHER_NAME.get(host, host)
    query = {
        "security_token": token, "req_type": kind, "req_id": call_of(request.scope).name,
        "X-Amz-Date": datetime.fromtimestamp(world.wall(), UTC).strftime("%Y%m%dT%H%M%SZ"),
        "X-Amz-Expires": str(int(life)),
    }  # fmt: skip
    address = request.url.replace(scheme=request.url.scheme, hostname=name, port=port, path=DOWNLOAD, query="")
    return RedirectResponse(str(address.include_query_params(**query)), status)


# ---- making ----


def _film(world: World, caller: Caller, device: PartnerDevice, footage: Found) -> _Answer:
    assert footage.recording is not None and device.camera is not None  # noqa: S101, PT018 - only cameras record
    _reviewed(world, device, footage)
    headers = {"X-Media-Timestamp": str(footage.start)}
    if footage.status == 206:
        headers[world.partner.how.length_header] = str(footage.length)
    if "partner-media-encrypted" in caller.on:
        return _Answer(lambda: SEALED, "application/octet-stream", headers, footage.status)
    camera, at, length = device.camera, footage.start - footage.recording.start, footage.length
    return _Answer(lambda: film(camera.marked_clip, at, length), "video/mp4", headers, footage.status)


def _picture(world: World, caller: Caller, device: PartnerDevice, asked: StillRequest) -> _Answer | Response:
    found = world.partner.recordings(device).values()
    footage = find_still(found, asked.start, asked.end, world.partner.now(), nearest=asked.at_moment)
    instead = _refusal(caller, footage.status, world.partner.how.still_code)
    if instead is not None:
        return instead
    assert footage.recording is not None and device.camera is not None  # noqa: S101, PT018 - only cameras record
    _reviewed(world, device, footage)
    headers = {"X-Media-Timestamp": str(footage.start), "X-Media-Origin": "recording"}
    if "partner-media-encrypted" in caller.on:
        return _Answer(lambda: SEALED, "application/octet-stream", headers)
    camera, at = device.camera, footage.start - footage.recording.start

    def make() -> bytes:
        return picture(camera.marked_clip, at, png=asked.png, width=asked.width, height=asked.height)

    return _Answer(make, "image/png" if asked.png else "image/jpeg", headers)


def _reviewed(world: World, device: PartnerDevice, footage: Found) -> None:
    for number, recording in world.partner.recordings(device).items():
        if recording == footage.recording:
            world.partner.seen_by_app(number)


# ---- the storage ----


def _stored(world: World, request: Request, kept: Expiring[_Give]) -> _Give | Response:
    on = call_of(request.scope).on
    if request.url.hostname == API_HOST:
        return refusals(world, request)(404)
    if "authorization" in request.headers:
        world.partner.bearers.append(dict(request.headers))
        return _xml(400, "InvalidArgument", "Only one auth mechanism allowed")
    found = kept.get(request.query_params.get("security_token", ""))
    if found is None or "partner-media-expired" in on:
        return _xml(403, "AccessDenied", "Request has expired")
    if "partner-media-busy" in on:
        return refusals(world, request).media(503, "SERVER_BUSY", "The server is busy")
    return found


def _given(world: World, request: Request, answer: _Answer, content: bytes) -> Response:
    call = call_of(request.scope)
    if "partner-media-cut" in call.on:
        call.cut_after = CUT_AFTER
    span = "" if "partner-media-no-range" in call.on else request.headers.get("range", "")
    etag = f'"{world.hexadecimal(8)}"' if "partner-media-changed" in call.on else None
    given = ranged(content, span, request.headers.get("if-range"), answer.media_type, etag)
    given.headers.update(answer.headers)
    if given.status_code == 200:
        given.status_code = answer.status
    return given


def _xml(status: int, code: str, said: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{said}</Message></Error>'
    return Response(text, status, media_type="application/xml")
