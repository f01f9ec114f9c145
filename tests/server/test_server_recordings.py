"""Recordings over the API: begun, looked at, fetched in ranges, ended, kept over a restart, and nothing but they."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import httpx2
import pytest

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.secrets import Secret
from ringlight.server.program import run_server
from ringlight.server.recordings import Recordings
from ringlight.settings import CameraSettings, MediaSettings, RecordingSettings, ServerSettings, Settings
from ringlight.simulator.world import World
from ringlight.store import MemoryTokenStore
from ringlight.store.shelf import Item, Shelf
from ringlight.testing import simulator

pytestmark = pytest.mark.anyio
ADDRESS = "api/cameras/front-door/recordings"


@contextlib.asynccontextmanager
async def house(
    state: Path, media: MediaSettings | None = None, **limits: Any
) -> AsyncIterator[tuple[httpx2.AsyncClient, World]]:
    """A simulated Ring, a signed-in account and the server, with a client for it."""
    async with simulator() as ring:
        settings = Settings(
            ring_url=ring.url, state_dir=state, server=ServerSettings(port=0), cameras=CameraSettings(linger=0.2),
            media=media or MediaSettings(), recordings=RecordingSettings(**limits),
        )  # fmt: skip
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        async with (
            Account.open(settings, store=MemoryTokenStore(), credentials=known) as account,
            run_server(settings, account) as serving,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{serving.port}/", timeout=20) as http,
        ):
            yield http, ring.world


async def ended(http: httpx2.AsyncClient, location: str) -> dict[str, Any]:
    async with asyncio.timeout(15):
        while (made := (await http.get(location)).json())["status"] == "recording":
            await asyncio.sleep(0.05)
    return dict(made)


async def grown(http: httpx2.AsyncClient, location: str) -> dict[str, Any]:
    async with asyncio.timeout(15):
        while not (made := (await http.get(location)).json())["bytes"]:
            await asyncio.sleep(0.05)
    return dict(made)


async def test_a_recording_is_made_looked_at_fetched_and_removed(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, world):
        begun = await http.post(ADDRESS, json={"seconds": 2})
        assert begun.status_code == 201
        location = begun.headers["location"]
        assert location == f"/{ADDRESS}/{begun.json()['id']}"
        assert begun.json()["status"] == "recording"
        made = await ended(http, location)
        assert made["status"] == "done"
        assert made["fault"] is None
        assert made["seconds"] == pytest.approx(2.0, abs=0.1)
        assert made["files"] == [f"{location}.mp4"]
        whole = await http.get(made["files"][0])
        assert whole.headers["content-type"] == "video/mp4"
        assert whole.headers["accept-ranges"] == "bytes"
        assert len(whole.content) == made["bytes"]
        part = await http.get(made["files"][0], headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, whole.content[100:200])
        assert part.headers["content-range"] == f"bytes 100-199/{made['bytes']}"
        assert (await http.head(made["files"][0])).headers["content-length"] == str(made["bytes"])
        (tmp_path / "fetched.mp4").write_bytes(whole.content)
        with av.open(str(tmp_path / "fetched.mp4")) as file:
            assert {stream.type for stream in file.streams} == {"video", "audio"}
            assert sum(1 for _ in file.decode(video=0)) == pytest.approx(30, abs=2)
        assert [one["id"] for one in (await http.get(ADDRESS)).json()["recordings"]] == [made["id"]]
        assert (await http.delete(location)).status_code == 204
        assert (await http.get(location)).json()["code"] == "FILE-GONE"
        assert (await http.get(ADDRESS)).json() == {"recordings": []}
        assert world.live_views == 1


async def test_it_is_looked_at_fetched_and_removed_while_ring_answers_nobody(tmp_path: Path) -> None:
    """It lies here: nobody has to be asked which cameras there are."""
    async with house(tmp_path) as (http, _):
        made = await ended(http, (await http.post(ADDRESS, json={"seconds": 1})).headers["location"])
    async with house(tmp_path) as (http, world):  # started anew, it knows no camera yet
        world.switch(["rate-429"])
        assert [one["id"] for one in (await http.get(ADDRESS)).json()["recordings"]] == [made["id"]]
        location = f"{ADDRESS}/{made['id']}"
        assert (await http.get(location)).json() == made
        assert len((await http.get(made["files"][0])).content) == made["bytes"]
        assert (await http.delete(location)).status_code == 204
        gone = await http.get(location)
        assert gone.json()["code"] == "AUTH-RATE", "where it may be else, only who lists the cameras can say"


async def test_delete_ends_one_that_runs_and_keeps_it(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, _):
        location = (await http.post(ADDRESS)).headers["location"]
        seen = await grown(http, location)
        assert seen["status"] == "recording"
        for _ in range(20):  # while it grows, what is sent is as long as was said
            fetched = await http.get(seen["files"][0])
            assert len(fetched.content) == int(fetched.headers["content-length"]) >= seen["bytes"]
        assert (await http.head(seen["files"][0])).content == b""
        stopped = await http.delete(location)
        assert stopped.status_code == 200
        assert stopped.json()["status"] == "done"
        assert stopped.json()["seconds"] >= 0.9
        assert stopped.json()["bytes"] >= seen["bytes"]


async def test_who_ends_it_once_more_does_not_cut_its_note_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would run for ever in the eyes of everybody, and its place would be gone."""
    at_note, go_on, note = threading.Event(), threading.Event(), Shelf.note
    ends, stop = list[str](), Recordings.stop

    def slowly(shelf: Shelf, item: Item) -> None:
        if item.status == "done":
            at_note.set()
            assert go_on.wait(10)
        note(shelf, item)

    async def counted(recordings: Recordings, item: Item) -> Item:
        ends.append(item.id)
        return await stop(recordings, item)

    monkeypatch.setattr(Shelf, "note", slowly)
    monkeypatch.setattr(Recordings, "stop", counted)
    async with house(tmp_path, at_once=1) as (http, _):
        location = (await http.post(ADDRESS)).headers["location"]
        first = asyncio.create_task(http.delete(location))
        assert await asyncio.to_thread(at_note.wait, 10)
        second = asyncio.create_task(http.delete(location))
        async with asyncio.timeout(10):
            while len(ends) < 2:
                await asyncio.sleep(0.01)
        assert (await http.get(location)).json()["status"] == "recording"
        go_on.set()
        assert [(await one).json()["status"] for one in (first, second)] == ["done", "done"]
        assert (await http.delete(location)).status_code == 204
        assert (await http.post(ADDRESS, json={"seconds": 1})).status_code == 201


