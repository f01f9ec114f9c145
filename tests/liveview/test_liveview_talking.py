"""Talking to the simulated camera over one view: what is sent, what is heard, and what outlives a renewal."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from test_liveview_renewal import renewals, renewing

from dialing import FRONT_DOOR, Notes, account_at, client_of
from ringlight.errors import RingError
from ringlight.liveview import LiveViewClient
from ringlight.media import negotiate, rtcp, rtp, sdp
from ringlight.media.dtls import Role
from ringlight.media.peer import Peer
from ringlight.media.rtp import Packet, header
from ringlight.simulator.hearing import Ear
from ringlight.simulator.sender import CameraSender
from ringlight.simulator.sound import SoundCodec, make_sound
from ringlight.simulator.world import Delays
from ringlight.testing import SimulatedRing
from tones import tone

pytestmark = pytest.mark.anyio
OPENING = ["mic_enable", "camera_options", "stream_options"]
CLOSING = ["mic_enable", "camera_options"]


@asynccontextmanager
async def speaking(client: LiveViewClient) -> AsyncIterator[None]:
    """Send sound all the time, whether the speaker is open or not."""

    async def speak() -> None:
        payloads = make_sound()
        for at in range(100_000):
            client.send_sound(Packet(0, False, at % 65_536, at * 960, 77, payloads[at % len(payloads)]))
            await asyncio.sleep(0.02)

    task = asyncio.create_task(speak())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def ear(ring: SimulatedRing) -> Ear:
    return ring.world.heard[FRONT_DOOR]


async def until(true: Callable[[], bool], within: float = 8.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.02)


def after_activation(notes: Notes) -> list[str]:
    """The methods that were sent once the view was active, but for what every view sends."""
    methods = [str(message["method"]) for message in notes.sent]
    return [method for method in methods[methods.index("ping") :] if method not in ("ping", "ice", "close")]


async def test_sound_is_heard_from_the_word_go_until_the_end_and_not_else(ring: SimulatedRing) -> None:
    notes = Notes()
    async with account_at(ring) as account, client_of(account, notes) as client:
        await notes.flowing.wait()
        async with speaking(client):
            await asyncio.sleep(0.2)
            assert ear(ring).as_dict() == {"hz": None, "seconds": 0, "unheard": 0, "noise": 0, "speaker": "closed"}
            await client.talk(on=True)
            await until(lambda: ear(ring).heard > 0.3)
            assert ear(ring).open_to
            await client.talk(on=False)
            await until(lambda: not ear(ring).open_to)
            heard = ear(ring).heard
            await asyncio.sleep(0.2)
        assert ear(ring).heard == heard
        assert ear(ring).unheard < 0.1, "what was on its way when the speaker closed"
    assert after_activation(notes) == [*OPENING, *CLOSING]
    assert [row["code"] for row in ring.world.dialogs[0].messages if row["code"]] == []


async def test_who_talks_early_waits_for_the_camera(ring: SimulatedRing) -> None:
    ring.world.delays = Delays(connected=0.4)
    notes = Notes()
    async with account_at(ring) as account, client_of(account, notes) as client:
        talking = asyncio.create_task(client.talk(on=True))
        await asyncio.sleep(0.2)
        assert not talking.done()
        await talking
        await until(lambda: bool(ear(ring).open_to))
    await until(lambda: not ear(ring).open_to)
    assert [row["code"] for row in ring.world.dialogs[0].messages if row["code"]] == []


async def test_a_camera_that_never_connects_opens_no_speaker(ring: SimulatedRing) -> None:
    ring.world.delays = Delays(connected=60)
    async with account_at(ring, camera_timeout=0.5) as account, client_of(account, Notes()) as client:
        with pytest.raises(RingError, match=r"CAM-COMMAND|SIG-NO-CAMERA"):
            await client.talk(on=True)
    assert not ear(ring).open_to


async def test_a_talk_goes_on_when_the_view_is_renewed(ring: SimulatedRing) -> None:
    """The new view's camera is told to listen as soon as it takes over; a talk that has ended opens no other."""
    notes = Notes()
    async with account_at(ring, renew_after=0.6) as account, renewing(account, notes, lambda: True) as client:
        await notes.flowing.wait()
        async with speaking(client):
            await client.talk(on=True)
            await until(lambda: renewals(notes) >= 2)
            heard = ear(ring).heard
            await until(lambda: ear(ring).heard > heard + 0.3)
            await client.talk(on=False)
            ended, seen = ear(ring).heard, renewals(notes)
            await until(lambda: renewals(notes) > seen)
            await asyncio.sleep(0.1)
        assert ear(ring).heard < ended + 0.1
    assert ear(ring).noise == 0
    dialogs = [[row["method"] for row in dialog.messages] for dialog in ring.world.dialogs]
    assert [methods.count("camera_options") for methods in dialogs[:2]] == [1, 1]
    assert dialogs[-1].count("camera_options") == 0
    assert [row["code"] for dialog in ring.world.dialogs for row in dialog.messages if row["code"]] == []


