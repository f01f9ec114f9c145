"""The whole server, asked at every door, with and without the key: what comes out of it, and what never does.

It runs once, with a marked secret in every setting that is one; the tests look at what was answered and logged.
"""

import asyncio
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, Route, WebSocketRoute

from ringlight.secrets import Secret
from ringlight.server import app as app_module
from ringlight.server import program
from ringlight.settings import (
    CameraSettings,
    MqttSettings,
    PartnerSettings,
    RoomSettings,
    RtspSettings,
    ServerSettings,
    Settings,
)
from ringlight.settings.sources import _walk

CANARY = "canary4002"
KEY = f"{CANARY}-the-secret-key-of-the-server"
WITHIN = 30.0  # seconds for one answer
ENOUGH = 256 * 1024  # bytes of an answer that are looked at
# FastAPI's own pages load their scripts from where FastAPI keeps them; docs/explanation/security.md says so.
WITH_FOREIGN_SCRIPTS = {"/docs"}
TRAVERSALS = [
    "/page/../../../../../../../../etc/passwd",
    "/page/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/page/..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/page//etc/passwd",
    "/page/%2fetc%2fpasswd",
    "/page/..%5c..%5c..%5cetc%5cpasswd",
    "/page/%00/etc/passwd",
    "/rooms-page/../../../../../../../../etc/passwd",
    "/rooms-page/client/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/rooms-page/i18n/../../__init__.py",
    "/api/cameras/front-door/recordings/..%2f..%2fringlight.db",
    "/api/cameras/..%2f..%2f/recordings/20260101-000000-00000000",
    "/api/cameras/front-door/hls/..%2f..%2fringlight.db",
    "/faults/..%2f..%2f..%2fetc%2fpasswd",
    "/j/..%2f..%2fetc%2fpasswd",
    "/s/..%2f..%2fetc%2fpasswd",
]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and what came of it."""

    method: str
    path: str
    has_key: bool
    status: int
    headers: httpx2.Headers
    body: bytes

    @property
    def is_page(self) -> bool:
        """Whether a browser shows it as a page."""
        return self.headers.get("content-type", "").startswith("text/html")

    def __str__(self) -> str:
        return f"{self.method} {self.path} {'with' if self.has_key else 'without'} the key: {self.status}"


@dataclass(slots=True)
class Visited:
    """All that was seen of one run."""

    asked: list[Asked] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    shown: str = ""


class _Listening(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(f"{self.format(record)} {record.__dict__}")


def _marked(state: Any) -> Settings:
    def secret(name: str) -> Secret:
        return Secret(f"{CANARY}-{name}-which-is-long-enough")

    return Settings(
        state_dir=state,
        ring_url="http://127.0.0.1:9",
        secret_key=Secret(KEY),
        server=ServerSettings(host="0.0.0.0", port=0),
        rtsp=RtspSettings(port=0),
        turn_url=["turn:turn.example:3478"],
        turn_secret=secret("turn"),
        partner=PartnerSettings(client_id="client", client_secret=secret("client"), hmac_keys=[secret("hmac")]),
        rooms=RoomSettings(webhook_url=Secret(f"http://127.0.0.1:9/{CANARY}"), webhook_secret=secret("webhook")),
        mqtt=MqttSettings(url=Secret(f"mqtt://user:{CANARY}@127.0.0.1:9")),
        cameras=CameraSettings.model_validate(
            {"front-door": {"publish": Secret(f"https://127.0.0.1:9/{CANARY}"), "publish_token": secret("publish")}}
        ),
    )


def _routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        path = str(context.path or getattr(route, "path", ""))
        if isinstance(route, Mount):
            yield "GET", f"{path}/main.js"
            yield "GET", f"{path}/index.html"
        elif not isinstance(route, WebSocketRoute):
            concrete = re.sub(r"\{\w+\}", "thing", re.sub(r"\{(\w+):path\}", "some/thing", path))
            methods = context.methods or (route.methods if isinstance(route, Route) else None) or set()
            yield from ((method, concrete) for method in sorted(methods))


async def _ask(port: int, method: str, path: str, key: bool) -> Asked:
    """Ask as a script would whose author means harm: a body that is none, and a page where one can be had."""
    headers = {"Accept": "text/html,application/json", "Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {KEY}"
    url = httpx2.URL(scheme="http", host="127.0.0.1", port=port, raw_path=path.encode())
    async with httpx2.AsyncClient(timeout=WITHIN, trust_env=False) as client:
        content = b'{"a": [' if method in ("POST", "PUT", "PATCH") else None
        async with client.stream(method, url, headers=headers, content=content) as answer:
            body = bytearray()
            if "event-stream" not in answer.headers.get("content-type", ""):
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > ENOUGH:
                        break
            return Asked(method, path, key, answer.status_code, answer.headers, bytes(body))


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Visited:
    seen = Visited()
    apps = list[FastAPI]()
    make = app_module.create_app

    def remembered(*args: Any, **options: Any) -> FastAPI:
        apps.append(make(*args, **options))
        return apps[-1]

    settings = _marked(tmp_path_factory.mktemp("state"))
    seen.shown = f"{settings!r} {settings} {list(_walk(settings, {}, {}))!r}"

    async def visit() -> None:
        async with program.run_server(settings) as serving:
            doors = [*_routes(apps[0]), *(("GET", path) for path in TRAVERSALS)]
            together = asyncio.Semaphore(8)

            async def ask(method: str, path: str, key: bool) -> Asked:
                async with together:
                    return await _ask(serving.port, method, path, key)

            seen.asked += await asyncio.gather(*(ask(*door, key) for door in doors for key in (False, True)))

    listening, root = _Listening(seen.logged), logging.getLogger()
    level = root.level
    root.addHandler(listening)
    root.setLevel(logging.DEBUG)
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(program, "create_app", remembered)
            asyncio.run(visit())
    finally:
        root.removeHandler(listening)
        root.setLevel(level)
    return seen


def test_every_door_was_tried(visited: Visited) -> None:
    assert len(visited.asked) > 150
    assert sum(one.is_page for one in visited.asked) > 10


def test_every_answer_has_the_protective_headers(visited: Visited) -> None:
    for one in visited.asked:
        assert one.headers["x-content-type-options"] == "nosniff", one
        assert one.headers["referrer-policy"] in ("no-referrer", "same-origin"), one
        assert one.headers["cross-origin-resource-policy"] in ("same-origin", "cross-origin"), one
        assert one.headers["content-security-policy"], one


def test_no_page_takes_scripts_frames_or_forms_of_others(visited: Visited) -> None:
    for one in visited.asked:
        if not one.is_page or one.path in WITH_FOREIGN_SCRIPTS:
            continue
        policy = {"form-action": "missing"} | dict(
            part.strip().partition(" ")[::2] for part in one.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] in ("'self'", "'none'"), one
        assert "script-src" not in policy, one
        assert policy["frame-ancestors"] == "'none'", one
        assert policy["base-uri"] == "'none'", one
        # Forms of a Ring app lead on to Ring, and Chromium asks the policy about that redirect too.
        assert policy["form-action"] == "'self'" or one.path.startswith("/ring/"), one
        assert b"<script>" not in one.body, one
        assert re.search(rb"\son[a-z]+=", one.body) is None, one


def test_without_the_key_only_what_is_open_is_given(visited: Visited) -> None:
    given = {one.path for one in visited.asked if not one.has_key and one.status == 200 and one.method == "GET"}
    assert given <= {
        "/health", "/ready", "/api/faults", "/api/faults/thing", "/faults", "/faults/thing", "/login", "/j/thing",
        "/rooms/thing", "/rooms-page/main.js", "/rooms-page/index.html", "/page/favicon.svg", "/s/thing",
        "/j/..%2f..%2fetc%2fpasswd", "/j", "/j/some/thing", "/rooms", "/rooms/some/thing",
    }  # fmt: skip


def test_nothing_outside_its_folders_is_served(visited: Visited) -> None:
    for one in visited.asked:
        assert b"root:" not in one.body, one
        assert b"SQLite format 3" not in one.body, one
        if one.path in TRAVERSALS and not one.path.startswith(("/j/", "/s/")):
            assert one.status >= 400 or (one.status == 303 and not one.has_key), one  # to where one logs in


def test_no_request_breaks_the_server(visited: Visited) -> None:
    """Whatever fails is a fault of the catalogue, also where Ring cannot be reached."""
    for one in visited.asked:
        assert one.status != 500, one
        assert b"Traceback" not in one.body, one


def test_no_secret_leaves_by_an_answer(visited: Visited) -> None:
    for one in visited.asked:
        assert CANARY.encode() not in one.body, one
        assert CANARY not in str(one.headers.multi_items()), one


def test_no_secret_is_logged(visited: Visited) -> None:
    assert len(visited.logged) > 20
    for line in visited.logged:
        # The one who asks is this test, with httpx2's logger for the connection; its header fields are not logged.
        assert CANARY not in line, line[:300]


def test_no_secret_is_in_what_settings_show(visited: Visited) -> None:
    assert "secret_key" in visited.shown
    assert CANARY not in visited.shown
