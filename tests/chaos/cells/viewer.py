"""Cells of who is shown a camera by the server: players, recordings, media servers, and other servers of ours."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cells import Cell, Lab, Met, Outcome, Run
from cells.command import command, signed_in
from cells.live_view import ITSELF, own_server
from cells.server import SDP, Refusal, api_refuses, get, post
from own_redis import PROGRAM, OwnRedis
from patients import foreign
from ringlight.media import sdp
from ringlight.media.sdp import Description, Section, Transport
from ringlight.publishing import policy
from whep_viewer import offer_text
from whip_server import WhipServer, whip_server

OFFER = offer_text(Transport("ufra", "p" * 22, ":".join(["AA"] * 32), "actpass"))
RECORDINGS = "api/cameras/front-door/recordings"


# ---- players and recordings ----


async def _second_player(http: httpx2.AsyncClient) -> httpx2.Response:
    async with http.stream("GET", "api/cameras/front-door/live.mp4"):
        return await http.get("api/cameras/front-door/live.mp4")


async def _another_player(http: httpx2.AsyncClient) -> httpx2.Response:
    """Play again and again, until the player of before has left its place."""
    ends = time.monotonic() + ITSELF
    while True:
        async with http.stream("GET", "api/cameras/front-door/live.mp4") as film:
            if film.status_code == 200 or time.monotonic() > ends:
                return httpx2.Response(film.status_code)
        await asyncio.sleep(0.1)


async def _second_recording(http: httpx2.AsyncClient) -> httpx2.Response:
    first = await http.post(RECORDINGS)
    answer = await http.post(RECORDINGS)
    await http.delete(first.headers["location"])
    return answer


async def _one_more_recording(http: httpx2.AsyncClient) -> httpx2.Response:
    made = await http.post(RECORDINGS, json={"seconds": 1})
    if made.status_code == 201:  # it has a place again; this is what was asked for
        await http.delete(made.headers["location"])
    return httpx2.Response(200 if made.status_code == 201 else made.status_code)


REFUSALS = (
    Refusal("a player would wake a camera on battery", "VIEWER-BATTERY", get("api/cameras/back-yard/live.mp4")),
    Refusal("one player more than is allowed", "VIEWER-MANY", _second_player, given={"players": {"most": 1}},
            again=_another_player),
    Refusal("one recording more than is allowed", "FILE-BUSY", _second_recording,
            given={"recordings": {"at_once": 1}}, again=_one_more_recording),
    Refusal("no room is left for recordings", "FILE-FULL", post(RECORDINGS, {"seconds": 20}),
            given={"recordings": {"total": 0.5}}),
    Refusal("a folder for recordings that is none", "FILE-WRITE", post(RECORDINGS, {"seconds": 1}),
            given={"recordings": {"dir": "/dev/null/recordings"}}),
)  # fmt: skip


def command_finds_no_room() -> Run:
    """`ringlight record` onto a disk of which more has to stay free than it has."""

    async def run(lab: Lab) -> Outcome:
        async with signed_in(lab) as (_, env):
            wanted = ("record", "Front Door", "door.mp4", "--seconds", "1")
            first = await command(*wanted, env={**env, "RINGLIGHT_RECORDINGS__KEEP_FREE": "1e9"}, cwd=lab.folder)
            again = await command(*wanted, env=env, cwd=lab.folder)
            return first.then(again)

    return run


# ---- publishing ----


@dataclass(frozen=True)
class Publication:
    """A camera that cannot be published, and how the media server answers; `None` for another reason than that."""

    what: str
    code: str
    answer: Callable[[], Response] | None = None
    camera: str = "front-door"


def _answer(status: int, text: str = "", **headers: str) -> Callable[[], Response]:
    return lambda: Response(text, status, headers)


PUBLICATIONS = (
    Publication("the media server says 401", "PUBLISH-TOKEN", _answer(401)),
    Publication("the media server says 404", "PUBLISH-GONE", _answer(404)),
    Publication("the media server says 422", "PUBLISH-REFUSED", _answer(422)),
    Publication("the media server says 503", "PUBLISH-BUSY", _answer(503)),
    Publication("the media server answers with a page", "PUBLISH-ANSWER", _answer(201, "<html>", location="/s")),
    Publication("the media server hangs up", "PUBLISH-LOST"),
    Publication("a camera on battery", "PUBLISH-BATTERY", camera="back-yard"),
)


@contextlib.asynccontextmanager
async def _published(lab: Lab, address: str, camera: str) -> AsyncIterator[tuple[str, httpx2.AsyncClient]]:
    for name in ("FIRST_PAUSE", "LOOK_AGAIN"):
        lab.patch.setattr(policy, name, 4.0)
    async with (
        own_server(lab, cameras={camera: {"publish": address}}) as (_, url),
        httpx2.AsyncClient(base_url=url, timeout=20) as http,
    ):
        yield url, http


async def _until(http: httpx2.AsyncClient, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    """Wait until the one publication is as it is wanted; return it, or `None` where it does not come to that."""
    ends = time.monotonic() + 2 * ITSELF
    while time.monotonic() < ends:
        for one in (await http.get("api/publications")).json()["publications"]:
            if fits(one):
                return dict(one)
        await asyncio.sleep(0.05)
    return None


async def _told(met: Met, lab: Lab, url: str, one: dict[str, Any] | None) -> tuple[str | None, str]:
    """Return what is read of it: in the answer of the API, or on the terminal of `ringlight status`."""
    if met is Met.COMMAND:
        shown = await command("status", "--once", "--server", url, env=_plain(lab), cwd=lab.folder)
        return shown.code, shown.said
    return (one["fault"]["code"], f"{one['fault']['title']}. {one['fault']['cause']}") if one else (None, "")


def _plain(lab: Lab) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "NO_COLOR": "1", "COLUMNS": "400", "RINGLIGHT_STATE_DIR": str(lab.folder / "own")}


def publishes(publication: Publication, met: Met) -> Run:
    async def run(lab: Lab) -> Outcome:
        async with whip_server() as server:
            if publication.answer is not None:
                server.refuse = lambda _: publication.answer() if publication.answer else None
            async with _published(lab, f"{server.url}whip", publication.camera) as (url, http):
                began, said = time.monotonic(), ""
                code: str | None = None
                while code is None and time.monotonic() - began < 2 * ITSELF:
                    if publication.code == "PUBLISH-LOST":  # it may be back before a command has asked
                        await _hangs_up(server, http)
                    one = await _until(http, lambda seen: seen["fault"] is not None)
                    code, said = await _told(met, lab, url, one)
                named = time.monotonic() - began
                if publication.code == "PUBLISH-BATTERY":  # only a setting helps
                    return Outcome(code, said, named)
                server.refuse = lambda _: None
                began = time.monotonic()
                back = await _until(http, lambda seen: seen["state"] == "live")
                return Outcome(code, said, named, "by itself" if back else "not yet", time.monotonic() - began)

    return run


async def _hangs_up(server: WhipServer, http: httpx2.AsyncClient) -> None:
    await _until(http, lambda seen: seen["state"] == "live")
    await server.taken[-1].connection.close()


async def _leads_nowhere(request: Request) -> Response:
    """Take an offer, and name an address where nobody is."""
    offer = sdp.parse((await request.body()).decode())
    there = Transport("ufra", "p" * 22, ":".join(["AA"] * 32), "passive", ("candidate:1 1 udp 1 127.0.0.1 9 typ host",))
    sections = tuple(Section(one.kind, one.mid, "recvonly", one.codecs[:1], there) for one in offer.sections)
    text = sdp.write(Description(sections, tuple(one.mid for one in sections)))
    return Response(text, 201, {"Location": "/session/0"}, SDP)


def publishes_to_nowhere(met: Met) -> Run:
    async def run(lab: Lab) -> Outcome:
        lab.patch.setattr(policy, "PATH_WITHIN", 1.0)
        async with (
            foreign(Starlette(routes=[Route("/whip", _leads_nowhere, methods=["POST"])])) as where,
            _published(lab, f"http://{where}/whip", "front-door") as (url, http),
        ):
            began = time.monotonic()
            one = await _until(http, lambda seen: seen["fault"] is not None)
            code, said = await _told(met, lab, url, one)
            return Outcome(code, said, time.monotonic() - began)

    return run


# ---- several servers ----


@contextlib.asynccontextmanager
async def one_of_several(
    lab: Lab, redis: OwnRedis, name: str, **server: Any
) -> AsyncIterator[tuple[str, httpx2.AsyncClient]]:
    """One server of several; each has a simulated Ring of its own, since only what Redis knows counts here."""
    folder = lab.folder / name
    folder.mkdir()
    given: dict[str, Any] = {"redis_url": redis.url, "secret_key": "k" * 32, "server": server}
    async with (
        own_server(Lab(folder, lab.patch), **given) as (_, url),
        httpx2.AsyncClient(base_url=url, timeout=30) as http,
    ):
        yield url, http


def of_servers(meet: Callable[[Lab, OwnRedis], Awaitable[Outcome]]) -> Run:
    async def run(lab: Lab) -> Outcome:
        redis = OwnRedis()
        try:
            return await meet(lab, redis)
        finally:
            redis.close()

    return run


async def _held_elsewhere(lab: Lab, redis: OwnRedis) -> Outcome:
    """The script of a page asks a server for a camera that another one of another origin holds."""
    script = {"Content-Type": SDP, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
    async with one_of_several(lab, redis, "a") as (_, one), one_of_several(lab, redis, "b") as (_, two):
        held = (await one.post("whep/front-door", content=OFFER, headers={"Content-Type": SDP})).headers["location"]
        began = time.monotonic()
        problem = (await two.post("whep/front-door", content=OFFER, headers=script)).json()
        named = time.monotonic() - began
        await one.delete(held)
        began = time.monotonic()
        while time.monotonic() - began < ITSELF:
            if (await two.post("whep/front-door", content=OFFER, headers=script)).status_code == 201:
                return Outcome(problem["code"], problem["title"], named, "when asked again", time.monotonic() - began)
            await asyncio.sleep(0.2)
        return Outcome(problem["code"], problem["title"], named, "not yet", time.monotonic() - began)


def _without_redis(met: Met) -> Callable[[Lab, OwnRedis], Awaitable[Outcome]]:
    """Redis dies: a view is refused where no server may go on alone, and people are told of it."""

    async def meet(lab: Lab, redis: OwnRedis) -> Outcome:
        async with one_of_several(lab, redis, "a", alone_for=0 if met is Met.API else 600) as (url, http):
            redis.kill()
            began, said = time.monotonic(), ""
            code: str | None = None
            while code is None and time.monotonic() - began < 2 * ITSELF:
                if met is Met.COMMAND:
                    code, said = await _told(met, lab, url, None)
                else:
                    answer = await http.post("whep/front-door", content=OFFER, headers={"Content-Type": SDP})
                    problem: dict[str, Any] = (
                        answer.json() if answer.status_code >= 400 else {"code": None, "title": ""}
                    )
                    code, said = problem["code"], problem["title"]
            named, began = time.monotonic() - began, time.monotonic()
            redis.start()
            while time.monotonic() - began < 2 * ITSELF:
                if not (await http.get("api/cameras")).json()["faults"]:
                    return Outcome(code, said, named, "by itself", time.monotonic() - began)
                await asyncio.sleep(0.1)
            return Outcome(code, said, named, "not yet", time.monotonic() - began)

    return meet


def viewer_cells() -> Iterator[Cell]:
    for refusal in REFUSALS:
        yield Cell(refusal.code, Met.API, refusal.what, api_refuses(refusal))
    yield Cell("FILE-FULL", Met.COMMAND, "`record`: the disk has to stay freer than it is", command_finds_no_room())
    for met in (Met.API, Met.COMMAND):
        for publication in PUBLICATIONS:
            yield Cell(publication.code, met, publication.what, publishes(publication, met))
        yield Cell("PUBLISH-PATH", met, "the media server names an address where nobody is", publishes_to_nowhere(met))
    if PROGRAM is None:
        return
    yield Cell("CAM-ELSEWHERE", Met.API, "another server holds the camera", of_servers(_held_elsewhere))
    for met in (Met.API, Met.COMMAND):
        yield Cell("NODE-ALONE", met, "Redis is killed", of_servers(_without_redis(met)))
