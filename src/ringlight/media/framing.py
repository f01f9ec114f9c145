"""Datagrams on a TCP connection, each behind its length in 16 bits (RFC 4571 section 2). Pure."""

# WebRTC keeps its datagrams below 1500 bytes. A limit far below the 65535 that the length could say lets us
# tell at once somebody who speaks another protocol, and bounds what a half frame holds in memory.
LONGEST = 4096


def framed(datagram: bytes) -> bytes:
    """Put the length in front of a datagram."""
    return len(datagram).to_bytes(2, "big") + datagram


class Deframer:
    """Cuts what a connection brings into datagrams, wherever it was split on the way.

    Attributes:
        broken: Whether a longer datagram than `LONGEST` was announced; nothing more can be read then.
    """

    def __init__(self) -> None:
        self.broken = False
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take what came; return the datagrams that are whole now. Empty ones are left out."""
        if self.broken:
            return []
        self._rest += data
        found: list[bytes] = []
        at = 0
        while at + 2 <= len(self._rest):
            length = int.from_bytes(self._rest[at : at + 2], "big")
            if length > LONGEST:
                self.broken = True
                self._rest.clear()
                return found
            if at + 2 + length > len(self._rest):
                break
            if length:
                found.append(bytes(self._rest[at + 2 : at + 2 + length]))
            at += 2 + length
        del self._rest[:at]
        return found
