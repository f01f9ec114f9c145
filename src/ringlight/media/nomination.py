"""Which way leads to a viewer: the credentials of its ICE session, and the address that it nominated. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from ringlight.media import stun

__all__ = ["UDP_FIRST", "Address", "Nomination", "TcpAddress"]

UDP_FIRST = 5.0  # seconds since UDP was nominated in which TCP does not take over: some browsers nominate every pair


class TcpAddress(NamedTuple):
    """The other end of a TCP connection; never equal to an address of UDP."""

    host: str
    port: int
    transport: str = "tcp"


Address = tuple[str, int] | tuple[str, int, int, int] | TcpAddress


@dataclass(slots=True)
class Nomination:
    """What one viewer's connectivity checks have come to.

    Attributes:
        ufrag: Our ICE user fragment for it.
        pwd: Our ICE password for it. Both change with an ICE restart, once the viewer nominates by the new ones.
        address: Where it is; `None` before its first check, and after its connection has ended.
        unsigned: Checks with a wrong password.
    """

    ufrag: str
    pwd: str
    address: Address | None = None
    unsigned: int = 0
    _next: tuple[str, str] | None = None
    _udp_at: float = float("-inf")

    def restart(self, ufrag: str, pwd: str) -> None:
        """Take new ICE credentials beside those in use, which hold until the viewer nominates by the new ones.

        So the pictures go on by the old path for as long as there is no other (RFC 8445 section 9). A second
        restart before that takes the place of the first.
        """
        self._next = (ufrag, pwd)

    def check(self, request: stun.Request, address: Address, now: float) -> bytes | None:
        """Answer a check and adopt the address that is nominated; `None` where the password was wrong.

        A viewer is told apart by its user fragment at first and by its address after, so a change of
        network (a phone that leaves the Wi-Fi) is followed at once.
        """
        fresh = self._next if self._next and request.username.partition(":")[0] == self._next[0] else None
        pwd = fresh[1] if fresh else self.pwd
        if not request.is_signed_with(pwd):
            self.unsigned += 1
            return None
        adopted = request.nominates
        if fresh and adopted:
            self.ufrag, self.pwd, self._next = *fresh, None
            self._udp_at = float("-inf")  # it has left that path behind
        if isinstance(address, TcpAddress):
            adopted &= now - self._udp_at >= UDP_FIRST
        elif request.nominates:
            self._udp_at = now
        if adopted or self.address is None:
            self.address = address
        return stun.success(request.transaction, pwd, (address[0], address[1]))

    def leave(self, address: Address) -> None:
        """Take note that the connection from this address has ended; a viewer may come back by another."""
        if self.address == address:
            self.address = None
