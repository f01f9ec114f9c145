"""WHEP: a viewer posts an offer and gets an answer (draft-ietf-wish-whep; RFC 9725 for what is shared)."""

import re

from fastapi import APIRouter, Request, Response

from ringlight.cameras import Account
from ringlight.errors import fault_error
from ringlight.server.playback import Playbacks

SDP = "application/sdp"
TRICKLE = "application/trickle-ice-sdpfrag"
MAX_OFFER = 256 * 1024  # bytes


def whep_router(account: Account, playbacks: Playbacks) -> APIRouter:
    """Return the WHEP addresses."""
    router = APIRouter(prefix="/whep", tags=["WHEP"])

    @router.post("/{camera}", status_code=201, response_class=Response)
    async def play(camera: str, request: Request) -> Response:
        """Take an SDP offer, open the camera if nobody watches yet, and answer."""
        _expect(request, SDP)
        offer = (await _body(request)).decode("utf-8", "replace")
        found = await account.camera(camera)
        identifier, answer = await playbacks.start(found, offer)
        headers = {"Location": f"/whep/{found.id}/{identifier}", "ETag": _etag(identifier)}
        return Response(answer, 201, headers, SDP)

    @router.options("/{camera}", status_code=204)
    async def options(camera: str) -> Response:
        """Say what is taken."""
        return Response(status_code=204, headers={"Accept-Post": SDP})

    @router.patch("/{camera}/{session}", status_code=204)
    async def trickle(camera: str, session: str, request: Request) -> Response:
        """Take trickled candidates. As ICE-lite we learn a viewer's address from its checks and need none."""
        playback = playbacks.find(camera, session)
        _expect(request, TRICKLE)
        if request.headers.get("if-match", "*") not in ("*", _etag(session)):
            raise fault_error("VIEWER-STALE", f"If-Match is {request.headers['if-match'][:40]}")
        named = re.search(r"^a=ice-ufrag:(\S+)", (await _body(request)).decode("utf-8", "replace"), re.MULTILINE)
        if named is not None and named[1] != playback.ufrag:
            raise fault_error("VIEWER-RESTART")
        return Response(status_code=204)

    @router.delete("/{camera}/{session}", status_code=200)
    async def stop(camera: str, session: str) -> Response:
        """End a playback."""
        await playbacks.stop(playbacks.find(camera, session))
        return Response(status_code=200)

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


def _etag(session: str) -> str:
    """Return the tag of a session's ICE credentials; they never change while it lasts."""
    return f'"{session[:8]}"'


def _expect(request: Request, kind: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != kind:
        raise fault_error("REQUEST-INVALID", f"Content-Type is {given or 'missing'}; expected {kind}")


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_OFFER:
            raise fault_error("VIEWER-OFFER", f"more than {MAX_OFFER} bytes")
    return body
