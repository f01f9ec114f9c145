"""Session descriptions as data: read, write, and agree on codecs. Pure (RFC 8866, 8829, 8839, 8842).

We forward packets as they are, so any H.264 profile is welcome: codecs are agreed on here, and
nothing is decoded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ringlight.errors import fault_error

Kind = Literal["audio", "video", "application"]
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
MAX_LENGTH = 256 * 1024  # characters
MAX_SECTIONS = 32

_DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type.

    Attributes:
        payload_type: 0 to 127.
        name: As written; compare with `is_called`, since Ring writes upper case.
        clock_rate: In Hz.
        channels: 1 unless stated.
        parameters: From `a=fmtp`, names in lower case.
        feedback: From `a=rtcp-fb`, for example `nack pli`.
    """

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    parameters: Mapping[str, str] = field(default_factory=dict)
    feedback: tuple[str, ...] = ()

    def is_called(self, name: str) -> bool:
        """Whether this is the codec of that name."""
        return self.name.casefold() == name.casefold()

    @property
    def h264_profile(self) -> str | None:
        """`constrained-baseline`, `baseline`, `main`, `constrained-high`, `high`, or the two hex digits.

        `None` where the codec is not H.264. RFC 6184 section 8.1: without `profile-level-id` it is
        baseline.
        """
        if not self.is_called("H264"):
            return None
        level_id = self.parameters.get("profile-level-id", "42000a").lower()
        profile, constraints = level_id[:2], level_id[2:4]
        if profile == "42":
            return "constrained-baseline" if constraints[:1] in tuple("4567cdef") else "baseline"
        if profile == "64":
            return "constrained-high" if constraints == "0c" else "high"
        return {"4d": "main"}.get(profile, profile)