async def test_who_follows_the_camera_sees_that_it_is_recorded(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, _), http.stream("GET", "api/cameras/front-door/events") as stream:
        seen: list[int] = []
        posting = asyncio.create_task(http.post(ADDRESS, json={"seconds": 1}))
        async with asyncio.timeout(15):
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    count = json.loads(line[6:])["recordings"]
                    seen += [count] if seen[-1:] != [count] else []
                if seen == [0, 1, 0]:
                    break
        assert (await posting).status_code == 201


async def test_it_begins_before_it_was_asked_for_where_the_past_is_kept(tmp_path: Path) -> None:
    async with house(tmp_path, MediaSettings(past=10)) as (http, _):
        first = (await http.post(ADDRESS, json={"seconds": 3})).headers["location"]
        async with asyncio.timeout(15):
            while (await http.get(first)).json()["seconds"] < 2:
                await asyncio.sleep(0.05)
        second = (await http.post(ADDRESS, json={"seconds": 1, "before": 1.5})).headers["location"]
        assert (await ended(http, second))["seconds"] == pytest.approx(2.5, abs=0.15)
        await ended(http, first)


async def test_as_many_run_at_once_as_are_allowed(tmp_path: Path) -> None:
    async with house(tmp_path, at_once=1) as (http, _):
        location = (await http.post(ADDRESS)).headers["location"]
        refused = await http.post(ADDRESS)
        assert (refused.status_code, refused.json()["code"]) == (429, "FILE-BUSY")
        await http.delete(location)
        assert (await http.post(ADDRESS, json={"seconds": 1})).status_code == 201


async def test_the_room_for_all_of_them_is_a_limit_that_ends_them_in_order(tmp_path: Path) -> None:
    async with house(tmp_path, total=0.5, bit_rate=0.1) as (http, _):
        made = await ended(http, (await http.post(ADDRESS, json={"seconds": 20})).headers["location"])
        assert made["status"] == "failed"
        assert made["fault"]["code"] == "FILE-FULL"
        assert made["seconds"] > 2
        assert (await http.get(made["files"][0])).status_code == 200
        refused = await http.post(ADDRESS, json={"seconds": 20})
        assert (refused.status_code, refused.json()["code"]) == (507, "FILE-FULL")


async def test_a_camera_that_cannot_be_watched_leaves_nothing_on_the_shelf(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, world):
        world.switch(["offline"])
        refused = await http.post(ADDRESS, json={"seconds": 1})
        assert refused.json()["code"] == "CAM-OFFLINE"
        assert (await http.get(ADDRESS)).json() == {"recordings": []}


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2ftokens", "%2e%2e%2ftokens", "20261121-054412-0123abcd", "20261121-054412-0123abcd-2", "%00", "x" * 300],
)
async def test_a_name_of_somebody_else_leads_nowhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "tokens.mp4").write_bytes(b"secret")
    async with house(tmp_path) as (http, _):
        for address in (f"{ADDRESS}/{name}.mp4", f"{ADDRESS}/{name}"):
            answer = await http.get(address)
            assert b"secret" not in answer.content
            assert answer.status_code == 404


@pytest.mark.parametrize("body", [{"seconds": 0}, {"seconds": "long"}, {"before": -1}, {"seconds": 1e9}, []])
async def test_a_request_that_makes_no_sense_is_told_where(tmp_path: Path, body: Any) -> None:
    async with house(tmp_path) as (http, world):
        answer = await http.post(ADDRESS, json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "REQUEST-INVALID")
        assert world.live_views == 0


async def test_leaving_the_server_ends_what_runs_in_order_and_the_next_one_lists_it(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, _):
        await grown(http, (await http.post(ADDRESS)).headers["location"])
    async with house(tmp_path) as (http, _):
        (made,) = (await http.get(ADDRESS)).json()["recordings"]
        assert made["status"] == "done"
        assert made["seconds"] >= 0.9


async def test_what_ran_when_the_server_was_killed_is_listed_as_interrupted(tmp_path: Path) -> None:
    async with house(tmp_path) as (http, _):
        await ended(http, (await http.post(ADDRESS, json={"seconds": 2})).headers["location"])
    (note,) = (tmp_path / "recordings" / "front-door").glob("*.json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "status": "recording", "seconds": 0, "files": []}))
    (note.parent / "20260101-000000-00000000.json").write_text("half a no")
    async with house(tmp_path) as (http, _):
        (made,) = (await http.get(ADDRESS)).json()["recordings"]
        assert made["status"] == "interrupted"
        assert made["seconds"] == pytest.approx(2.0, abs=0.1)
        assert (await http.get(made["files"][0])).status_code == 200
