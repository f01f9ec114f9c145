"""The sockets of the viewers' port, UDP and TCP, IPv4 and IPv6 on one number, and the candidates that name them."""

import os
import socket
from dataclasses import dataclass
from ipaddress import ip_address

import ifaddr

from ringlight.errors import RingError, fault_error
from ringlight.media.tcp_path import passive_line

BUFFER = 4 * 1024 * 1024  # bytes asked of the kernel for each direction of UDP
NUMBERS = 20  # free numbers of UDP that are tried until one is free for TCP too
_ANY = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


@dataclass(frozen=True, slots=True)
class Sockets:
    """What is bound to one port number; those of IPv6 are missing where the machine has none."""

    number: int
    udp: tuple[socket.socket, ...]
    tcp: tuple[socket.socket, ...]

    @property
    def has_ipv6(self) -> bool:
        """Whether IPv6 is served."""
        return len(self.udp) > 1

    def close(self) -> None:
        """Give all of them back."""
        for bound in (*self.udp, *self.tcp):
            bound.close()


def bind_all(port: int, *, tcp: bool) -> Sockets:
    """Bind one number for all.

    Args:
        port: The number; 0 looks for a free one.
        tcp: Whether TCP is wanted too.

    Raises:
        SetupError: CFG-PORT, naming which of them is taken.
    """
    for attempt in range(1, NUMBERS + 1):
        try:
            return _bind(port, tcp=tcp)
        except RingError:
            if port or attempt == NUMBERS:
                raise
    raise AssertionError("unreachable")


def _bind(port: int, *, tcp: bool) -> Sockets:
    bound: list[socket.socket] = []
    try:
        for family in (socket.AF_INET, socket.AF_INET6):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM) if tcp else (socket.SOCK_DGRAM,):
                if family == socket.AF_INET6 and not _has_ipv6():
                    continue
                bound.append(_one(family, kind, port))
                port = port or int(bound[0].getsockname()[1])
    except BaseException:
        for one in bound:
            one.close()
        raise
    udp, streams = ([one for one in bound if one.type == kind] for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM))
    return Sockets(port, tuple(udp), tuple(streams))


def _has_ipv6() -> bool:
    if not socket.has_ipv6:
        return False
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as tried:
            tried.bind(("::", 0))
    except OSError:  # switched off in the kernel, as in many containers
        return False
    return True


def _one(family: socket.AddressFamily, kind: socket.SocketKind, port: int) -> socket.socket:
    bound = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:  # a socket of its own: addresses of IPv4 keep their usual form
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM and os.name == "posix":  # a restart does not wait for old connections
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if kind == socket.SOCK_DGRAM:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                bound.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        bound.setblocking(False)
        bound.bind((_ANY[family], port))
        if kind == socket.SOCK_STREAM:
            bound.listen()  # here, where it is told what is taken
    except OSError as error:
        bound.close()
        name = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
        raise fault_error("CFG-PORT", f"{name} port {port}: {error.strerror}") from error
    return bound


def own_addresses(*, ipv6: bool = True) -> list[str]:
    """Return this machine's addresses, IPv4 before IPv6.

    Loopback comes last: it serves a browser on the same machine. Link-local ones are left out.
    """
    found = [
        ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]
    usable = [address for address in found if not (address.is_loopback or address.is_link_local)]
    versions = (4, 6) if ipv6 else (4,)
    return [*(str(address) for version in versions for address in usable if address.version == version), "127.0.0.1"]


def candidates(addresses: list[str], port: int, *, tcp: bool) -> list[str]:
    """Write host candidates, the first address preferred (RFC 8445 section 5.1.2.1), all of UDP before TCP."""
    lines = [
        f"candidate:{index + 1} 1 udp {126 << 24 | (65535 - index) << 8 | 255} {address} {port} typ host"
        for index, address in enumerate(addresses)
    ]
    if tcp:
        lines += [passive_line(100 + index, index, address, port) for index, address in enumerate(addresses)]
    return lines
