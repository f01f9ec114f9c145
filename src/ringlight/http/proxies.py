"""Whose request it is that a proxy passes on. Pure: headers go in, an address comes out (RFC 7239).

A header says what its sender likes. So it is read from the right, where the nearest proxy writes, for as long as the
address that wrote it is one of a proxy of ours; the first that is not is the caller.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal

__all__ = ["Caller", "Proxies", "ProxyHeader"]

ProxyHeader = Literal["x-forwarded-for", "forwarded"]
MOST_HOPS = 20  # of more, the leftmost are not read
_PAIR = re.compile(r'(?<![A-Za-z])([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^;,\s"]*))')


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request.

    Attributes:
        address: The IP address, as text; empty where there is none.
        scheme: `http` or `https`, by which they came to the proxy; `None` where no proxy of ours says so.
    """

    address: str
    scheme: str | None = None


class Proxies:
    """The proxies that are believed.

    Args:
        networks: Theirs, such as `10.0.0.0/8` or `::1`; none is the default, which believes nobody.
        header: Which one they write. What else a caller sends along is passed on by many proxies as it came, so only
            this one is read.

    Raises:
        ValueError: One is no network.
    """

    def __init__(self, networks: Iterable[str] = (), header: ProxyHeader = "x-forwarded-for") -> None:
        self._networks = tuple(ip_network(one, strict=False) for one in networks)
        self._header = header

    def caller(self, peer: str, get: Callable[[str], str | None]) -> Caller:
        """Return who makes a request.

        Args:
            peer: The address that the connection comes from.
            get: Returns a header, its lines joined by commas, or `None`; the name is in lower case.
        """
        if not self._networks or not self._trusts(peer):
            return Caller(peer)
        if self._header == "forwarded":
            return self._forwarded(peer, get("forwarded") or "")
        scheme = _scheme((get("x-forwarded-proto") or "").rpartition(",")[2])
        address = peer
        for hop in reversed((get("x-forwarded-for") or "").split(",")[-MOST_HOPS:]):
            named = _address(hop)
            if named is None:
                break
            address = named
            if not self._trusts(named):
                break
        return Caller(address, scheme)

    def _forwarded(self, peer: str, header: str) -> Caller:
        address, scheme = peer, None
        # Cut at every comma, as no address has one: a quote that a caller opens must not swallow what is behind it.
        for element in reversed(header.split(",")[-MOST_HOPS:]):
            found = _PAIR.findall(element)
            pairs = {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in found}
            named = _address(pairs.get("for", ""))
            if named is None:
                break
            address, scheme = named, _scheme(pairs.get("proto", "")) or scheme
            if not self._trusts(named):
                break
        return Caller(address, scheme)

    def _trusts(self, address: str) -> bool:
        read = _parsed(address)
        return read is not None and any(read in network for network in self._networks)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        read = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket that listens on IPv6 shows callers by IPv4 in this form.
    return (read.ipv4_mapped or read) if isinstance(read, IPv6Address) else read


def _address(text: str) -> str | None:
    """Read `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80` or `2001:db8::1`; `None` is anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    read = _parsed(text)
    return None if read is None else str(read)


def _scheme(text: str) -> str | None:
    text = text.strip().lower()
    return text if text in ("http", "https") else None
