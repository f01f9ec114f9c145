"""A simulated camera's media: a real peer that sends its clip."""

import asyncio
import secrets
import time

from ringlight.media import rtcp, rtp, sdp
from ringlight.media.dtls import Role
from ringlight.media.peer import Peer
from ringlight.media.sdp import Codec, Description, Section, Transport
from ringlight.simulator.clip import CLOCK_STEP, RATE, Clip

REPORT_EVERY = 2.0  # seconds between sender reports
NOWHERE = "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host"


class CameraSender:
    """Answers an offer as Ring does and sends video: DTLS client, candidates in the answer, one H.264 type."""

    def __init__(self, clip: Clip, offer: Description, *, reachable: bool) -> None:
        self._clip = clip
        self._offer = offer
        self._reachable = reachable
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbelow(1 << 16)
        self._timestamp = secrets.randbits(32)
        self._sent = self._octets = 0
        self._key_frame_wanted = False
        self._codec = _choose(offer, clip)
        self._peer = Peer(controlling=False, on_rtp=lambda _: None, on_rtcp=self._on_rtcp, on_closed=lambda _: None)

    async def answer(self) -> str:
        """Gather addresses and write the answer."""
        local = await self._peer.gather()
        candidates = local.candidates if self._reachable else (NOWHERE,)
        transport = Transport(local.ufrag, local.pwd, local.fingerprint, Role.CLIENT.value, candidates)
        sections = []
        for section in self._offer.sections:
            if section.kind == "video":
                sections.append(Section("video", section.mid, "sendonly", (self._codec,), transport, ssrc=self._ssrc))
            elif section.kind == "audio" and (sound := section.find("opus", "PCMU")):
                loud = Codec(sound.payload_type, sound.name.upper(), sound.clock_rate, sound.channels)
                sections.append(Section("audio", section.mid, "sendrecv", (loud,), transport))
            else:
                sections.append(sdp.refused(section))
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
        """Send the clip in real time, round and round, until cancelled."""
        loop = asyncio.get_running_loop()
        at, due, reported = 0, loop.time(), float("-inf")
        while True:
            if self._key_frame_wanted:
                self._key_frame_wanted = False
                at = self._clip.next_key_frame(at)
            self._send_frame(at)
            if due - reported >= REPORT_EVERY:
                reported = due
                self._report()
            at = (at + 1) % len(self._clip.frames)
            due += 1 / RATE
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def close(self) -> None:
        """End it."""
        await self._peer.close()

    def _send_frame(self, at: int) -> None:
        payloads = self._clip.frames[at].payloads
        for index, payload in enumerate(payloads):
            last = index == len(payloads) - 1
            head = rtp.header(self._codec.payload_type, last, self._sequence, self._timestamp, self._ssrc)
            self._peer.send(head + payload)
            self._sequence = (self._sequence + 1) % rtp.SEQUENCES
            self._sent += 1
            self._octets += len(payload)
        self._timestamp = (self._timestamp + CLOCK_STEP) % rtp.TIMESTAMPS

    def _report(self) -> None:
        report = rtcp.SenderReport(self._ssrc, rtcp.ntp_time(time.time()), self._timestamp, self._sent, self._octets)
        self._peer.send_rtcp(rtcp.write(report) + rtcp.source_description(self._ssrc, "camera"))

    def _on_rtcp(self, data: bytes) -> None:
        if any(isinstance(report, rtcp.KeyFrameRequest) for report in rtcp.parse(data)):
            self._key_frame_wanted = True


def _choose(offer: Description, clip: Clip) -> Codec:
    """Take the offered payload type of the clip's profile, else the first H.264."""
    video = offer.find("video")
    offered = [codec for codec in video.codecs if codec.is_called("H264")] if video else []
    ours = Codec(0, "H264", 90_000, 1, {"profile-level-id": clip.profile_level_id}).h264_profile
    chosen = next((codec for codec in offered if codec.h264_profile == ours), offered[0])
    parameters = {"profile-level-id": clip.profile_level_id, "packetization-mode": "1"}
    return Codec(chosen.payload_type, "H264", 90_000, 1, parameters, ("nack", "nack pli"))
