"""The authorisation matrix: every route and socket has a line of its own, and each kind of key gets what it may."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, Route, WebSocketRoute

from ringlight.errors import UsageError
from ringlight.secrets import Secret
from ringlight.server import app as app_module
from ringlight.server import program
from ringlight.server.scopes import LINES, OWNER, SCOPES, Holder, Scope, is_open, line_of, may
from ringlight.settings import OidcSettings, PartnerSettings, ServerSettings, Settings
from ringlight.web import PAGE, ROOMS_PAGE

_IMPORTED = re.compile(r'^(?:import|export)\b[^"]*?"(\.[^"]+\.js)"', re.MULTILINE)
LIMITED = Holder("key:front", frozenset({"view", "talk"}), frozenset({"front-door"}))


def key(*scopes: Scope) -> Holder:
    return Holder("key:test", frozenset(scopes))


def got(holder: Holder | None, method: str, path: str) -> str:
    """What comes of it: `yes`, or the fault."""
    if is_open(method, path):
        return "yes"
    try:
        may(holder, method, path)
    except UsageError as refused:
        return refused.code
    return "yes"


def walked(app: FastAPI) -> set[tuple[str, str]]:
    """Every method and path that an application takes, with something in the place of each name."""
    found = set[tuple[str, str]]()
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        path = str(context.path or getattr(route, "path", ""))
        if isinstance(route, Mount):
            found.add(("GET", f"{path}/main.js"))
            continue
        concrete = re.sub(r"\{(\w+):path\}", "some/thing", path)
        concrete = re.sub(r"\{\w+\}", "thing", concrete)
        if isinstance(route, WebSocketRoute):
            found.add(("WS", concrete))
        else:
            methods = context.methods or (route.methods if isinstance(route, Route) else None)
            assert methods, path
            found |= {(method, concrete) for method in methods}
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The whole application, with a Ring app, as `ringlight serve` puts it together."""
    apps = list[FastAPI]()
    make = app_module.create_app

    def remembered(*args: Any, **options: Any) -> FastAPI:
        apps.append(make(*args, **options))
        return apps[-1]

    app = PartnerSettings(
        client_id="sim-client", client_secret=Secret("sim-secret"), hmac_keys=[Secret("c2ltLWhtYWMta2V5LWZvci1yaW5n")]
    )
    settings = Settings(
        state_dir=tmp_path_factory.mktemp("state"), server=ServerSettings(host="0.0.0.0", port=0), partner=app,
        secret_key=Secret("the owner's own key, long and random"),
        oidc=OidcSettings(issuer="http://127.0.0.1:9", client_id="x", scopes={"*": ["view"]}),
    )  # fmt: skip

    async def start() -> None:
        async with program.run_server(settings):
            pass

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(program, "create_app", remembered)
        asyncio.run(start())
    return apps[0]


def test_every_route_and_socket_has_a_line_on_purpose(served: FastAPI) -> None:
    everything = walked(served)
    assert {("POST", "/whep/thing"), ("WS", "/ws/v2"), ("WS", "/ws/signaling/some/thing")} <= everything
    assert {("GET", "/login/oidc/callback"), ("DELETE", "/api/links/thing")} <= everything
    assert {("POST", "/ring/webhook"), ("GET", "/api/ring/stream"), ("GET", "/page/main.js")} <= everything
    assert [one for one in sorted(everything) if line_of(*one)[0] not in LINES] == []


def test_without_a_key_nothing_answers_but_what_is_meant_to(served: FastAPI) -> None:
    """A list by hand, so that a line of the table that opens too much is seen."""
    reached = {path for method, path in walked(served) if got(None, method, path) == "yes"}
    assert reached - {"/login", "/login/oidc", "/login/oidc/callback", "/logout", "/s/thing"} == {
        "/health", "/ready", "/api/faults", "/api/faults/thing", "/faults", "/faults/thing", "/rooms/some/thing",
        "/rooms", "/rooms-page/main.js", "/j/thing", "/j/some/thing", "/j", "/ring/webhook", "/ring/token", "/ws/v2",
        "/ws/signaling", "/ws/signaling/some/thing", "//ws/v2", "//ws/signaling/some/thing", "/some/thing",
    }  # fmt: skip


