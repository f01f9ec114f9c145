"""A media server that takes WHIP, made of aiortc: it decodes what comes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ringlight.http.serving import listen, serving

TOKEN = "let-me-publish"


@dataclass
class Taken:
    """A publication that the server has taken."""

    connection: RTCPeerConnection
    receivers: list[RTCRtpReceiver] = field(default_factory=list)
    frames: dict[str, int] = field(default_factory=lambda: {"video": 0, "audio": 0})
    size: tuple[int, int] | None = None
    ended: bool = False

    async def lost(self) -> int:
        """Packets of video that the receiver missed, by its own count."""
        reports = [report for receiver in self.receivers for report in (await receiver.getStats()).values()]
        return sum(report.packetsLost for report in reports if report.type == "inbound-rtp" and report.kind == "video")


@dataclass
class WhipServer:
    """What it was sent, and how it answers.

    Attributes:
        refuse: Called before each POST is taken; an answer that it returns goes out instead.
        taken: What it has taken, oldest first.
        asked: Method, path and token of each request.
        headers: More fields of its 201; `Location` may be replaced.
        fragments: Bodies of PATCH.
    """

    url: str = ""
    refuse: Callable[[Request], Response | None] = lambda _: None
    taken: list[Taken] = field(default_factory=list)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    offers: list[str] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)
    _reading: set["asyncio.Task[None]"] = field(default_factory=set)

    async def post(self, request: Request) -> Response:
        self._note(request)
        refused = self.refuse(request)
        if refused is not None:
            return refused
        offer = (await request.body()).decode()
        self.offers.append(offer)
        taken = Taken(RTCPeerConnection(RTCConfiguration(iceServers=[])))

        @taken.connection.on("track")
        def on_track(track: MediaStreamTrack) -> None:
            reading = asyncio.create_task(self._read(track, taken))
            self._reading.add(reading)
            reading.add_done_callback(self._reading.discard)

        await taken.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        taken.receivers += taken.connection.getReceivers()
        await taken.connection.setLocalDescription(await taken.connection.createAnswer())
        self.taken.append(taken)
        headers = {"Location": f"/session/{len(self.taken) - 1}", **self.headers}
        return Response(taken.connection.localDescription.sdp, 201, headers, "application/sdp")

    async def patch(self, request: Request) -> Response:
        self._note(request)
        self.fragments.append((await request.body()).decode())
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        self._note(request)
        taken = self.taken[int(request.path_params["number"])]
        taken.ended = True
        await taken.connection.close()
        return Response(status_code=200)

    async def close(self) -> None:
        for taken in self.taken:
            await taken.connection.close()
        for reading in self._reading:
            reading.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    def _note(self, request: Request) -> None:
        token = request.headers.get("authorization")
        self.asked.append((request.method, request.url.path, token.removeprefix("Bearer ") if token else None))

    async def _read(self, track: MediaStreamTrack, taken: Taken) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                taken.frames[track.kind] += 1
                if isinstance(frame, VideoFrame):
                    taken.size = frame.width, frame.height


@contextlib.asynccontextmanager
async def whip_server() -> AsyncIterator[WhipServer]:
    """Run one on a free port; its WHIP address is `/whip`."""
    server = WhipServer()
    routes = [
        Route("/whip", server.post, methods=["POST"]),
        Route("/elsewhere", server.post, methods=["POST"]),
        Route("/session/{number}", server.patch, methods=["PATCH"]),
        Route("/session/{number}", server.delete, methods=["DELETE"]),
    ]
    async with serving(Starlette(routes=routes), listen("127.0.0.1", 0)) as running:
        server.url = running.url
        try:
            yield server
        finally:
            await server.close()
