"""What is offered to a camera, what its answer means, and what a viewer is answered. Pure (RFC 3264)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ringlight.errors import RingError, fault_error
from ringlight.media import transport_wide
from ringlight.media.sdp import Codec, Description, Direction, Section, Transport, parse, refused

_FEEDBACK = ("nack", "nack pli", "ccm fir")

# Ring takes the highest that it can serve; the profiles are those that its own app offers.
_H264_OFFERED = {96: "640034", 98: "640c34", 100: "4d0034", 102: "42e034", 104: "420034"}
_HEVC_OFFERED = (
    Codec(106, "H265", 90_000, 1, {"level-id": "153", "profile-id": "1", "tx-mode": "SRST"}, _FEEDBACK),
    Codec(107, "rtx", 90_000, 1, {"apt": "106"}),
)
_TRANSPORT_WIDE = "transport-cc"
_PASSED_ON = ("H264", "H265", "AV1")  # the first that is there is taken
_PROFILES = {"H265": ("profile-id", "1"), "AV1": ("profile", "0")}  # what must be the same, and where it is left out
_OPUS = Codec(111, "opus", 48_000, 2, {"minptime": "10", "useinbandfec": "1"})
_PCMU = Codec(0, "PCMU", 8_000)

TRACK_KINDS = ("audio", "video")


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a camera's answer comes to.

    Attributes:
        codecs: The codec of each kind of track that will be sent to us.
        transport: How to reach the other side.
        notes: What was repaired, as faults: (code, what was seen).
        repairs: Payload types of packets that are sent again, each with the one that it stands for (RFC 4588).
        hears: Whether the camera takes sound of ours too, in the codec of its own.
    """

    codecs: Mapping[str, Codec]
    transport: Transport
    notes: tuple[tuple[str, str], ...] = ()
    repairs: Mapping[int, int] = field(default_factory=dict)
    hears: bool = False


def camera_offer(
    transport: Transport, *, audio: bool, ssrc: int | None = None, hevc: bool = False, one_way: bool = False
) -> Description:
    """Offer to receive H.264 of any profile, and (sendrecv, as every working client does) sound; with `hevc`, that too.

    Sound is offered `sendrecv` because Ring answers `recvonly` with `sendrecv`, against RFC 3264; and so that
    a person can talk. `ssrc` is that of the sound that we may send. The Partner API takes `one_way` sound alone,
    as Opus (partner-api.md#live-view).
    """
    video = tuple(codec for number, profile in _H264_OFFERED.items() for codec in _with_repair(number, profile))
    video += _HEVC_OFFERED if hevc else ()
    sound = (_OPUS,) if one_way else (_OPUS, _PCMU)
    direction: Direction = "recvonly" if one_way else "sendrecv"
    sections = [Section("audio", "0", direction, sound, transport, ssrc=ssrc)] if audio else []
    sections.append(Section("video", str(len(sections)), "recvonly", video, transport))
    return Description(tuple(sections), tuple(section.mid for section in sections))


def _with_repair(number: int, profile: str) -> tuple[Codec, Codec]:
    """Return an H.264 codec, and the payload type behind it for packets that are sent again."""
    parameters = {"profile-level-id": profile, "packetization-mode": "1", "level-asymmetry-allowed": "1"}
    repair = Codec(number + 1, "rtx", 90_000, 1, {"apt": str(number)})
    return Codec(number, "H264", 90_000, 1, parameters, _FEEDBACK), repair


