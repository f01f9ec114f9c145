"""The pages about the API: Swagger's for the HTTP addresses, and our own for the WebSockets, which that has not."""

import inspect
from html import escape
from typing import Any, get_args

import msgspec
from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from ringlight.faults import FAULTS
from ringlight.rooms.messages import CLOSE_CODES
from ringlight.rooms.messages.heard import Heard
from ringlight.rooms.messages.told import Told
from ringlight.server.plain_page import plain_page

__all__ = ["SOCKETS_PAGE", "api_pages_router"]

SOCKETS_PAGE = "/docs/websockets"
# Above what Swagger draws: its scripts come from another host, which a machine without internet does not reach.
_ABOVE = f"""<body>
    <p style="font: 1rem/1.5 system-ui, sans-serif; margin: 1rem">The WebSockets <code>/ws/signaling/…</code> and
    <code>/ws/v2</code> have <a href="{SOCKETS_PAGE}">a page of their own</a>. Without internet the list below stays
    empty: <a href="/openapi.json">openapi.json</a> holds the same.</p>"""
_SEED = """
<h2><code>ws://HOST/ws/signaling/{consultation_id}/{user_type}</code></h2>
<p><code>user_type</code> is <code>doctor</code> or <code>patient</code>. Each message is a JSON object in a text frame,
passed to all others in the room byte for byte:</p>
<pre>{"type":"offer","offer":{"type":"offer","sdp":"…"}}
{"type":"answer","answer":{"type":"answer","sdp":"…"}}
{"type":"ice-candidate","candidate":{"candidate":"…","sdpMid":"0","sdpMLineIndex":0}}
{"type":"ice-candidate","candidate":null}</pre>
<p>The server itself says who came and left, and what was wrong with a message:</p>
<pre>{"type":"user-joined","userType":"patient","totalUsers":2}
{"type":"user-left","userType":"patient","totalUsers":1}
{"type":"error","code":"ROOM-MESSAGE","message":"…","fix":"…"}</pre>
<p>Where a token is needed, it is <code>?token=…</code>. To try it, in a browser's console:</p>
<pre>const ws = new WebSocket(`ws://${location.host}/ws/signaling/test-room/doctor`)
ws.onmessage = (e) => console.log(e.data)
ws.onclose = (e) => console.log('Closed:', e.code, e.reason)</pre>
<h2><code>ws://HOST/ws/v2</code></h2>
<p>Each message is a JSON object in a text frame; <code>t</code> says which. The first one is <code>hello</code>:</p>
<pre>{"t":"hello","v":2,"token":"…"}
{"t":"hello","v":2,"room":"visit-7","role":"patient","name":"B"}</pre>
"""


def api_pages_router() -> APIRouter:
    """Return `/docs` and `/docs/websockets`."""
    router = APIRouter(include_in_schema=False)
    swagger = bytes(get_swagger_ui_html(openapi_url="/openapi.json", title="Ringlight").body).decode()
    shown = swagger.replace("<body>", _ABOVE, 1)

    @router.api_route("/docs", methods=["GET", "HEAD"])
    async def docs() -> HTMLResponse:
        return HTMLResponse(shown)

    @router.api_route(SOCKETS_PAGE, methods=["GET", "HEAD"])
    async def sockets() -> HTMLResponse:
        return HTMLResponse(plain_page("WebSockets", _sockets()))

    return router


def _sockets() -> str:
    return "\n".join([
        "<h1>WebSockets</h1>", "<p>Both protocols meet in the same rooms.</p>", _SEED,
        "<h3>What a page sends</h3>", _messages(get_args(Heard)),
        "<h3>What the server says</h3>", _messages(get_args(Told)),
        "<h2>Close codes</h2>", _close_codes(),
    ])  # fmt: skip


def _messages(kinds: tuple[type[msgspec.Struct], ...]) -> str:
    rows = "".join(f"<li><code>{_shape(kind)}</code>: {escape(_about(kind))}</li>" for kind in kinds)
    return f"<ul class='told-signs'>{rows}</ul>"


def _shape(kind: type[msgspec.Struct]) -> str:
    tag: Any = kind.__struct_config__.tag
    return escape(", ".join((str(tag), *(field.encode_name for field in msgspec.structs.fields(kind)))))


def _about(kind: type[msgspec.Struct]) -> str:
    return (inspect.getdoc(kind) or "").replace("\n\n", " ").replace("\n", " ").replace("`", "")


def _close_codes() -> str:
    rows = "".join(
        f"<li>{number} <a href='{FAULTS[code].page}'><code>{code}</code></a> {escape(FAULTS[code].title)}</li>"
        for code, number in sorted(CLOSE_CODES.items(), key=lambda row: row[1])
    )
    return f"<ul class='told-signs'>{rows}</ul>"
