"""The Transport header: what a player asks for, and what it gets. Pure (RFC 2326 section 12.39)."""

import re
from dataclasses import dataclass

_PAIR = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
LOWEST_PORT = 1024  # below are services, and a player never listens there


@dataclass(frozen=True, slots=True)
class OverTcp:
    """Packets between the text: the channel of RTP, and of RTCP. `None` lets us choose."""

    channels: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class OverUdp:
    """The player's ports of RTP and RTCP."""

    ports: tuple[int, int]


Way = OverTcp | OverUdp


def parse(header: str, *, udp: bool) -> Way | None:
    """Return the first way that can be served; `None` if there is none.

    A `destination` is never followed: packets go where the connection comes from, or strangers could be flooded.
    """
    for wish in header.split(",")[:10]:
        protocol, *parts = (part.strip() for part in wish.split(";")[:20])
        named = {name.strip().lower(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
        if "multicast" in named or named.get("mode", "play").strip('"').upper() not in ("PLAY", ""):
            continue
        way = _way(protocol.upper(), named, udp=udp)
        if way is not None:
            return way
    return None


def _way(protocol: str, named: dict[str, str], *, udp: bool) -> Way | None:
    if protocol == "RTP/AVP/TCP":
        if "interleaved" not in named:
            return OverTcp()
        channels = _pair(named["interleaved"])
        return OverTcp(channels) if channels and max(channels) <= 255 else None
    if udp and protocol in ("RTP/AVP", "RTP/AVP/UDP"):
        ports = _pair(named.get("client_port", ""))
        if ports and min(ports) >= LOWEST_PORT and max(ports) <= 65_535:
            return OverUdp(ports)
    return None


def _pair(text: str) -> tuple[int, int] | None:
    read = _PAIR.fullmatch(text)
    if read is None:
        return None
    first = int(read[1])
    second = int(read[2]) if read[2] else first + 1
    return (first, second) if first != second else None


def over_tcp(channels: tuple[int, int], ssrc: int) -> str:
    """Write what a player was given."""
    return f"RTP/AVP/TCP;unicast;interleaved={channels[0]}-{channels[1]};ssrc={ssrc:08X}"


def over_udp(theirs: tuple[int, int], ours: tuple[int, int], ssrc: int) -> str:
    """Write what a player was given."""
    return f"RTP/AVP;unicast;client_port={theirs[0]}-{theirs[1]};server_port={ours[0]}-{ours[1]};ssrc={ssrc:08X}"
