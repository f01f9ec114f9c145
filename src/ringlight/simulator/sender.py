"""A simulated camera's media: a real peer that sends its clip."""

import asyncio
import itertools
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ringlight.media import rtcp, rtp, sdp
from ringlight.media.dtls import Role
from ringlight.media.peer import Peer
from ringlight.media.sdp import Codec, Description, Direction, Section, Transport
from ringlight.simulator import sound
from ringlight.simulator.clip import CLOCK_STEP, RATE, Clip
from ringlight.simulator.sound import RATES, SoundCodec, make_sound

RECENT = 512  # packets that a client may ask for again
REPORT_EVERY = 2.0  # seconds between sender reports
NOWHERE = "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host"


@dataclass(slots=True)
class Track:
    """One stream of RTP packets: its numbers, and what was sent."""

    codec: Codec
    ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    sequence: int = field(default_factory=lambda: secrets.randbelow(1 << 16))
    timestamp: int = field(default_factory=lambda: secrets.randbits(32))
    sent: int = 0
    octets: int = 0
    recent: deque[bytes] = field(default_factory=lambda: deque(maxlen=RECENT))

    def packets(self, payloads: Sequence[bytes], step: int) -> Iterator[bytes]:
        """Write the packets of one frame, then move the clock on by `step`."""
        for index, payload in enumerate(payloads):
            last = index == len(payloads) - 1
            packet = rtp.header(self.codec.payload_type, last, self.sequence, self.timestamp, self.ssrc) + payload
            self.recent.append(packet)
            yield packet
            self.sequence = (self.sequence + 1) % rtp.SEQUENCES
            self.sent += 1
            self.octets += len(payload)
        self.timestamp = (self.timestamp + step) % rtp.TIMESTAMPS

    def again(self, missing: Sequence[int]) -> Iterator[rtp.Packet]:
        """Return the packets of these numbers that are still kept."""
        kept = map(rtp.parse, self.recent)
        return (packet for packet in kept if packet.sequence in missing)

    def report(self, wall: float) -> bytes:
        """Write a sender report with its description."""
        report = rtcp.SenderReport(self.ssrc, rtcp.ntp_time(wall), self.timestamp, self.sent, self.octets)
        return rtcp.write(report) + rtcp.source_description(self.ssrc, "camera")