async def test_a_view_that_failed_and_is_tried_again_takes_the_talk_along(ring: SimulatedRing) -> None:
    ring.world.time_limit = 0.8
    notes = Notes()
    async with account_at(ring) as account, renewing(account, notes, lambda: True) as client:
        await notes.flowing.wait()
        async with speaking(client):
            await client.talk(on=True)
            await until(lambda: ring.world.live_views >= 2)
            before = ear(ring).heard
            await until(lambda: ear(ring).heard > before + 0.2)


async def test_sound_through_a_closed_speaker_is_counted_as_unheard() -> None:
    """Another client's mistake, played with a peer of its own: the simulator hears nothing, and says so."""
    from ringlight.simulator.behaviour import Behaviour
    from ringlight.simulator.clip import make_clip
    from ringlight.simulator.hearing import Listening

    ear = Ear()
    listening = Listening(ear, "D")
    peer = Peer(controlling=True, on_rtp=lambda _: None, on_rtcp=lambda _: None, on_closed=lambda _: None)
    offer = negotiate.camera_offer(await peer.gather(), audio=True)
    camera = CameraSender(make_clip("TEST", 150, "baseline"), offer, Behaviour(), random.Random(1), listening.packet)
    agreed = negotiate.read_answer(offer, sdp.parse(await camera.answer()))
    assert agreed.hears
    async with asyncio.timeout(10):
        await asyncio.gather(camera.connect(), peer.connect(agreed.transport, Role.SERVER))
        for at, payload in enumerate(make_sound()[:10]):
            peer.send(header(111, False, at, at * 960, 5) + payload)
        await until(lambda: ear.unheard > 0.19)
        listening.options(stealth=False)
        peer.send(header(111, False, 10, 9600, 5) + make_sound()[10])
        await until(lambda: ear.heard > 0)
        listening.microphone(enabled=False)
        peer.send(header(111, False, 11, 10560, 5) + make_sound()[11])
        peer.send(header(96, False, 12, 11520, 5) + b"no sound")
        await until(lambda: ear.noise == 1 and ear.unheard > 0.21)
    assert ear.as_dict()["speaker"] == "closed"
    await camera.close()
    await peer.close()


@pytest.mark.parametrize(("codec", "hz"), [("opus", 440), ("opus", 1500), ("pcmu", 440)])
async def test_a_file_is_said_and_measured_at_the_camera(
    ring: SimulatedRing, tmp_path: Path, codec: SoundCodec, hz: int
) -> None:
    """Encoded here, decoded there: the tone comes through, nothing is cut off, and the speaker closes."""
    ring.world.switch(["pcmu-sound"] if codec == "pcmu" else [])
    async with account_at(ring) as account:
        camera = await account.camera("Front Door")
        async with camera.live_view() as view:
            assert view.broadcast.codecs["audio"].is_called(codec)
            said = await view.say(tone(tmp_path / "tone.wav", hz, seconds=1.2))
            await until(lambda: not ear(ring).open_to)
    heard = ear(ring).as_dict()
    assert said == pytest.approx(1.2, abs=0.03)
    assert abs(heard["hz"] - hz) <= 10
    assert heard["seconds"] == pytest.approx(said, abs=0.05)
    assert heard["unheard"] <= 0.04  # the last packet or two may be overtaken by the message that closes the speaker
    assert (heard["noise"], heard["speaker"]) == (0, "closed")
    assert [row["code"] for dialog in ring.world.dialogs for row in dialog.messages if row["code"]] == []


async def test_what_we_send_is_reported_and_begins_with_a_marker(
    ring: SimulatedRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The camera's side plays in time by our sender reports; while nobody talks there is nothing to report."""
    reports: list[rtcp.Report] = []
    packets: list[Packet] = []
    monkeypatch.setattr(CameraSender, "_on_rtcp", lambda _, data: reports.extend(rtcp.parse(data)))
    monkeypatch.setattr(CameraSender, "_on_rtp", lambda _, data: packets.append(rtp.parse(data)))
    notes = Notes()
    async with account_at(ring) as account, client_of(account, notes) as client, speaking(client):
        await until(lambda: bool(reports))
        assert not any(isinstance(report, rtcp.SenderReport) for report in reports)
        await client.talk(on=True)
        await until(lambda: any(isinstance(report, rtcp.SenderReport) for report in reports))
        await client.talk(on=False)
        report = next(report for report in reports if isinstance(report, rtcp.SenderReport))
    assert {packet.ssrc for packet in packets} == {report.ssrc}
    assert report.packets > 0
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)
    assert {packet.payload_type for packet in packets} == {111}
    offer = next(str(message["body"]["sdp"]) for message in notes.sent if message["method"] == "live_view")
    assert f"a=ssrc:{report.ssrc} " in offer
