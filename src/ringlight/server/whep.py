"""WHEP: a viewer posts an offer and gets an answer (draft-ietf-wish-whep; RFC 9725 for what is shared)."""

from fastapi import APIRouter, Request, Response

from ringlight.cameras import Cameras
from ringlight.errors import fault_error
from ringlight.media import trickle
from ringlight.server.elsewhere import follows
from ringlight.server.playback import Playback, Playbacks
from ringlight.server.problems import problem
from ringlight.server.relay import IceServers
from ringlight.server.room_guests import RoomGuests
from ringlight.server.watches import Watches, seer_of

SDP, TRICKLE = "application/sdp", trickle.MEDIA_TYPE
MAX_OFFER = 256 * 1024  # bytes
_ENDPOINT = {"Allow": "OPTIONS, POST", "Accept-Post": SDP}
_SESSION = {"Allow": "OPTIONS, PATCH, DELETE", "Accept-Patch": TRICKLE}


def whep_router(
    house: Cameras, playbacks: Playbacks, *, relays: IceServers | None = None, guests: RoomGuests | None = None,
    watches: Watches | None = None, address: str = "",
) -> APIRouter:  # fmt: skip
    """Return the WHEP addresses.

    Args:
        house: The cameras.
        playbacks: The viewers.
        relays: STUN and TURN servers that viewers are told of.
        guests: Ends the playbacks of those who came with a room's token when they leave the room.
        watches: Writes down who watches what, and ends it when they may not any more; `None` does neither.
        address: Where this node is found, without a slash at the end, so that a session is asked for where it is.
    """
    router = APIRouter(prefix="/whep", tags=["WHEP"])
    relays = relays or IceServers()

    @router.post("/{camera}", status_code=201, response_class=Response)
    async def play(camera: str, request: Request) -> Response:
        """Take an SDP offer, open the camera if nobody watches yet, and answer.

        With STUN or TURN configured, the answer has a `Link` header for each server. A camera that another node
        holds is answered with 307 and its address there (`elsewhere.py`).
        """
        if not _is(request, SDP):
            return _refused("REQUEST-TYPE", f"expected {SDP}", _ENDPOINT)
        offer = (await _body(request, MAX_OFFER, "VIEWER-OFFER")).decode("utf-8", "replace")
        found = await house.camera(camera)
        playback = await playbacks.start(found, offer)
        if guests is not None:
            guests.follow(request.scope, playback)
        if watches is not None and playback.task is not None:
            end = playback.viewer.close
            over = watches.began(
                seer_of(request), found.id, "whep", lambda error: end(error.code), path=f"/whep/{found.id}",
                method="POST",
            )  # fmt: skip
            playback.task.add_done_callback(lambda _: over())
        ours = address if follows(request, address) else ""
        headers = {
            "Location": f"{ours}/whep/{found.id}/{playback.id}", "ETag": playback.etag, "Accept-Patch": TRICKLE,
            "Cache-Control": "no-store",
        }  # fmt: skip
        answer = Response(playback.answer, 201, headers, SDP)
        return _with_relays(answer, relays)

    @router.options("/{camera}", status_code=204)
    async def options(camera: str) -> Response:
        """Say what is taken, and the STUN and TURN servers, for players that need them before they offer."""
        return _with_relays(Response(status_code=204, headers=_ENDPOINT), relays)

    @router.patch("/{camera}/{session}", status_code=204)
    async def trickled(camera: str, session: str, request: Request) -> Response:
        """Take trickled candidates, or begin ICE anew.

        As ICE-lite we learn a viewer's address from its checks and need no candidates: they are read and answered
        with 204. A fragment with a new `ice-ufrag` and `ice-pwd` and `If-Match: *` is an ICE restart, answered with
        200, our new side of it and a new ETag; the old path stays until the viewer nominates a new one.
        """
        playback = playbacks.find(camera, session)
        if not _is(request, TRICKLE):
            return _refused("REQUEST-TYPE", f"expected {TRICKLE}", _SESSION)
        matched = _match(request.headers.get("if-match"), playback)
        body = await _body(request, trickle.MAX_LENGTH, "VIEWER-FRAGMENT")
        fragment = trickle.parse(body.decode("utf-8", "replace"))
        repeated = playback.restarts and matched == "*" and fragment.ufrag == playback.ufrag
        if repeated or fragment.ufrag not in ("", playback.ufrag):
            return Response(playbacks.restart(playback, fragment), 200, {"ETag": playback.etag}, TRICKLE)
        trickle.judge_sections(fragment, playback.agreed)
        return Response(status_code=204)

    @router.options("/{camera}/{session}", status_code=204)
    async def session_options(camera: str, session: str) -> Response:
        """Say what is taken; 404 where the playback is over, so that a player without a picture learns it."""
        playbacks.find(camera, session)
        return Response(status_code=204, headers=_SESSION)

    @router.delete("/{camera}/{session}", status_code=200)
    async def stop(camera: str, session: str) -> Response:
        """End a playback. To end it twice is no error."""
        await playbacks.end(camera, session)
        return Response(status_code=200)

    @router.api_route("/{camera}", methods=["GET", "HEAD", "PUT", "PATCH", "DELETE"], include_in_schema=False)
    async def not_here(camera: str, request: Request) -> Response:
        return _refused("REQUEST-METHOD", request.method, _ENDPOINT)

    @router.api_route("/{camera}/{session}", methods=["GET", "HEAD", "POST", "PUT"], include_in_schema=False)
    async def not_there(camera: str, session: str, request: Request) -> Response:
        return _refused("REQUEST-METHOD", request.method, _SESSION)

    @router.post("/{camera}/{session}/talk", status_code=204)
    async def talk(camera: str, session: str) -> Response:
        """Begin to talk: opens the camera's speaker for this playback's own sound, and answers when it was told to.

        The playback must have offered its audio `sendrecv`. One viewer talks at a time. The turn ends with DELETE,
        with the playback, or after five seconds without sound.
        """
        await playbacks.find(camera, session).turn.begin()
        return Response(status_code=204)

    @router.delete("/{camera}/{session}/talk", status_code=204)
    async def hush(camera: str, session: str) -> Response:
        """End to talk: closes the camera's speaker. It is no error if the turn has ended already."""
        await playbacks.find(camera, session).turn.end()
        return Response(status_code=204)

    return router


def _is(request: Request, kind: str) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == kind


def _refused(code: str, detail: str, headers: dict[str, str]) -> Response:
    answer = problem(fault_error(code, detail))
    answer.headers.update(headers)
    return answer


def _match(wanted: str | None, playback: Playback) -> str:
    """Return which tag of `If-Match` fits, or `*` (RFC 9725 section 4.3.1: it must be there).

    Raises:
        MediaError: VIEWER-MATCH, VIEWER-STALE.
    """
    if wanted is None:
        raise fault_error("VIEWER-MATCH")
    tags = [tag.strip() for tag in wanted.split(",")]
    found = next((tag for tag in tags if tag in ("*", playback.etag)), None)
    if found is None:
        raise fault_error("VIEWER-STALE", f"If-Match is {wanted[:40]}")
    return found


def _with_relays(answer: Response, relays: IceServers) -> Response:
    for link in relays.links():
        answer.headers.append("Link", link)
    return answer


async def _body(request: Request, limit: int, code: str) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise fault_error(code, f"more than {limit} bytes")
    return body