class CameraSender:
    """Answers an offer as Ring does and sends: DTLS client, candidates in the answer, one H.264 type, and sound.

    Args:
        clip: What it shows.
        offer: The client's.
        reachable: Whether its address works.
        codec: Of its sound, and of the sound that it takes.
        on_sound: Called with each RTP packet of the client, and the codec that was agreed on.
    """

    def __init__(
        self,
        clip: Clip,
        offer: Description,
        *,
        reachable: bool,
        codec: SoundCodec = "opus",
        on_sound: Callable[[bytes, Codec], None] = lambda _data, _codec: None,
    ) -> None:
        self._clip = clip
        self._offer = offer
        self._reachable = reachable
        self._video = Track(_choose(offer, clip))
        video = offer.find("video")
        repair = video.repair_of(self._video.codec) if video else None
        self._repair = Track(repair) if repair else None
        audio = offer.find("audio")
        self._codec: SoundCodec = codec
        self._on_sound = on_sound
        offered = audio.find(codec) if audio else None
        self._sound = Track(_sound_codec(codec, offered.payload_type)) if offered else None
        self._key_frame_wanted = False
        self._gathering: asyncio.Task[Transport] | None = None
        self._peer = Peer(controlling=False, on_rtp=self._on_rtp, on_rtcp=self._on_rtcp, on_closed=lambda _: None)

    async def answer(self) -> str:
        """Gather addresses and write the answer."""
        # Never cut short: the sockets that it just opens would be nobody's.
        self._gathering = asyncio.create_task(self._peer.gather())
        local = await asyncio.shield(self._gathering)
        candidates = local.candidates if self._reachable else (NOWHERE,)
        transport = Transport(local.ufrag, local.pwd, local.fingerprint, Role.CLIENT.value, candidates)
        sections = []
        for section in self._offer.sections:
            track = {"video": self._video, "audio": self._sound}.get(section.kind)
            if track is None:
                sections.append(sdp.refused(section))
                continue
            # Whatever was asked for, Ring answers sound with sendrecv (observed-protocol.md#answer).
            direction: Direction = "sendrecv" if section.kind == "audio" else "sendonly"
            repair = self._repair if section.kind == "video" else None
            sections.append(
                Section(
                    section.kind, section.mid, direction, (track.codec, repair.codec) if repair else (track.codec,),
                    transport, ssrc=track.ssrc, rtx_ssrc=repair.ssrc if repair else None,
                )
            )  # fmt: skip
        return sdp.write(Description(tuple(sections), tuple(s.mid for s in sections if s.port)))

    async def connect(self) -> None:
        """Open the path to the client; waits for ever where UDP does not come through."""
        remote = self._offer.transport
        if not self._reachable:
            await asyncio.Event().wait()
        await self._peer.connect(remote, Role.CLIENT)

    async def add_candidate(self, line: str) -> None:
        """Take a trickled address of the client."""
        if self._reachable:
            await self._peer.add_candidate(line)

    async def send(self) -> None:
        """Send picture and sound in real time, round and round, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_video())
            tasks.create_task(self._report())
            if self._sound is not None:
                tasks.create_task(self._send_sound(self._sound))

    def show(self, clip: Clip) -> None:
        """Go on with another clip of the same length and profile: the camera has turned."""
        self._clip = clip
        self._key_frame_wanted = True

    async def close(self) -> None:
        """End it."""
        if self._gathering is not None:
            await asyncio.wait({self._gathering})
        await self._peer.close()

    async def _send_video(self) -> None:
        at = 0
        async for _ in _beats(1 / RATE):
            if self._key_frame_wanted:
                self._key_frame_wanted = False
                at = self._clip.next_key_frame(at)
            for packet in self._video.packets(self._clip.frames[at].payloads, CLOCK_STEP):
                self._peer.send(packet)
            at = (at + 1) % len(self._clip.frames)

    async def _send_sound(self, track: Track) -> None:
        heard = itertools.cycle(make_sound(self._codec))
        async for _ in _beats(sound.FRAME):
            for packet in track.packets((next(heard),), round(sound.FRAME * track.codec.clock_rate)):
                self._peer.send(packet)

    async def _report(self) -> None:
        async for _ in _beats(REPORT_EVERY):
            for track in (self._video, self._sound):
                if track is not None:
                    self._peer.send_rtcp(track.report(time.time()))

    def _on_rtp(self, data: bytes) -> None:
        if self._sound is not None:
            self._on_sound(data, self._sound.codec)

    def _on_rtcp(self, data: bytes) -> None:
        for report in rtcp.parse(data):
            if isinstance(report, rtcp.KeyFrameRequest):
                self._key_frame_wanted = True
            elif isinstance(report, rtcp.Nack) and report.media == self._video.ssrc and self._repair is not None:
                self._send_again(self._repair, report.missing)

    def _send_again(self, repair: Track, missing: Sequence[int]) -> None:
        """Send packets again in a stream of their own (RFC 4588)."""
        for packet in self._video.again(missing):
            number, kind = repair.sequence, repair.codec.payload_type
            repair.sequence = (number + 1) % rtp.SEQUENCES
            head = rtp.header(kind, packet.marker, number, packet.timestamp, repair.ssrc)
            self._peer.send(head + packet.sequence.to_bytes(2, "big") + packet.payload)


async def _beats(period: float) -> AsyncIterator[None]:
    """Yield now and then every `period` seconds, without drifting."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        yield
        due += period
        await asyncio.sleep(max(0.0, due - loop.time()))


def _sound_codec(name: SoundCodec, payload_type: int) -> Codec:
    """Write the codec as Ring does: in capitals, with the payload type of the offer."""
    stereo = name == "opus"
    return Codec(payload_type, name.upper(), RATES[name], 2 if stereo else 1, {"useinbandfec": "1"} if stereo else {})


def _choose(offer: Description, clip: Clip) -> Codec:
    """Take the offered payload type of the clip's profile, else the first H.264."""
    video = offer.find("video")
    offered = [codec for codec in video.codecs if codec.is_called("H264")] if video else []
    ours = Codec(0, "H264", 90_000, 1, {"profile-level-id": clip.profile_level_id}).h264_profile
    chosen = next((codec for codec in offered if codec.h264_profile == ours), offered[0])
    parameters = {"profile-level-id": clip.profile_level_id, "packetization-mode": "1"}
    return Codec(chosen.payload_type, "H264", 90_000, 1, parameters, ("nack", "nack pli"))
