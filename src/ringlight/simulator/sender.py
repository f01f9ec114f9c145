"""A simulated camera's media: a real peer that sends its clip."""

import asyncio
import contextlib
import itertools
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ringlight.media import rtcp, rtp, sdp
from ringlight.media.dtls import Role
from ringlight.media.peer import Peer
from ringlight.media.sdp import Codec, Description, Direction, Section, Transport
from ringlight.simulator import sound
from ringlight.simulator.behaviour import Behaviour
from ringlight.simulator.clip import CLOCK_STEP, RATE, Clip
from ringlight.simulator.sound import RATES, make_sound

RECENT = 512  # packets that a client may ask for again
REPORT_EVERY = 2.0  # seconds between sender reports
NOWHERE = "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host"
UNOFFERED = "f40029"  # High 4:4:4, which no client offers
TCP_NOWHERE = "candidate:9 1 TCP 1010828031 127.0.0.1 9 typ host tcptype passive"


@dataclass(slots=True)
class Track:
    """One stream of RTP packets: its numbers, and what was sent."""

    codec: Codec
    ssrc: int
    sequence: int
    timestamp: int
    sent: int = 0
    octets: int = 0
    recent: deque[bytes] = field(default_factory=lambda: deque(maxlen=RECENT))

    @classmethod
    def begin(cls, codec: Codec, dice: random.Random) -> "Track":
        """Start a stream with numbers by chance, as RTP wants it."""
        return cls(codec, dice.getrandbits(32), dice.getrandbits(16), dice.getrandbits(32))

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
    """Answers an offer as Ring does and sends: DTLS client, one H.264 type, and sound.

    Args:
        clip: What the camera sees.
        offer: The client's.
        how: What may go one way or another: candidates, codecs, direction, silence.
        dice: For the numbers of the streams.
        on_sound: Called with each RTP packet of the client, and the codec that was agreed on.

    Attributes:
        key_frames: Whether key frames are among the pictures; it may change while they are sent.
    """

    def __init__(
        self,
        clip: Clip,
        offer: Description,
        how: Behaviour,
        dice: random.Random,
        on_sound: Callable[[bytes, Codec], None] = lambda _data, _codec: None,
    ) -> None:
        self._clip = clip
        self._offer = offer
        self._how = how
        self._video = Track.begin(_choose(offer, clip, how), dice)
        video = offer.find("video")
        repair = video.repair_of(self._video.codec) if video else None
        self._repair = Track.begin(repair, dice) if repair else None
        heard = _choose_sound(offer, how)
        self._sound = Track.begin(heard, dice) if heard else None
        self._on_sound = on_sound
        self.key_frames = how.key_frames
        self._key_frame_wanted = False
        self._gathering: asyncio.Task[Transport] | None = None
        self._peer = Peer(
            controlling=False, on_rtp=self._on_rtp, on_rtcp=self._on_rtcp, on_closed=lambda _: None,
            listens=how.reachable and how.tcp in ("also", "only"),
        )  # fmt: skip

    async def answer(self) -> str:
        """Gather addresses and write the answer."""
        local = await self._local()
        if self._how.video == "garbage":
            return "no session description\r\n"
        candidates = await self.candidates() if self._how.candidates != "trickled" else ()
        print_of = self._fingerprint(local.fingerprint)
        transport = Transport(local.ufrag, local.pwd, print_of, Role.CLIENT.value, candidates)
        sections = []
        for section in self._offer.sections:
            track = {"video": self._video, "audio": self._sound}.get(section.kind)
            if track is None or (section.kind == "video" and self._how.video == "none"):
                sections.append(sdp.refused(section))
                continue
            direction: Direction = self._how.sound_direction if section.kind == "audio" else self._how.direction
            repair = self._repair if section.kind == "video" else None
            sections.append(
                Section(
                    section.kind, section.mid, direction, (track.codec, repair.codec) if repair else (track.codec,),
                    transport, ssrc=track.ssrc, rtx_ssrc=repair.ssrc if repair else None,
                )
            )  # fmt: skip
        return sdp.write(Description(tuple(sections), tuple(s.mid for s in sections if s.port)))

    def _fingerprint(self, own: str) -> str:
        """Return what the answer says of the certificate."""
        named = own if self._how.own_certificate else ":".join(reversed(own.split(":")))
        return named.lower() if self._how.odd_case else named

    async def candidates(self) -> tuple[str, ...]:
        """Return the camera's addresses, those that lead nowhere included."""
        local = await self._local()
        if self._how.tcp == "nowhere" or not self._how.reachable:
            return (TCP_NOWHERE,) if self._how.tcp == "nowhere" else (NOWHERE, TCP_NOWHERE)
        over_tcp = tuple(line for line in local.candidates if " tcptype passive" in line)
        over_udp = tuple(line for line in local.candidates if line not in over_tcp)
        if self._how.odd_case:
            over_udp = tuple(line.replace(" udp ", " UdP ") for line in over_udp)
        return (*(over_udp if self._udp else (NOWHERE,)), *over_tcp)

    async def _local(self) -> Transport:
        if self._gathering is None:
            # Never cut short: the sockets that it just opens would be nobody's.
            self._gathering = asyncio.create_task(self._peer.gather())
        return await asyncio.shield(self._gathering)

    async def connect(self) -> None:
        """Open the path to the client; waits for ever where UDP does not come through."""
        remote = self._offer.transport
        if not self._can_be_reached:
            await asyncio.Event().wait()
        await self._peer.connect(remote if self._udp else replace(remote, candidates=()), Role.CLIENT)

    async def add_candidate(self, line: str) -> None:
        """Take a trickled address of the client."""
        if self._can_be_reached and self._udp:
            await self._peer.add_candidate(line)

    @property
    def _can_be_reached(self) -> bool:
        return self._how.reachable and self._how.tcp != "nowhere"

    @property
    def _udp(self) -> bool:
        return self._how.tcp != "only"

    async def send(self) -> None:
        """Send picture and sound in real time, round and round, until cancelled; or for as long as it may."""
        if not self._how.sends:
            await asyncio.Event().wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._how.sends_for):
                await self._send_all()
        await asyncio.Event().wait()

    async def _send_all(self) -> None:
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
            frame = self._clip.frames[at]
            sent = frame.payloads if self.key_frames or not frame.key_frame else ()
            for packet in self._video.packets(sent, CLOCK_STEP):
                self._peer.send(packet)
            at = (at + 1) % len(self._clip.frames)

    async def _send_sound(self, track: Track) -> None:
        heard = itertools.cycle(make_sound(self._how.sound))
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