def test_all_that_the_page_of_the_rooms_is_made_of_is_given_without_a_key() -> None:
    """Patients have none, and of a module that is refused the whole page stays empty. Nothing else of ours is given."""
    modules, found = [ROOMS_PAGE / "main.js"], set[Path]()
    while modules:
        if (module := modules.pop()) not in found:
            found.add(module)
            modules += [(module.parent / name).resolve() for name in _IMPORTED.findall(module.read_text("utf-8"))]
    assert len(found) > 60
    ours = {f"/page/{module.name}" for module in found if module.parent == PAGE}
    assert {f"/page/{script.name}" for script in PAGE.glob("*.js") if is_open("GET", f"/page/{script.name}")} == ours
    styles = re.findall(r'"(/page/[^"]+)"', (ROOMS_PAGE / "index.html").read_text("utf-8"))
    assert [path for path in styles if not is_open("GET", path)] == []


def test_the_owner_may_do_everything_and_a_key_without_scopes_only_look_at_the_page(served: FastAPI) -> None:
    for method, path in walked(served):
        assert got(OWNER, method, path) == "yes", (method, path)
        expected = {"yes"} if line_of(method, path)[0].needs in ("open", "judged", "anybody") else {"KEY-SCOPE"}
        assert got(key(), method, path) in expected, (method, path)


@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_opens_its_own_lines_and_no_others(served: FastAPI, scope: Scope) -> None:
    for method, path in walked(served):
        needs = line_of(method, path)[0].needs
        assert got(key(scope), method, path) == ("yes" if needs not in SCOPES or needs == scope else "KEY-SCOPE")


def test_a_key_for_one_camera_reaches_that_camera_and_nothing_about_others(served: FastAPI) -> None:
    for method, path in walked(served):
        line, camera = line_of(method, path)
        if line.needs in ("view", "talk", "anybody") and not line.limited:
            assert got(LIMITED, method, path) == "KEY-CAMERA", (method, path)
        if camera is not None and line.needs in ("view", "talk"):
            own = path.replace("/thing", "/front-door", 1)
            assert got(LIMITED, method, own) == "yes", (method, own)


@pytest.mark.parametrize(
    ("method", "path", "needs"),
    [
        ("POST", "/whep/front-door", "view"),
        ("DELETE", "/whep/front-door/a-session", "view"),
        ("POST", "/whep/front-door/a-session/talk", "talk"),
        ("GET", "/api/cameras/front-door/snapshot.jpg", "view"),
        ("GET", "/api/cameras/front-door/recordings/r1.mp4", "view"),
        ("DELETE", "/api/cameras/front-door/recordings/r1", "control"),
        ("POST", "/api/cameras/front-door/siren", "control"),
        ("POST", "/api/rooms/desk/tokens", "rooms"),
        ("POST", "/ring/link", "admin"),
        ("POST", "/api/links", "admin"),
        ("RTSP", "/front-door", "view"),
        ("GET", "/_sim/world", "admin"),
        ("GET", "/something/new", "admin"),
        ("TRACE", "/health", "admin"),
        ("GET", "/health/", "admin"),
        ("GET", "//health", "admin"),
        ("POST", "/health", "admin"),
        ("GET", "/page/main.js", "anybody"),
        ("GET", "/page/style.css", "open"),
        ("GET", "/page/../x/style.css", "anybody"),
    ],
)
def test_what_single_requests_need(method: str, path: str, needs: str) -> None:
    assert line_of(method, path)[0].needs == needs


@pytest.mark.parametrize(
    "path", ["/whep/back-yard", "/whep/Front-Door", "/whep/1001", "/whep/front-door\n", "/whep/back-yard/front-door"]
)
def test_a_limited_key_is_not_fooled_by_other_names_of_a_camera(path: str) -> None:
    assert got(LIMITED, "POST", path) == "KEY-CAMERA"


def test_a_refusal_says_what_is_missing_and_what_there_is() -> None:
    with pytest.raises(UsageError, match="this needs `control`; the key has `rooms`, `view`"):
        may(key("view", "rooms"), "POST", "/api/cameras/front-door/siren")
    with pytest.raises(UsageError, match="it is for `front-door`"):
        may(LIMITED, "POST", "/whep/back-yard")