def read_answer(offer: Description, answer: Description) -> Agreed:
    """Judge the answer to our offer.

    Raises:
        MediaError: SDP-CODEC without H.264 video, SDP-PROFILE for a payload type that was not offered (an H.264
            profile that was not is only noted).
        SignalingError: SIG-SDP where ICE or DTLS lines are missing.
    """
    codecs: dict[str, Codec] = {}
    repairs: dict[int, int] = {}
    notes = []
    hears = False
    for asked, section in zip(offer.sections, answer.sections, strict=False):
        if not section.port or section.direction == "inactive":
            continue
        if asked.direction == "recvonly" and section.direction == "sendrecv":
            notes.append(("SDP-DIRECTION", f"{section.kind} was answered sendrecv; read as sendonly"))
            section = replace(section, direction="sendonly")  # noqa: PLW2901
        wanted = _wanted(asked) if section.kind == "video" else ("opus", "PCMU", "PCMA")
        codec = section.find(*wanted)
        if codec is None or section.direction == "recvonly":
            continue
        if codec.payload_type not in {known.payload_type for known in asked.codecs}:
            raise fault_error("SDP-PROFILE", f"payload type {codec.payload_type} was never offered")
        if codec.h264_profile not in {known.h264_profile for known in asked.codecs if known.is_called(codec.name)}:
            notes.append(("SDP-PROFILE", f"H.264 profile {codec.h264_profile} was never offered; passed on as it is"))
        codecs[section.kind] = codec
        repair = section.repair_of(codec)
        if repair is not None:
            repairs[repair.payload_type] = codec.payload_type
        hears |= section.kind == "audio" and asked.direction == section.direction == "sendrecv"
    if "video" not in codecs:
        raise fault_error("SDP-CODEC", "the answer has no video that we asked for and that is sent to us")
    transport = answer.transport
    check_transport(transport, ("active", "passive"))
    return Agreed(codecs, transport, tuple(notes), repairs, hears)


def _wanted(asked: Section) -> tuple[str, ...]:
    """Return the names of the video codecs that we asked for."""
    return tuple(name for name in _PASSED_ON if asked.find(name) is not None)


def check_transport(transport: Transport, setups: tuple[str, ...]) -> None:
    """Judge whether a transport can be used.

    Raises:
        SignalingError: SIG-SDP, naming what is missing.
    """
    for name, value in (
        ("ice-ufrag", transport.ufrag), ("ice-pwd", transport.pwd), ("fingerprint of SHA-256", transport.fingerprint),
    ):  # fmt: skip
        if not value:
            raise fault_error("SIG-SDP", f"there is no {name}")
    if transport.setup not in setups:
        raise fault_error("SIG-SDP", f"setup is {transport.setup!r}; expected one of {', '.join(setups)}")


@dataclass(frozen=True, slots=True)
class Seat:
    """What a viewer gets of one track: its payload type there, and that and the SSRC of packets sent again.

    `hears` says that the viewer may also send such a track to us; `stamp` is the number of the header extension
    for transport-wide feedback, `None` where there is none.
    """

    codec: Codec
    rtx: tuple[int, int] | None = None
    hears: bool = False
    stamp: int | None = None


