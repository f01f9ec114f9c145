"""`ringlight partner link-check` walks through linking, and names the step that is wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from linking_app import PASSWORD, app_with_form
from ringlight.http.serving import listen, serving
from ringlight.partner.link_check import LinkFinding, check_links
from ringlight.testing import SimulatedRing


async def walked(app: FastAPI, ring: SimulatedRing | None, name: str | None = "maria") -> dict[str, LinkFinding]:
    async with serving(app, listen("127.0.0.1", 0)) as running:
        found = check_links(f"{running.url}ring", ring=ring.url if ring else None, name=name, password=PASSWORD)
        return {finding.step: finding async for finding in found}


def test_an_app_with_our_router_passes_every_step(ring: SimulatedRing, tmp_path: Path) -> None:
    findings = asyncio.run(walked(app_with_form(ring, tmp_path / "a.db"), ring))
    assert {step: (one.code, one.skipped) for step, one in findings.items()} == dict.fromkeys(
        ("address", "token", "page", "nonce", "claim", "home"), (None, False)
    )


def test_without_the_simulator_less_is_tried(ring: SimulatedRing, tmp_path: Path) -> None:
    findings = asyncio.run(walked(app_with_form(ring, tmp_path / "a.db"), None, name=None))
    assert all(one.code is None for one in findings.values())
    assert findings["claim"].skipped


async def claims_at_once(_: Request) -> Response:
    return HTMLResponse("Linked!")


async def asks_whatever_comes(_: Request) -> Response:
    return HTMLResponse("<form method=post><input name=password></form>")


async def breaks(_: Request) -> Response:
    return Response(status_code=500)


@pytest.mark.parametrize(
    ("path", "answer", "step", "code"),
    [
        ("/ring/link", claims_at_once, "page", "LINK-CHECK-PAGE"),
        ("/ring/link", asks_whatever_comes, "nonce", "LINK-CHECK-NONCE"),
        ("/ring/link", breaks, "claim", "LINK-CHECK-CLAIM"),
        ("/ring/home", breaks, "home", "LINK-CHECK-HOME"),
        ("/ring/token", breaks, "token", "LINK-CHECK-TOKEN"),
    ],
)
def test_each_mistake_of_an_app_is_named(
    ring: SimulatedRing,
    tmp_path: Path,
    path: str,
    answer: Callable[[Request], Awaitable[Response]],
    step: str,
    code: str,
) -> None:
    app = app_with_form(ring, tmp_path / "a.db")
    wrong = FastAPI()
    wrong.add_api_route(path, answer, methods=["GET", "POST"], response_model=None)
    app.router.routes.insert(0, wrong.router.routes[-1])  # before the good ones
    ring.world.speed = 30.0
    assert asyncio.run(walked(app, ring))[step].code == code


def test_an_address_that_ring_cannot_call_is_named() -> None:
    async def first(url: str) -> LinkFinding:
        return await anext(check_links(url))

    assert asyncio.run(first("http://shop.example/ring")).code == "LINK-CHECK-ADDRESS"
    assert asyncio.run(first("http://127.0.0.1:9/ring")).code == "LINK-CHECK-ADDRESS"
    assert asyncio.run(first("http://[::1")).code == "LINK-CHECK-ADDRESS"
