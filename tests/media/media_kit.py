"""What the tests of media share: packets made by hand, a clip as packets, and descriptions as others write them."""

from collections.abc import Callable, Iterator

from ringlight.media import rtcp, rtp
from ringlight.media.h264 import packetize
from ringlight.media.peer import Peer
from ringlight.media.rtp import SEQUENCES, TIMESTAMPS, Packet
from ringlight.simulator.clip import CLOCK_STEP, Clip, make_clip

SPS, PPS, SEI, AUD, IDR, SLICE = b"\x67sps", b"\x68pps", b"\x06sei", b"\x09\xf0", b"\x65", b"\x41"
SSRC = 0xC0FFEE
PRINT = ":".join(["AB"] * 32)

# What one peer sends another, and an address where nobody answers.
PACKET = rtp.header(96, True, 7, 8, 9) + b"payload"
REPORT = rtcp.write(rtcp.ReceiverReport(9)) + rtcp.write(rtcp.KeyFrameRequest(9, 10))
NOBODY = "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host"

# As Ring answers: upper-case names, port 9, candidates inside, TCP too, sendrecv for recvonly.
RING_ANSWER = f"""v=0
o=- 1234567 7654321 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=sendrecv
a=mid:0
a=rtcp-mux
a=setup:active
a=fingerprint:sha-256 {PRINT}
a=ice-ufrag:abcdefgh
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=candidate:7 1 UDP 2013266429 127.0.0.1 40000 typ host
a=candidate:9 1 TCP 1010828031 127.0.0.1 443 typ host tcptype passive
a=rtpmap:111 OPUS/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 useinbandfec=1
m=video 9 UDP/TLS/RTP/SAVPF 102 103
c=IN IP4 0.0.0.0
a=sendrecv
a=mid:1
a=rtcp-mux
a=setup:active
a=fingerprint:sha-256 {PRINT}
a=ice-ufrag:abcdefgh
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=candidate:7 1 UDP 2013266429 127.0.0.1 40000 typ host
a=candidate:9 1 TCP 1010828031 127.0.0.1 443 typ host tcptype passive
a=rtpmap:102 H264/90000
a=rtcp-fb:102 nack
a=rtcp-fb:102 nack pli
a=fmtp:102 profile-level-id=42e034;packetization-mode=1
a=rtpmap:103 RTX/90000
a=fmtp:103 apt=102
a=ssrc-group:FID 111 222
""".replace("\n", "\r\n")

# As Chromium offers to a WHEP server, shortened to one payload type of each sort.
CHROMIUM_OFFER = f"""v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS
m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 107 108 109 114 115 116 39 40
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:4ZcD
a=ice-pwd:2/1muCWoOi3uLifh0NuRHlSC
a=ice-options:trickle
a=fingerprint:sha-256 {PRINT}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:toffset
a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=recvonly
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:103 H264/90000
a=rtcp-fb:103 goog-remb
a=rtcp-fb:103 transport-cc
a=rtcp-fb:103 ccm fir
a=rtcp-fb:103 nack
a=rtcp-fb:103 nack pli
a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=64001f
a=rtpmap:104 H264/90000
a=rtcp-fb:104 nack
a=rtcp-fb:104 nack pli
a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:107 H264/90000
a=fmtp:107 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f
a=rtpmap:108 H264/90000
a=rtcp-fb:108 goog-remb
a=rtcp-fb:108 transport-cc
a=rtcp-fb:108 ccm fir
a=rtcp-fb:108 nack
a=rtcp-fb:108 nack pli
a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f
a=rtpmap:109 rtx/90000
a=fmtp:109 apt=108
a=rtpmap:114 red/90000
a=rtpmap:115 rtx/90000
a=fmtp:115 apt=114
a=rtpmap:116 ulpfec/90000
a=rtpmap:39 AV1/90000
a=fmtp:39 level-idx=5;profile=0;tier=0
a=rtpmap:40 rtx/90000
a=fmtp:40 apt=39
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0 8
c=IN IP4 0.0.0.0
a=ice-ufrag:4ZcD
a=ice-pwd:2/1muCWoOi3uLifh0NuRHlSC
a=fingerprint:sha-256 {PRINT}
a=setup:actpass
a=mid:1
a=recvonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
""".replace("\n", "\r\n")


def packet(
    sequence: int,
    timestamp: int,
    payload: bytes = SLICE,
    *,
    marker: bool = False,
    ssrc: int = SSRC,
    payload_type: int = 96,
) -> Packet:
    """Make one packet; the numbers may run over their circles."""
    return Packet(payload_type, marker, sequence % SEQUENCES, timestamp % TIMESTAMPS, ssrc, payload)


def frame(sequence: int, timestamp: int, *payloads: bytes, ssrc: int = SSRC) -> list[Packet]:
    """Make the packets of one frame, the last with the marker."""
    last = len(payloads) - 1
    return [
        packet(sequence + at, timestamp, payload, marker=at == last, ssrc=ssrc) for at, payload in enumerate(payloads)
    ]


def unit(head: bytes, size: int) -> bytes:
    """Make a NAL unit of `size` bytes, whose bytes tell where they were."""
    return (head + bytes((at * 7 + at // 251) % 255 + 1 for at in range(size)))[:size]


def frames_of(*frames: tuple[bytes, ...], sequence: int = 100, timestamp: int = 9000, ssrc: int = SSRC) -> list[Packet]:
    """Make the packets of several frames, each given as its NAL units."""
    packets: list[Packet] = []
    for units in frames:
        packets += frame(sequence + len(packets), timestamp, *packetize(units), ssrc=ssrc)
        timestamp += CLOCK_STEP
    return packets


def clip() -> Clip:
    """Return ten seconds of a simulated camera, in the profile that aiortc negotiates."""
    return make_clip("TEST", 150, "baseline")


def clip_frames(
    first: int = 0, *, count: int, sequence: int = 65_500, timestamp: int = 1 << 31, ssrc: int = SSRC
) -> Iterator[list[Packet]]:
    """Yield the clip's frames as packets, from frame `first` on, round and round."""
    frames = clip().frames
    for at in range(first, first + count):
        made = frame(sequence, timestamp, *frames[at % len(frames)].payloads, ssrc=ssrc)
        yield made
        sequence, timestamp = sequence + len(made), timestamp + CLOCK_STEP


class Calls:
    """Counts calls, and keeps what was handed over."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def __call__(self, *args: object) -> None:
        self.seen.append(args[0] if args else None)

    def __len__(self) -> int:
        return len(self.seen)


def ignore(*_: object) -> None:
    """Take anything and do nothing."""


Notify = Callable[[str | None], None]


class Side:
    """A peer and what it heard."""

    def __init__(self, *, controlling: bool, tcp_after: float = 2.0, listens: bool = False) -> None:
        self.packets, self.reports, self.ended = Calls(), Calls(), Calls()
        self.peer = Peer(
            controlling=controlling, on_rtp=self.packets, on_rtcp=self.reports, on_closed=self.ended,
            tcp_after=tcp_after, listens=listens,
        )  # fmt: skip