def answer_viewer(
    offer: Description,
    sources: Mapping[str, Codec],
    transport: Transport,
    ssrcs: Mapping[str, int],
    cname: str,
    *,
    hears: bool = False,
) -> tuple[Description, dict[str, Seat]]:
    """Answer a viewer's offer with the tracks that the camera sends.

    Args:
        offer: The viewer's.
        sources: The camera's codec of each kind of track.
        transport: Ours; candidates included. Its `setup` is what we do: `active` where the viewer is `passive`.
        ssrcs: Our number for each kind of track.
        cname: Binds the tracks together, so that they play in time.
        hears: Whether the camera takes sound, so that a viewer who offers some (`sendrecv`) may talk.

    Returns:
        The answer, and what is to be sent for each kind.

    Raises:
        MediaError: VIEWER-OFFER where nothing can be shown.
    """
    seats: dict[str, Seat] = {}
    sections = []
    video = offer.find("video")
    one_way = offer.bundle if video and video.mid in offer.bundle else ()
    for section in offer.sections:
        if section is not video and section.mid not in one_way:
            sections.append(refused(section))  # we have one way for all, and the viewer wants two
            continue
        codec = _viewer_codec(section, sources.get(section.kind)) if section.kind not in seats else None
        if codec is None or not section.port:
            sections.append(refused(section))
            continue
        ssrc = ssrcs[section.kind]
        talks = hears and section.kind == "audio" and section.direction == "sendrecv"
        direction: Direction = "sendrecv" if talks else "sendonly"
        repair = section.repair_of(codec) if "nack" in codec.feedback else None
        stamp = _stamp(section, codec) if repair else None
        wanted = (*_FEEDBACK, _TRANSPORT_WIDE) if stamp is not None else _FEEDBACK
        kept = replace(codec, feedback=tuple(kind for kind in codec.feedback if kind in wanted))
        # Any other number will do: it is one for each viewer, and nobody else's in this session.
        seats[section.kind] = Seat(codec, (repair.payload_type, ssrc ^ 1) if repair else None, talks, stamp)
        sections.append(
            Section(section.kind, section.mid, direction, (kept, repair) if repair else (kept,), transport,
                    section.port, section.protocol, ssrc=ssrc, cname=cname, rtx_ssrc=ssrc ^ 1 if repair else None,
                    extensions={transport_wide.EXTENSION: stamp} if stamp is not None else {})
        )  # fmt: skip
    if "video" not in seats:
        missed = sources["video"].name if "video" in sources else "video"
        raise fault_error("VIEWER-OFFER", f"there is no video section that can receive {missed}")
    bundle = tuple(section.mid for section in sections if section.port and section.mid in one_way)
    return Description(tuple(sections), bundle, ice_lite=True), seats


def _stamp(section: Section, codec: Codec) -> int | None:
    """Return the number of the extension for transport-wide feedback, which a viewer gives about its video.

    Only beside packets that are sent again as new ones (RTX): a packet that goes out a second time as it was must
    be the same to the last byte, and whether it was stamped is not kept.
    """
    number = section.extensions.get(transport_wide.EXTENSION)
    wanted = section.kind == "video" and _TRANSPORT_WIDE in codec.feedback
    return number if wanted and number is not None and 1 <= number <= 14 else None


def read_viewer_offer(text: str) -> Description:
    """Read and judge a viewer's offer.

    Raises:
        MediaError: VIEWER-OFFER, saying what is wrong.
    """
    try:
        offer = parse(text)
        video = offer.find("video")
        if video is None:
            raise fault_error("VIEWER-OFFER", "there is no video section")
        check_transport(way_of(offer), tuple(_SETUP))
    except RingError as error:
        raise fault_error("VIEWER-OFFER", error.detail) from error
    return offer


def way_of(offer: Description) -> Transport:
    """Return the transport that a viewer will use for its video: the bundle's, or the section's own."""
    video = offer.find("video")
    if video is None or video.mid in offer.bundle or not video.transport.ufrag:
        return offer.transport
    return video.transport


def our_part(offer: Description) -> str:
    """Return what `setup` we answer: `passive` wherever the viewer may begin, since who is asked chooses the cipher."""
    return _SETUP[way_of(offer).setup]


_SETUP = {"actpass": "passive", "active": "passive", "passive": "active"}  # RFC 8842 section 5.3
_SENDS: tuple[Direction, ...] = ("recvonly", "sendrecv")


def _viewer_codec(section: Section, source: Codec | None) -> Codec | None:
    """Choose the viewer's payload type that fits the camera's codec best.

    The same H.264 profile if it is offered; else any H.264 with packetization-mode 1, since decoders
    take more than they offer. HEVC and AV1 only of the same profile: Main 10 is another format for a decoder.
    """
    if source is None or section.direction not in _SENDS:
        return None
    same = [codec for codec in section.codecs if codec.is_called(source.name)]
    if not source.is_called("H264"):
        name, default = _PROFILES.get(source.name.upper(), ("", ""))
        profile = source.parameters.get(name, default)
        return next((codec for codec in same if codec.parameters.get(name, default) == profile), None)
    same.sort(
        key=lambda codec: (
            codec.parameters.get("packetization-mode", "0") != "1",
            codec.h264_profile != source.h264_profile,
        )
    )
    return same[0] if same else None
