"""WHEP: a viewer posts an offer and gets an answer (draft-ietf-wish-whep; RFC 9725 for what is shared)."""

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
        headers = {"Location": f"/whep/{found.id}/{identifier}", "ETag": f'"{identifier[:8]}"'}
        return Response(answer, 201, headers, SDP)

    @router.options("/{camera}", status_code=204)
    async def options(camera: str) -> Response:
        """Say what is taken."""
        return Response(status_code=204, headers={"Accept-Post": SDP})

    @router.patch("/{camera}/{session}", status_code=204)
    async def trickle(camera: str, session: str, request: Request) -> Response:
        """Take trickled candidates. As ICE-lite we learn a viewer's address from its checks and need none."""
        playbacks.find(camera, session)
        _expect(request, TRICKLE)
        await _body(request)
        return Response(status_code=204)

    @router.delete("/{camera}/{session}", status_code=200)
    async def stop(camera: str, session: str) -> Response:
        """End a playback."""
        await playbacks.stop(playbacks.find(camera, session))
        return Response(status_code=200)

    return router


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
