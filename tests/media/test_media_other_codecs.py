"""HEVC and AV1 are passed through as H.264 is: a viewer of ours gets whole pictures of a camera that sends them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from fractions import Fraction
from functools import cache

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_kit import Calls, frame, ignore

from ringlight.cameras.view import View
from ringlight.errors import MediaError
from ringlight.liveview.story import Story
from ringlight.media import key_frames, negotiate, rtp, sdp
from ringlight.media.broadcast import Broadcast
from ringlight.media.dtls import Role
from ringlight.media.h264 import split_annex_b
from ringlight.media.peer import Peer
from ringlight.media.port import ViewerPort
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec, Description, Section
from ringlight.settings import MediaSettings

HEVC = Codec(106, "H265", 90_000, 1, {"level-id": "93", "profile-id": "1"}, ("nack", "nack pli"))
FRAMES, GROUP, LIMIT = 24, 12, 1100


@cache
def hevc_clip() -> tuple[tuple[bytes, ...], ...]:
    """Return the NAL units of a short film, frame by frame, made by libx265 through ffmpeg's library."""
    encoder = av.CodecContext.create("libx265", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, "yuv420p"
    encoder.time_base = Fraction(1, 15)
    encoder.options = {
        "preset": "ultrafast",
        "x265-params": f"keyint={GROUP}:min-keyint={GROUP}:bframes=0:repeat-headers=1:log-level=none:pools=none",
    }
    frames = []
    for at in range(FRAMES):
        picture = av.VideoFrame(320, 180, "rgb24")
        picture.planes[0].update(bytes((at * 9 + column // 3) % 256 for column in range(960)) * 180)
        picture.pts = at
        frames.append(picture.reformat(format="yuv420p"))
    packets = [packet for one in (*frames, None) for packet in encoder.encode(one)]
    return tuple(split_annex_b(bytes(packet)) for packet in packets)


def payloads(units: tuple[bytes, ...]) -> list[bytes]:
    """Cut the NAL units of a frame into RTP payloads (RFC 7798 section 4.4)."""
    found = []
    for unit in units:
        if len(unit) <= LIMIT:
            found.append(unit)
            continue
        kind = unit[0] >> 1 & 0x3F
        head = bytes([unit[0] & 0x81 | 49 << 1, unit[1]])
        pieces = [unit[at : at + LIMIT] for at in range(2, len(unit), LIMIT)]
        for at, piece in enumerate(pieces):
            flags = (0x80 if at == 0 else 0) | (0x40 if at == len(pieces) - 1 else 0)
            found.append(head + bytes([flags | kind]) + piece)
    return found


def units(packets: list[Packet]) -> bytes:
    """Put packets together to a stream with start codes again."""
    stream = b""
    for packet in packets:
        payload = packet.payload
        if payload[0] >> 1 & 0x3F != 49:
            stream += b"\0\0\0\1" + payload
        elif payload[2] & 0x80:
            stream += b"\0\0\0\1" + bytes([payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]]) + payload[3:]
        else:
            stream += payload[3:]
    return stream


def decoded(stream: bytes) -> int:
    """Return how many pictures a decoder makes of it."""
    decoder = av.CodecContext.create("hevc", "r")
    packets = [*decoder.parse(stream), *decoder.parse(None), None]
    return sum(len(decoder.decode(packet)) for packet in packets)


def camera_frames(first: int, end: int) -> list[Packet]:
    """Return the packets of some frames as a camera sends them, numbered on from those before."""
    before = sum(len(payloads(hevc_clip()[at])) for at in range(first))
    found: list[Packet] = []
    for at in range(first, end):
        found += frame(0, 6000 * at, *payloads(hevc_clip()[at]))
    return [
        Packet(HEVC.payload_type, one.marker, 500 + before + number, one.timestamp, 5, one.payload)
        for number, one in enumerate(found)
    ]


@contextlib.asynccontextmanager
async def _watching(port: ViewerPort, broadcast: Broadcast, offered: Codec) -> AsyncIterator[list[Packet]]:
    got: list[Packet] = []
    peer = Peer(
        controlling=True, on_rtp=lambda data: got.append(rtp.parse(data)), on_rtcp=ignore, on_closed=Calls()
    )  # fmt: skip
    try:
        own = await peer.gather()
        video = Section("video", "0", "recvonly", (Codec(96, "H264", 90_000), offered), own)
        offer = negotiate.read_viewer_offer(sdp.write(Description((video,), ("0",))))
        local = port.transport()
        ssrcs = {kind: track.ssrc for kind, track in broadcast.tracks.items()}
        answer, seats = negotiate.answer_viewer(offer, broadcast.codecs, local, ssrcs, "cname")
        viewer = port.add(
            local, offer.transport, seats, broadcast.tracks, "cname",
            on_key_frame=broadcast.ask_key_frame, on_closed=Calls(),
        )  # fmt: skip
        broadcast.add(viewer)
        await peer.connect(answer.transport, Role.CLIENT)
        async with asyncio.timeout(5):
            while not viewer.connected:
                await asyncio.sleep(0.01)
        yield got
    finally:
        await peer.close()


@pytest.mark.anyio
async def test_hevc_of_a_camera_reaches_a_viewer_whole_and_a_late_one_begins_with_a_key_frame() -> None:
    """No browser of Debian decodes it, so a peer of ours is the viewer, and ffmpeg's decoder its screen."""
    async with ViewerPort(MediaSettings(announce=["127.0.0.1"])) as port, asyncio.timeout(20):
        broadcast = Broadcast({"video": HEVC}, 1500, ignore)
        for packet in camera_frames(0, FRAMES - 4):
            broadcast.push(packet)
        async with _watching(port, broadcast, Codec(98, "H265", 90_000, 1, {"profile-id": "1"})) as got:
            sent = broadcast.received
            for packet in camera_frames(FRAMES - 4, FRAMES):
                broadcast.push(packet)
            wanted = len([one for at in range(GROUP, FRAMES) for one in payloads(hevc_clip()[at])])
            while len(got) < wanted:
                await asyncio.sleep(0.01)
    assert sent < broadcast.received
    assert {packet.payload_type for packet in got} == {98}
    assert key_frames.hevc(got[0].payload)
    assert units(got) == b"".join(b"\0\0\0\1" + unit for at in range(GROUP, FRAMES) for unit in hevc_clip()[at])
    assert decoded(units(got)) == FRAMES - GROUP


@pytest.mark.anyio
async def test_of_hevc_no_still_and_no_recording_is_made_and_it_is_said_why(tmp_path: object) -> None:
    broadcast = Broadcast({"video": HEVC}, 1500, ignore)
    view = View(None, broadcast, asyncio.get_running_loop().create_future(), Story())  # type: ignore[arg-type]
    with pytest.raises(MediaError, match=r"MEDIA-CODEC.*H265"):
        await view.snapshot()
    with pytest.raises(MediaError, match=r"MEDIA-CODEC.*H265"):
        await view.record(f"{tmp_path}/x.mp4", seconds=1)


@pytest.mark.parametrize(
    ("source", "offered", "taken"),
    [
        ("H265", Codec(98, "h265", 90_000), True),  # Main is meant where nothing is said
        ("H265", Codec(98, "H265", 90_000, 1, {"profile-id": "2"}), False),
        ("AV1", Codec(45, "AV1", 90_000, 1, {"level-idx": "5"}), True),
        ("AV1", Codec(45, "AV1", 90_000, 1, {"profile": "1"}), False),
        ("AV1", Codec(45, "AV1X", 90_000), False),
        ("H265", Codec(45, "H264", 90_000), False),
    ],
)
def test_a_viewer_gets_what_the_camera_sends_if_it_wants_that_profile(source: str, offered: Codec, taken: bool) -> None:
    own = sdp.Transport("abcd", "p" * 22, ":".join(["AB"] * 32), "actpass")
    offer = Description((Section("video", "0", "recvonly", (offered,), own),), ("0",))
    sources = {"video": Codec(96, source, 90_000)}
    if taken:
        _, seats = negotiate.answer_viewer(offer, sources, own, {"video": 7}, "c")
        assert seats["video"].codec is offered
    else:
        with pytest.raises(MediaError, match=f"can receive {source}"):
            negotiate.answer_viewer(offer, sources, own, {"video": 7}, "c")


def test_a_camera_is_offered_hevc_only_where_that_is_wanted_and_last() -> None:
    """Ring turns HEVC into H.264 for who does not offer it; every browser can show that."""
    own = sdp.Transport("abcd", "p" * 22, ":".join(["AB"] * 32), "actpass")
    usual, with_hevc = (negotiate.camera_offer(own, audio=False, hevc=wanted) for wanted in (False, True))
    assert usual.sections[0].find("H265") is None
    names = [codec.name for codec in with_hevc.sections[0].codecs]
    assert names[-2:] == ["H265", "rtx"]
    answered = Description((Section("video", "0", "sendonly", (HEVC,), sdp.Transport(
        "abcd", "p" * 22, own.fingerprint, "active")),))  # fmt: skip
    assert negotiate.read_answer(with_hevc, answered).codecs["video"].name == "H265"
    with pytest.raises(MediaError, match="SDP-CODEC"):
        negotiate.read_answer(usual, answered)


@pytest.mark.parametrize(
    ("payload", "starts"),
    [
        (bytes([32 << 1, 1, 0]), True),  # VPS
        (bytes([33 << 1, 1, 0]), True),  # SPS
        (bytes([34 << 1, 1, 0]), False),  # PPS alone
        (bytes([19 << 1, 1, 0]), True),  # IDR
        (bytes([21 << 1, 1, 0]), True),  # CRA
        (bytes([1 << 1, 1, 0]), False),
        (bytes([49 << 1, 1, 0x80 | 19]), True),
        (bytes([49 << 1, 1, 0x40 | 19]), False),
        (bytes([49 << 1, 1, 0x80 | 1]), False),
        (bytes([48 << 1, 1, 0, 3, 35 << 1, 1, 0, 0, 3, 33 << 1, 1, 0]), True),
        (bytes([48 << 1, 1, 0, 9, 33 << 1, 1]), False),  # cut off
        (b"", False),
    ],
)
def test_a_key_frame_of_hevc_is_known_by_its_first_packet(payload: bytes, starts: bool) -> None:
    assert key_frames.hevc(payload) is starts


@pytest.mark.parametrize(
    ("payload", "starts"),
    [(b"\x18\x0a", True), (b"\x10\x32", False), (b"\x98\x0a", False), (b"\x08", False), (b"", False)],
)
def test_a_key_frame_of_av1_is_known_by_its_aggregation_header(payload: bytes, starts: bool) -> None:
    assert key_frames.av1(payload) is starts


@given(st.binary(max_size=40), st.sampled_from(["H264", "H265", "AV1", "VP8"]))
def test_no_payload_breaks_the_search_for_key_frames(payload: bytes, name: str) -> None:
    assert key_frames.of(Codec(96, name, 90_000))(payload) in (True, False)
