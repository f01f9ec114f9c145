"""Who may talk to a camera, with a driver made by hand: one at a time, and nobody keeps the speaker open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from test_shared_view import VIDEO, HandUpstream, House, settle

from ringlight.cameras import View
from ringlight.cameras.talking import MAX_PAYLOAD, MAX_RATE
from ringlight.errors import RingError, fault_error
from ringlight.media import speech
from ringlight.media.negotiate import Agreed
from ringlight.media.sdp import Codec, Transport
from tones import tone

pytestmark = pytest.mark.anyio
OPUS, PCMU = Codec(111, "OPUS", 48_000, 2), Codec(0, "PCMU", 8_000)


def agreed(codec: Codec, *, hears: bool = True) -> Agreed:
    return Agreed({"video": VIDEO, "audio": codec}, Transport(), hears=hears)


@asynccontextmanager
async def watched(codec: Codec = OPUS, *, hears: bool = True) -> AsyncIterator[tuple[House, View, HandUpstream]]:
    house = House()
    joining = house.view.join()
    entering = asyncio.ensure_future(joining.__aenter__())
    await settle()
    upstream = house.made[0]
    upstream.answered.set_result(None)
    view = await entering
    upstream.on_agreed(agreed(codec, hears=hears))
    yield house, view, upstream
    await joining.__aexit__(None, None, None)


async def test_the_speaker_is_open_for_as_long_as_somebody_talks() -> None:
    async with watched() as (house, view, upstream):
        assert house.view.progress.as_dict()["talk"] == "free"
        async with view.talk() as talker:
            assert upstream.talks == [True]
            assert house.view.progress.as_dict()["talk"] == "taken"
            talker.send(b"first", 0)
            talker.send(b"second", 960)
        assert upstream.talks == [True, False]
        assert house.view.progress.talk == "free"
        talker.send(b"too late", 1920)
    first, second = upstream.sound
    assert [(packet.payload, packet.timestamp, packet.marker) for packet in (first, second)] == [
        (b"first", 0, True), (b"second", 960, False),
    ]  # fmt: skip
    assert (second.sequence - first.sequence) % 65_536 == 1
    assert first.ssrc == second.ssrc
    assert talker.codec == OPUS


async def test_a_second_one_is_refused_until_the_first_has_ended() -> None:
    async with watched() as (_, view, upstream):
        async with view.talk():
            with pytest.raises(RingError, match="CAM-TALK-BUSY"):
                async with view.talk():
                    raise AssertionError("two talk at a time")
        async with view.talk():
            assert upstream.talks == [True, False, True]


async def test_an_error_of_the_talker_closes_the_speaker() -> None:
    async with watched() as (_, view, upstream):
        with pytest.raises(ZeroDivisionError):
            async with view.talk():
                raise ZeroDivisionError
        assert upstream.talks == [True, False]


async def test_a_speaker_that_does_not_open_gives_the_turn_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with watched() as (house, view, upstream):
        talks: list[bool] = []

        async def talk(*, on: bool) -> None:
            talks.append(on)
            if on:
                raise fault_error("CAM-COMMAND", "asleep")

        monkeypatch.setattr(upstream, "talk", talk)
        with pytest.raises(RingError, match="CAM-COMMAND"):
            async with view.talk():
                raise AssertionError("nobody hears this")
        assert talks == [True, False]
        assert house.view.progress.talk == "free"


async def test_a_camera_that_takes_no_sound_cannot_be_talked_to() -> None:
    async with watched(hears=False) as (house, view, upstream):
        assert not view.hears
        assert house.view.progress.talk == "none"
        with pytest.raises(RingError, match="CAM-NO-TALK"):
            async with view.talk():
                raise AssertionError("nobody hears this")
        with pytest.raises(RingError, match="CAM-NO-TALK"):
            await view.say("hello.wav")
        assert upstream.talks == []


async def test_after_a_renewal_with_another_codec_old_sound_is_not_sent_as_noise() -> None:
    async with watched() as (_, view, upstream):
        async with view.talk() as talker:
            upstream.on_agreed(agreed(PCMU))
            talker.send(b"opus", 0)
            assert upstream.sound == []
        async with view.talk() as talker:
            assert talker.codec == PCMU
            talker.send(b"pcmu", 0)
    assert [packet.payload for packet in upstream.sound] == [b"pcmu"]


async def test_a_flood_is_cut_and_what_is_no_speech_is_dropped() -> None:
    async with watched() as (_, view, upstream), view.talk() as talker:
        talker.send(bytes(MAX_PAYLOAD + 1), 0)
        for at in range(3 * MAX_RATE):
            talker.send(b"x", at * 960)
        assert 0 < len(upstream.sound) <= 2 * MAX_RATE  # a second may end in between


async def test_a_view_that_ends_while_a_file_is_said_says_why(tmp_path: Path) -> None:
    async with watched() as (house, view, upstream):
        saying = asyncio.create_task(view.say(tone(tmp_path / "long.wav", 440, seconds=5)))
        async with asyncio.timeout(5):
            while len(upstream.sound) < 5:
                await asyncio.sleep(0.01)
        upstream.over.set_result(fault_error("SIG-PING"))
        with pytest.raises(RingError, match="SIG-PING"):
            await saying
        assert upstream.talks == [True, False]
        assert house.view.progress.talk == "none"


@pytest.mark.parametrize(("codec", "bytes_each"), [(OPUS, None), (PCMU, 160)])
def test_a_file_becomes_frames_of_twenty_milliseconds(tmp_path: Path, codec: Codec, bytes_each: int | None) -> None:
    path = tone(tmp_path / "tone.wav", 440, seconds=1.0, rate=22_050)
    frames = list(speech.encode(path, codec))
    assert 50 <= len(frames) <= 52
    assert all(0 < len(frame) <= MAX_PAYLOAD for frame in frames)
    if bytes_each:
        assert {len(frame) for frame in frames[:-1]} == {bytes_each}
    assert speech.samples_in_frame(codec) == codec.clock_rate // 50
