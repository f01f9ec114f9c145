"""Talking over the server's addresses: a viewer's own sound, its turn, and who takes the turn from it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from test_server import house

from ringlight.media.rtp import header
from ringlight.server import turn
from ringlight.simulator.hearing import Ear
from ringlight.simulator.sound import SoundCodec, make_sound
from ringlight.simulator.world import World
from whep_viewer import WhepViewer, viewer

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def speaking(who: WhepViewer, codec: SoundCodec = "opus") -> AsyncIterator[None]:
    """Send sound as a browser does: all the time, from some number on."""
    payload_type, step = (111, 960) if codec == "opus" else (0, 160)

    async def speak() -> None:
        for at in range(100_000):
            sound = make_sound(codec)
            who.send(
                header(payload_type, False, (65_530 + at) % 65_536, 5_000 + at * step, 99) + sound[at % len(sound)]
            )
            await asyncio.sleep(0.02)

    task = asyncio.create_task(speak())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def ear(world: World) -> Ear:
    return world.heard[1001]


async def until(true: Callable[[], bool], within: float = 8.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.02)


def complaints(world: World) -> list[object]:
    return [row for dialog in world.dialogs for row in dialog.messages if row["code"]]


@pytest.mark.parametrize("codec", ["opus", "pcmu"])
async def test_a_viewer_is_heard_during_its_turn_and_only_then(codec: SoundCodec) -> None:
    async with house() as (http, world):
        world.switch(["pcmu-sound"] if codec == "pcmu" else [])
        async with viewer(str(http.base_url), "front-door", http, talk=True) as playing, speaking(playing, codec):
            sound = playing.answer.find("audio")
            assert sound is not None
            assert (sound.direction, len(sound.codecs)) == ("sendrecv", 1)
            assert sound.codecs[0].is_called(codec)
            await playing.receive(10)
            await asyncio.sleep(0.2)
            assert (ear(world).heard, ear(world).unheard) == (0, 0), "outside of the turn nothing reaches the camera"
            assert (await http.post(f"{playing.location}/talk")).status_code == 204
            await until(lambda: ear(world).heard > 0.5)
            assert (await http.post(f"{playing.location}/talk")).status_code == 204, "it has the turn already"
            assert (await http.delete(f"{playing.location}/talk")).status_code == 204
            await until(lambda: not ear(world).open_to)
            heard = ear(world).heard
            await asyncio.sleep(0.2)
            assert ear(world).heard == heard
            assert ear(world).noise == 0
            assert (await http.delete(f"{playing.location}/talk")).status_code == 204, "it has ended already"
        assert complaints(world) == []


async def test_one_talks_and_another_is_told_to_wait() -> None:
    async with house() as (http, world):
        base = str(http.base_url)
        async with (
            viewer(base, "front-door", http, talk=True) as first,
            viewer(base, "front-door", http, talk=True) as second,
            speaking(first),
            speaking(second),
        ):
            await http.post(f"{first.location}/talk")
            refused = await http.post(f"{second.location}/talk")
            assert (refused.status_code, refused.json()["code"]) == (409, "CAM-TALK-BUSY")
            await http.delete(f"{second.location}/talk")
            assert ear(world).open_to, "who was refused cannot end the other's turn"
            await http.delete(f"{first.location}/talk")
            assert (await http.post(f"{second.location}/talk")).status_code == 204
            await until(lambda: ear(world).heard > 0.1)
        await until(lambda: not ear(world).open_to)


async def test_a_talker_who_leaves_or_falls_silent_gives_the_turn_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page keeps a speaker open that nobody talks through."""
    monkeypatch.setattr(turn, "SILENT", 0.5)
    async with house(linger=5) as (http, world):
        base = str(http.base_url)
        async with viewer(base, "front-door", http, talk=True) as leaving, speaking(leaving):
            await http.post(f"{leaving.location}/talk")
            await until(lambda: ear(world).heard > 0.6)
            assert ear(world).open_to
        await until(lambda: not ear(world).open_to)
        async with viewer(base, "front-door", http, talk=True) as silent:
            await http.post(f"{silent.location}/talk")
            await until(lambda: bool(ear(world).open_to))
            await until(lambda: not ear(world).open_to, within=3)
            again = await http.post(f"{silent.location}/talk")
            assert again.status_code == 204
        assert world.live_views == 1


async def test_a_turn_that_begins_while_the_one_before_ends_is_a_turn() -> None:
    async with (
        house() as (http, world),
        viewer(str(http.base_url), "front-door", http, talk=True) as playing,
        speaking(playing),
    ):
        talk = f"{playing.location}/talk"
        for _ in range(5):
            answers = await asyncio.gather(http.post(talk), http.delete(talk), http.post(talk), http.delete(talk))
            assert {answer.status_code for answer in answers} == {204}
        await http.post(talk)
        heard = ear(world).heard
        await until(lambda: ear(world).heard > heard + 0.2)
        await http.delete(talk)
        await until(lambda: not ear(world).open_to)


async def test_a_viewer_that_offered_no_sound_opens_no_speaker() -> None:
    """Nobody could say anything through it; what such a viewer sends all the same is dropped."""
    async with house() as (http, world), viewer(str(http.base_url), "front-door", http) as playing, speaking(playing):
        assert playing.answer.find("audio") is None
        refused = await http.post(f"{playing.location}/talk")
        assert (refused.status_code, refused.json()["code"]) == (400, "REQUEST-INVALID")
        assert "sendrecv" in refused.json()["detail"]
        await asyncio.sleep(0.2)
        assert (ear(world).heard, ear(world).unheard) == (0, 0)


async def test_a_turn_of_a_playback_that_is_not_there_is_viewer_gone() -> None:
    async with house() as (http, _):
        for method in ("POST", "DELETE"):
            gone = await http.request(method, "whep/front-door/nobody/talk")
            assert (gone.status_code, gone.json()["code"]) == (404, "VIEWER-GONE")
