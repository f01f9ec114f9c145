"""What is offered to a media server that a camera is published to, and what its answer means. Pure (RFC 9725, 3264)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ringlight.errors import RingError, fault_error
from ringlight.media.dtls import Role
from ringlight.media.negotiate import Seat, check_transport
from ringlight.media.sdp import Codec, Description, Section, Transport, parse

__all__ = ["Terms", "publish_offer", "read_publish_answer", "trickled"]

_FEEDBACK = ("nack", "nack pli", "ccm fir")
# The profile that every server knows. Some know no other, and pass on what comes under it (OBS sends High so).
_KNOWN_TO_ALL = "42e01f"
_VIDEO_TYPES = (96, 98)  # each with that of its repairs behind it
_OPUS_TYPE = 111


@dataclass(frozen=True, slots=True)
class Terms:
    """What the answer comes to.

    Attributes:
        seats: What the server takes of each kind of track.
        transport: How to reach it.
        role: Ours in the handshake.
    """

    seats: Mapping[str, Seat]
    transport: Transport
    role: Role


def publish_offer(
    sources: Mapping[str, Codec], transport: Transport, ssrcs: Mapping[str, int], cname: str
) -> Description:
    """Offer what the camera sends: H.264 by its own profile and by the one that all know, and its sound.

    Args:
        sources: The camera's codec of each kind of track.
        transport: Ours, candidates included.
        ssrcs: Our number for each kind of track.
        cname: Binds the tracks together, so that they play in time.
    """
    # Video is first: a server may leave the sound out, and the section that carries the bundle must not be refused.
    sections: list[Section] = []
    for kind in ("video", "audio"):
        source = sources.get(kind)
        if source is None:
            continue
        codecs = _video(source) if kind == "video" else (_sound(source),)
        ssrc = ssrcs[kind]
        sections.append(
            Section(kind, str(len(sections)), "sendonly", codecs, transport, ssrc=ssrc, cname=cname,
                    rtx_ssrc=ssrc ^ 1 if kind == "video" else None)
        )  # fmt: skip
    return Description(tuple(sections), tuple(section.mid for section in sections))


def _video(source: Codec) -> tuple[Codec, ...]:
    if not source.is_called("H264"):
        number = _VIDEO_TYPES[0]
        repair = Codec(number + 1, "rtx", 90_000, 1, {"apt": str(number)})
        return replace(source, payload_type=number, feedback=_FEEDBACK), repair
    own = source.parameters.get("profile-level-id", _KNOWN_TO_ALL).lower()
    codecs: list[Codec] = []
    for number, profile in zip(_VIDEO_TYPES, dict.fromkeys((own, _KNOWN_TO_ALL)), strict=False):
        parameters = {"level-asymmetry-allowed": "1", "packetization-mode": "1", "profile-level-id": profile}
        codecs.append(Codec(number, "H264", 90_000, 1, parameters, _FEEDBACK))
        codecs.append(Codec(number + 1, "rtx", 90_000, 1, {"apt": str(number)}))
    return tuple(codecs)


def _sound(source: Codec) -> Codec:
    if source.is_called("opus"):
        return Codec(_OPUS_TYPE, "opus", 48_000, 2, {"minptime": "10", "useinbandfec": "1"})
    return Codec(8 if source.is_called("PCMA") else 0, source.name.upper(), source.clock_rate)


def read_publish_answer(offer: Description, text: str) -> Terms:
    """Judge the server's answer.

    Raises:
        MediaError: PUBLISH-ANSWER, saying what is wrong.
    """
    try:
        answer = parse(text)
        seats = _taken(offer, answer)
        transport = answer.transport
        check_transport(transport, ("active", "passive"))
    except RingError as error:
        raise fault_error("PUBLISH-ANSWER", error.detail) from error
    role = Role.SERVER if transport.setup == "active" else Role.CLIENT
    # All of the server's addresses are in its answer (RFC 9725 section 4.3.2): none that works means that none will.
    return Terms(seats, replace(transport, complete=True), role)


def _taken(offer: Description, answer: Description) -> dict[str, Seat]:
    seats: dict[str, Seat] = {}
    for asked, section in zip(offer.sections, answer.sections, strict=False):
        if not section.port or section.kind != asked.kind or section.direction not in ("recvonly", "sendrecv"):
            continue
        if section.kind != "video" and section.mid not in answer.bundle:
            continue  # there is one path for all, and the server wants two
        offered = {codec.payload_type: codec for codec in asked.codecs if not codec.is_called("rtx")}
        taken = next(
            (codec for codec in section.codecs if codec.payload_type in offered
             and codec.is_called(offered[codec.payload_type].name)), None,
        )  # fmt: skip
        if taken is None:
            continue
        repair = section.repair_of(taken) if "nack" in taken.feedback else None
        rtx = (repair.payload_type, asked.rtx_ssrc) if repair and asked.rtx_ssrc is not None else None
        seats[section.kind] = Seat(taken, rtx)
    if "video" not in seats:
        wanted = offer.sections[0].codecs[0].name
        raise fault_error("PUBLISH-ANSWER", f"it takes no {wanted} of ours")
    return seats


def trickled(offer: Description, lines: list[str]) -> str:
    """Write addresses that came after the offer as a fragment for PATCH (RFC 8840)."""
    first, own = offer.sections[0], offer.transport
    head = [f"a=ice-ufrag:{own.ufrag}", f"a=ice-pwd:{own.pwd}", f"m={first.kind} 9 {first.protocol} 0"]
    return "\r\n".join([*head, f"a=mid:{first.mid}", *(f"a={line}" for line in lines), "a=end-of-candidates", ""])