def _choose(offer: Description, clip: Clip, how: Behaviour) -> Codec:
    """Take the offered payload type of the clip's profile, else the first H.264; or what is told to go wrong."""
    video = offer.find("video")
    taken = {codec.payload_type for codec in video.codecs} if video else set()
    free = next(number for number in range(35, 64) if number not in taken)
    if how.video == "hevc":
        wanted = next((codec for codec in video.codecs if codec.is_called("H265")), None) if video else None
        return Codec(
            wanted.payload_type if wanted else free, "H265", 90_000, 1, {"level-id": "93"}, ("nack", "nack pli")
        )
    offered = [codec for codec in video.codecs if codec.is_called("H264")] if video else []
    ours = Codec(0, "H264", 90_000, 1, {"profile-level-id": clip.profile_level_id}).h264_profile
    chosen = next((codec for codec in offered if codec.h264_profile == ours), offered[0])
    said = UNOFFERED if how.video == "unoffered-profile" else clip.profile_level_id
    parameters = {"profile-level-id": said, "packetization-mode": "1"}
    number = free if how.video == "unoffered-type" else chosen.payload_type
    return Codec(number, "h264" if how.odd_case else "H264", 90_000, 1, parameters, ("nack", "nack pli"))


def _choose_sound(offer: Description, how: Behaviour) -> Codec | None:
    """Take Opus, in capitals as Ring does, or PCMU; `None` where it is not offered."""
    audio = offer.find("audio")
    offered = audio.find(how.sound) if audio else None
    if offered is None:
        return None
    if how.sound == "pcmu":
        return Codec(offered.payload_type, "PCMU", RATES["pcmu"])
    return Codec(offered.payload_type, "oPuS" if how.odd_case else "OPUS", RATES["opus"], 2, {"useinbandfec": "1"})
