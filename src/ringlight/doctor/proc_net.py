"""Reads Linux's table of TCP sockets (`/proc/net/tcp`, `tcp6`): who listens where, who is connected to whom. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

__all__ = ["LISTENING", "Line", "Listener", "read_table"]

ESTABLISHED, LISTENING = 1, 10  # include/net/tcp_states.h


@dataclass(frozen=True, slots=True)
class Line:
    """One socket."""

    address: str
    port: int
    peer: str
    peer_port: int
    state: int
    inode: int


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens on a port.

    Attributes:
        address: Where; `0.0.0.0` and `::` are everywhere.
        pid: The process; `None` where it belongs to somebody else.
        program: Its name; empty where it is not known.
    """

    address: str
    pid: int | None = None
    program: str = ""

    @property
    def shown(self) -> str:
        """The program as a person looks for it."""
        return f"{self.program} (process {self.pid})" if self.pid is not None else "a program of another user"


def read_table(text: str) -> Iterator[Line]:
    """Read a table; lines that are in another form are left out."""
    for row in text.splitlines()[1:]:
        parts = row.split()
        try:
            own, peer = _end(parts[1]), _end(parts[2])
            yield Line(*own, *peer, int(parts[3], 16), int(parts[9]))
        except (IndexError, ValueError):
            continue


def _end(text: str) -> tuple[str, int]:
    address, _, port = text.partition(":")
    raw = bytes.fromhex(address)
    # The kernel prints words of four bytes in the machine's order, which is little-endian wherever this runs.
    packed = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    if len(packed) == 4:
        return str(IPv4Address(packed)), int(port, 16)
    six = IPv6Address(packed)
    return str(six.ipv4_mapped or six), int(port, 16)
