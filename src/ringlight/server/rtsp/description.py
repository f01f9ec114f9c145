"""What a camera's view is, for a player that asks: its tracks as a session description. Pure (RFC 8866, RFC 6184)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from ringlight.foreign import one_line
from ringlight.media.h264 import PPS, SPS, AccessUnit
from ringlight.media.sdp import Codec

_STATIC = {"PCMU": 0, "PCMA": 8}  # RFC 3551 section 6
_DYNAMIC = {"video": 96, "audio": 97}


@dataclass(frozen=True, slots=True)
class Offered:
    """One track.

    Attributes:
        kind: `video` or `audio`.
        codec: The camera's, under the number that players get.
        ssrc: With which its packets come.
        parameters: What goes behind `a=fmtp`; may be empty.
    """

    kind: str
    codec: Codec
    ssrc: int
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """A camera's view as players see it: `trackID=0` is the first of the tracks."""

    title: str
    tracks: tuple[Offered, ...]

    def write(self, session: int, address: str) -> bytes:
        """Write the description.

        Args:
            session: A number of ours.
            address: Our address, as the player reached it.
        """
        family = "IP6" if ":" in address else "IP4"
        title = one_line(self.title, 200)
        lines = [
            "v=0", f"o=- {session} 1 IN {family} {address}", f"s={title or '-'}", f"c=IN {family} {_any(address)}",
            "t=0 0", "a=control:*", "a=range:npt=now-",
        ]  # fmt: skip
        for at, track in enumerate(self.tracks):
            codec = track.codec
            channels = f"/{codec.channels}" if codec.channels > 1 else ""
            lines += [
                f"m={track.kind} 0 RTP/AVP {codec.payload_type}",
                f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}",
                *([f"a=fmtp:{codec.payload_type} {track.parameters}"] if track.parameters else []),
                f"a=control:trackID={at}",
            ]
        return ("\r\n".join(lines) + "\r\n").encode()


def describe(title: str, codecs: Mapping[str, Codec], ssrcs: Mapping[str, int], picture: AccessUnit) -> Stream:
    """Describe a view by its codecs and its newest key frame, video first."""
    tracks = []
    for kind in ("video", "audio"):
        codec = codecs.get(kind)
        if codec is None:
            continue
        name = {"h264": "H264", "opus": "opus"}.get(codec.name.casefold(), codec.name.upper())
        number = _STATIC.get(name, _DYNAMIC[kind])
        ours = Codec(number, name, codec.clock_rate, codec.channels)
        parameters = _of_picture(picture) if name == "H264" else ""
        tracks.append(Offered(kind, ours, ssrcs[kind], parameters))
    return Stream(title, tuple(tracks))


def _of_picture(picture: AccessUnit) -> str:
    """Return the fmtp of H.264, with the sets that a player wants before the first packet (RFC 6184 section 8.2.1)."""
    parameters = ["packetization-mode=1"]
    sets = [unit for unit in (picture.find(SPS), picture.find(PPS)) if unit is not None]
    if len(sets) == 2 and len(sets[0]) >= 4:
        parameters.append(f"profile-level-id={sets[0][1:4].hex().upper()}")
        parameters.append("sprop-parameter-sets=" + ",".join(base64.b64encode(unit).decode() for unit in sets))
    return "; ".join(parameters)


def _any(address: str) -> str:
    return "::" if ":" in address else "0.0.0.0"
