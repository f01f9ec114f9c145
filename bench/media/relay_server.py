"""The way that examples show: aiortc's `MediaRelay`, which decodes the camera once and encodes it for each viewer.

Usage: python bench/media/relay_server.py FILE.sdp; prints `ready URL`.
"""

import asyncio
import sys

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer, MediaRelay
from fastapi import FastAPI, Request, Response

from ringlight.http.serving import listen, serving


async def serve(description: str) -> None:
    player = MediaPlayer(description, format="sdp", options={"protocol_whitelist": "file,udp,rtp"})
    assert player.video is not None
    relay, video = MediaRelay(), player.video
    connections: list[RTCPeerConnection] = []
    app = FastAPI()

    @app.post("/whep")
    async def play(request: Request) -> Response:
        connection = RTCPeerConnection()
        connections.append(connection)
        connection.addTrack(relay.subscribe(video))
        offer = (await request.body()).decode()
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return Response(connection.localDescription.sdp, 201, {"Location": "/whep"}, "application/sdp")

    async with serving(app, listen("127.0.0.1", 0)) as running:
        print(f"ready {running.url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
