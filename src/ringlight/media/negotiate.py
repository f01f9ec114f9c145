"""What is offered to a camera, what its answer means, and what a viewer is answered. Pure (RFC 3264)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ringlight.errors import RingError, fault_error
from ringlight.media.sdp import Codec, Description, Direction, Section, Transport, parse, refused

_FEEDBACK = ("nack", "nack pli", "ccm fir")

# Ring takes the highest that it can serve; the profiles are those that its own app offers.
_H264_OFFERED = {96: "640034", 98: "640c34", 100: "4d0034", 102: "42e034", 104: "420034"}
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


def camera_offer(transport: Transport, *, audio: bool, ssrc: int | None = None) -> Description:
    """Offer to receive H.264 of any profile, and (sendrecv, as every working client does) sound.

    Sound is offered `sendrecv` because Ring answers `recvonly` with `sendrecv`, against RFC 3264; and so that
    a person can talk. `ssrc` is that of the sound that we may send.
    """
    video = tuple(codec for number, profile in _H264_OFFERED.items() for codec in _with_repair(number, profile))
    sections = [Section("audio", "0", "sendrecv", (_OPUS, _PCMU), transport, ssrc=ssrc)] if audio else []
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
        codec = section.find("H264") if section.kind == "video" else section.find("opus", "PCMU", "PCMA")
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
        raise fault_error("SDP-CODEC", "the answer has no H.264 video that is sent to us")
    transport = answer.transport
    check_transport(transport, ("active", "passive"))
    return Agreed(codecs, transport, tuple(notes), repairs, hears)


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

    `hears` says that the viewer may also send such a track to us.
    """

    codec: Codec
    rtx: tuple[int, int] | None = None
    hears: bool = False


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
        transport: Ours; candidates included.
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
    for section in offer.sections:
        codec = _viewer_codec(section, sources.get(section.kind)) if section.kind not in seats else None
        if codec is None or not section.port:
            sections.append(refused(section))
            continue
        ssrc = ssrcs[section.kind]
        talks = hears and section.kind == "audio" and section.direction == "sendrecv"
        direction: Direction = "sendrecv" if talks else "sendonly"
        kept = replace(codec, feedback=tuple(kind for kind in codec.feedback if kind in _FEEDBACK))
        repair = section.repair_of(codec) if "nack" in kept.feedback else None
        # Any other number will do: it is one for each viewer, and nobody else's in this session.
        seats[section.kind] = Seat(codec, (repair.payload_type, ssrc ^ 1) if repair else None, talks)
        sections.append(
            Section(section.kind, section.mid, direction, (kept, repair) if repair else (kept,), transport,
                    section.port, section.protocol, ssrc=ssrc, cname=cname, rtx_ssrc=ssrc ^ 1 if repair else None)
        )  # fmt: skip
    if "video" not in seats:
        raise fault_error("VIEWER-OFFER", "there is no video section that can receive H264")
    # Nothing is bundled that was not offered so (RFC 9143 section 7.3).
    bundle = tuple(section.mid for section in sections if section.port and section.mid in offer.bundle)
    return Description(tuple(sections), bundle, ice_lite=True), seats


def read_viewer_offer(text: str) -> Description:
    """Read and judge a viewer's offer.

    Raises:
        MediaError: VIEWER-OFFER, saying what is wrong.
    """
    try:
        offer = _on_one_path(parse(text))
        if offer.find("video") is None:
            raise fault_error("VIEWER-OFFER", "there is no video section")
        check_transport(offer.transport, ("actpass", "active"))
    except RingError as error:
        raise fault_error("VIEWER-OFFER", error.detail) from error
    return offer


def _on_one_path(offer: Description) -> Description:
    """Leave out what would need a second path: all that we send shares one (BUNDLE, RFC 9143).

    Some players keep each kind on a path of its own unless told otherwise (GStreamer's `webrtcbin`): their video is
    answered, and the sound refused.
    """
    video = offer.find("video")
    if video is None:
        return offer
    together = offer.bundle if video.mid in offer.bundle else ()
    sections = (
        section if section is video or section.mid in together else refused(section) for section in offer.sections
    )
    return replace(offer, sections=tuple(sections))


_SENDS: tuple[Direction, ...] = ("recvonly", "sendrecv")


def _viewer_codec(section: Section, source: Codec | None) -> Codec | None:
    """Choose the viewer's payload type that fits the camera's codec best.

    The same H.264 profile if it is offered; else any H.264 with packetization-mode 1, since decoders
    take more than they offer.
    """
    if source is None or section.direction not in _SENDS:
        return None
    same = [codec for codec in section.codecs if codec.is_called(source.name)]
    if not source.is_called("H264"):
        return same[0] if same else None
    same.sort(
        key=lambda codec: (
            codec.parameters.get("packetization-mode", "0") != "1",
            codec.h264_profile != source.h264_profile,
        )
    )
    return same[0] if same else None