@dataclass(frozen=True, slots=True)
class Transport:
    """How the media of a section travels: ICE and DTLS.

    Attributes:
        ufrag: ICE user fragment.
        pwd: ICE password.
        fingerprint: SHA-256 of the certificate, `AA:BB:…`, upper case.
        setup: `actpass`, `active` or `passive`.
        candidates: Lines without `a=`.
        complete: Whether the end of candidates was stated.
    """

    ufrag: str = ""
    pwd: str = ""
    fingerprint: str = ""
    setup: str = ""
    candidates: tuple[str, ...] = ()
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One `m=` section.

    `rtx_ssrc` is the source of packets that are sent again (RFC 4588); `extensions` are those of the RTP header, the
    number of each by its URI (RFC 8285).
    """

    kind: str
    mid: str
    direction: Direction = "sendrecv"
    codecs: tuple[Codec, ...] = ()
    transport: Transport = Transport()
    port: int = 9
    protocol: str = "UDP/TLS/RTP/SAVPF"
    formats: tuple[str, ...] = ()
    ssrc: int | None = None
    cname: str = ""
    rtx_ssrc: int | None = None
    extensions: Mapping[str, int] = field(default_factory=dict)

    def repair_of(self, codec: Codec) -> Codec | None:
        """Return the payload type that packets of a codec are sent again with (RFC 4588), or `None`."""
        number = str(codec.payload_type)
        return next((rtx for rtx in self.codecs if rtx.is_called("rtx") and rtx.parameters.get("apt") == number), None)

    def find(self, *names: str) -> Codec | None:
        """Return the first codec of one of these names, or `None`."""
        return next((codec for name in names for codec in self.codecs if codec.is_called(name)), None)


@dataclass(frozen=True, slots=True)
class Description:
    """A whole session description.

    Attributes:
        sections: In the order of the text.
        bundle: The mids that share one transport.
        ice_lite: Whether the writer only answers connectivity checks.
        session_id: The number in the origin line.
    """

    sections: tuple[Section, ...]
    bundle: tuple[str, ...] = ()
    ice_lite: bool = False
    session_id: int = 1

    def find(self, kind: Kind) -> Section | None:
        """Return the first section of a kind that is not refused, or `None`."""
        return next((section for section in self.sections if section.kind == kind and section.port), None)

    @property
    def transport(self) -> Transport:
        """The transport of the first section that has one and is not refused."""
        for section in self.sections:
            if section.port and section.transport.ufrag:
                return section.transport
        return Transport()


def parse(text: str) -> Description:
    """Read a session description; CR LF and LF alone are both understood.

    Raises:
        SignalingError: SIG-SDP, saying which line cannot be used.
    """
    if len(text) > MAX_LENGTH:
        raise fault_error("SIG-SDP", f"{len(text)} characters; {MAX_LENGTH} at most are expected")
    blocks = _blocks(text)
    head = blocks[0]
    if not head or head[0] != ("v", "0"):
        raise fault_error("SIG-SDP", "the first line is not v=0")
    if len(blocks) - 1 > MAX_SECTIONS:
        raise fault_error("SIG-SDP", f"{len(blocks) - 1} media sections; {MAX_SECTIONS} at most are expected")
    shared = _transport(head, Transport())
    sections = tuple(_section(block, index, shared) for index, block in enumerate(blocks[1:]))
    bundle = next(
        (value.split()[1:] for name, value in _attributes(head) if name == "group" and value[:6] == "BUNDLE"),
        [],
    )
    lite = any(name == "ice-lite" for name, _ in _attributes(head))
    return Description(sections, tuple(bundle), lite)


def _blocks(text: str) -> list[list[tuple[str, str]]]:
    """Split into the session block and one block for each `m=` line."""
    blocks: list[list[tuple[str, str]]] = [[]]
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line:
            continue
        if "\r" in line or "\0" in line:  # RFC 8866 section 9 knows neither; some readers end a line there
            raise fault_error("SIG-SDP", f"a line with a control character in it: {line[:40]!r}")
        name, equals, value = line.partition("=")
        if len(name) != 1 or not equals:
            raise fault_error("SIG-SDP", f"not a line of an SDP: {line[:40]!r}")
        if name == "m":
            blocks.append([])
        blocks[-1].append((name, value.strip()))
    return blocks


def _attributes(block: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in block:
        if name == "a":
            key, _, rest = value.partition(":")
            yield key, rest


def _transport(block: list[tuple[str, str]], shared: Transport) -> Transport:
    found = {
        "ufrag": shared.ufrag,
        "pwd": shared.pwd,
        "fingerprint": shared.fingerprint,
        "setup": shared.setup,
    }
    candidates: list[str] = []
    complete = False
    for name, value in _attributes(block):
        match name:
            case "ice-ufrag":
                found["ufrag"] = value
            case "ice-pwd":
                found["pwd"] = value
            case "fingerprint":
                algorithm, _, digest = value.partition(" ")
                if algorithm.lower() == "sha-256":
                    found["fingerprint"] = digest.strip().upper()
            case "setup":
                found["setup"] = value
            case "candidate":
                candidates.append(f"candidate:{value}")
            case "end-of-candidates":
                complete = True
    return Transport(**found, candidates=tuple(candidates), complete=complete)


def _section(block: list[tuple[str, str]], index: int, shared: Transport) -> Section:
    parts = block[0][1].split()
    port = _number(parts[1].split("/")[0], below=1 << 16) if len(parts) >= 4 else None
    if port is None:
        raise fault_error("SIG-SDP", f"the line m={block[0][1][:60]} cannot be read")
    kind, _, protocol, *formats = parts
    attributes = list(_attributes(block))
    if any(name == "bundle-only" for name, _ in attributes):
        port = port or 9  # not refused: it has no transport but the bundle's (RFC 9143 section 6, RFC 9725 asks for it)
    direction: Direction = next((d for d in _DIRECTIONS for name, _ in attributes if name == d), "sendrecv")
    mid = next((value for name, value in attributes if name == "mid"), str(index))
    codecs = _codecs(formats, attributes) if kind in ("audio", "video") else ()
    return Section(
        kind,
        mid,
        direction,
        codecs,
        _transport(block, shared),
        port,
        protocol,
        tuple(formats),
        extensions=dict(_extensions(attributes)),
    )


def _extensions(attributes: list[tuple[str, str]]) -> Iterator[tuple[str, int]]:
    for name, value in attributes:
        number, _, rest = value.partition(" ")
        # Behind the number may stand a direction, behind the URI attributes of the extension's own.
        known = _number(number.partition("/")[0], below=256) if name == "extmap" and rest.strip() else None
        if known is not None:
            yield rest.split()[0], known


def _number(text: str, *, below: int) -> int | None:
    # The length comes first: `int` raises for numbers of thousands of digits.
    if not (len(text) < 10 and text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number < below else None


_STATIC = {0: ("PCMU", 8000), 8: ("PCMA", 8000), 9: ("G722", 8000)}  # RFC 3551 section 6, those in use


def _codecs(formats: list[str], attributes: list[tuple[str, str]]) -> tuple[Codec, ...]:
    maps: dict[int, str] = {}
    parameters: dict[int, dict[str, str]] = {}
    feedback: dict[str, list[str]] = {}
    for name, value in attributes:
        number, _, rest = value.partition(" ")
        if name == "rtcp-fb":
            feedback.setdefault(number, []).append(rest)
        elif name in ("rtpmap", "fmtp") and (payload_type := _number(number, below=128)) is not None:
            if name == "rtpmap":
                maps[payload_type] = rest
            else:
                parameters[payload_type] = _parameters(rest)
    codecs = []
    # One that is named twice counts once: each takes its lines of feedback along, and many times many fill the memory.
    for text in dict.fromkeys(formats):
        payload_type = _number(text, below=128)
        if payload_type is None:
            raise fault_error("SIG-SDP", f"the payload type {text[:20]!r} is not a number below 128")
        named, rate, channels = _rtpmap(maps.get(payload_type), payload_type)
        wanted = (*feedback.get("*", ()), *feedback.get(text, ()))
        codecs.append(Codec(payload_type, named, rate, channels, parameters.get(payload_type, {}), wanted))
    return tuple(codecs)


def _rtpmap(text: str | None, number: int) -> tuple[str, int, int]:
    if text is None:
        name, rate = _STATIC.get(number, ("unknown", 0))
        return name, rate, 1
    name, *rest = text.split("/")
    numbers = [_number(part, below=10**9) or 0 for part in rest]
    return name, numbers[0] if numbers else 0, numbers[1] if len(numbers) > 1 else 1


def _parameters(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name}


def write(description: Description) -> str:
    """Write a description as text with CR LF line ends."""
    lines = ["v=0", f"o=- {description.session_id} 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    if description.bundle:
        lines.append("a=group:BUNDLE " + " ".join(description.bundle))
    if description.ice_lite:
        lines.append("a=ice-lite")
    # GStreamer 1.22 wants lines of ICE and DTLS even in a section that is refused, or it refuses them all.
    shared = replace(description.transport, candidates=(), complete=False)
    for section in description.sections:
        lines.extend(_section_lines(section if section.port else replace(section, transport=shared)))
    return "\r\n".join(lines) + "\r\n"


def _section_lines(section: Section) -> Iterator[str]:
    formats = " ".join(section.formats or tuple(str(codec.payload_type) for codec in section.codecs)) or "0"
    yield f"m={section.kind} {section.port} {section.protocol} {formats}"
    yield "c=IN IP4 0.0.0.0"
    yield f"a=mid:{section.mid}"
    if not section.port:
        yield "a=inactive"
        if section.transport.ufrag:
            yield from _transport_lines(section.transport)
        return
    yield f"a={section.direction}"
    yield "a=rtcp-mux"
    yield from _transport_lines(section.transport)
    yield from (f"a=extmap:{number} {uri}" for uri, number in section.extensions.items())
    for codec in section.codecs:
        channels = f"/{codec.channels}" if codec.channels > 1 else ""
        yield f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}"
        yield from (f"a=rtcp-fb:{codec.payload_type} {kind}" for kind in codec.feedback)
        if codec.parameters:
            pairs = ";".join(f"{name}={value}" if value else name for name, value in codec.parameters.items())
            yield f"a=fmtp:{codec.payload_type} {pairs}"
    if section.ssrc is not None:
        yield f"a=msid:ringlight {section.kind}"
        if section.rtx_ssrc is not None:
            yield f"a=ssrc-group:FID {section.ssrc} {section.rtx_ssrc}"
        for ssrc in (section.ssrc, section.rtx_ssrc):
            if ssrc is not None:
                yield f"a=ssrc:{ssrc} cname:{section.cname or 'ringlight'}"


def _transport_lines(transport: Transport) -> Iterator[str]:
    yield f"a=ice-ufrag:{transport.ufrag}"
    yield f"a=ice-pwd:{transport.pwd}"
    yield f"a=fingerprint:sha-256 {transport.fingerprint}"
    yield f"a=setup:{transport.setup}"
    yield from (f"a={candidate}" for candidate in transport.candidates)
    if transport.complete:
        yield "a=end-of-candidates"


def refused(section: Section) -> Section:
    """Return the answer to a section that we don't want: port 0, the offer's formats kept."""
    return replace(section, port=0, direction="inactive", transport=Transport(), ssrc=None, extensions={})
