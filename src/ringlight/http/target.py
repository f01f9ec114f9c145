"""Addresses that somebody else has named: Ring, a storage, a media server. They may not lead into our own network.

Else whoever writes an answer could have us ask the router, a service on this machine, or the cloud's own address for
passwords (169.254.169.254), from where we stand. A name is looked up once and all its addresses are judged; then the
connection goes to one of those that were judged, so that a second look-up cannot bring another (DNS rebinding). Each
redirect is a request of its own and is judged too. What the settings name is trusted.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ringlight.errors import fault_error

__all__ = ["Target", "host_and_port", "is_inside", "is_inside_by_name", "is_proxied", "pinned"]

_PORTS = {"http": 80, "https": 443}
_EMBEDDING = ipaddress.ip_network("64:ff9b::/96")  # NAT64 (RFC 6052): the last four bytes are an address of IPv4
_INTERNET = ipaddress.ip_network("2000::/3")  # the one part of IPv6 that is given out (RFC 4291 section 2.4)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes.

    Attributes:
        named: The URL as it was named.
        url: The same; with an address in the place of the name, where that was judged.
        headers: Of the request.
        tls_name: Whom the certificate must name; `None` leaves that to the URL.
    """

    named: str
    url: str
    headers: dict[str, str]
    tls_name: str | None = None


def is_inside(address: str) -> bool:
    """Whether an IP address is this machine's or its network's, and not one of the internet; what is none counts so."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    if isinstance(ip, ipaddress.IPv6Address):
        carried = ip.ipv4_mapped or ip.sixtofour
        if carried is None and ip in _EMBEDDING:
            carried = ipaddress.IPv4Address(ip.packed[12:])
        if carried is not None:  # what it is wrapped in, each version of Python judges by another list
            return is_inside(str(carried))
        if ip not in _INTERNET:  # site-local, IPv4 by an old form, or a NAT64 of this network (RFC 8215)
            return True
    return ip.is_multicast or not ip.is_global


def is_inside_by_name(host: str) -> bool:
    """Whether a host is this machine's or its network's, judged without asking any name server."""
    name = host.partition("%")[0].removesuffix(".")
    try:
        return is_inside(str(ipaddress.ip_address(name)))
    except ValueError:
        # `127.1` and `0x7f.0.0.1` are addresses to the system, if to nobody else; no name ends in a number.
        is_number = name.rpartition(".")[2][:1].isdigit()
        return is_number or "." not in name or name.endswith((".localhost", ".local", ".internal"))


def host_and_port(url: str) -> tuple[str, int]:
    """Return whom a name server is asked for.

    Raises:
        BadAnswerError: NET-INSIDE, it is no address of the web.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise fault_error("NET-INSIDE", "it is no address of the web") from None
    if not host:
        raise fault_error("NET-INSIDE", "it is an address without a host")
    return host, port


def is_proxied(url: str) -> bool:
    """Whether the environment has a proxy for an address: then the proxy looks the name up, and connects."""
    host, _ = host_and_port(url)
    proxies = getproxies()
    return bool(proxies.get(urlsplit(url).scheme) or proxies.get("all")) and not proxy_bypass(host)


def pinned(url: str, headers: dict[str, str], addresses: Sequence[str]) -> Target:
    """Judge the addresses of a URL's host, and lead the request to the first of them.

    Args:
        url: As it was named.
        headers: Of the request.
        addresses: What its host's name stands for; the host itself, where a proxy will look it up.

    Raises:
        BadAnswerError: NET-INSIDE, one of them is in our own network.
    """
    host, _ = host_and_port(url)
    inside = is_inside_by_name(host) or not addresses
    if inside or any(is_inside(address) for address in addresses if address != host):
        raise fault_error("NET-INSIDE", host[:100])
    if addresses[0] == host:
        return Target(url, url, headers)
    parts = urlsplit(url)
    address = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    port = f":{parts.port}" if parts.port is not None else ""
    # A connection to an address must not serve another name that lives there, so it is not kept.
    named = {"Host": parts.netloc.rpartition("@")[2], "Connection": "close"}
    return Target(url, parts._replace(netloc=f"{address}{port}").geturl(), {**headers, **named}, host)
