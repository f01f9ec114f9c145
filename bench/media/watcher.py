"""One viewer of the load generator: ICE, DTLS, and then only counting. Media is never decrypted."""

import asyncio
import contextlib
import hmac
import secrets
import socket
import struct
import time
import zlib
from typing import NamedTuple

from ringlight.errors import RingError
from ringlight.media import rtcp, rtp, sdp, srtp, stun
from ringlight.media.dtls import Dtls, Role, own_certificate
from ringlight.media.sdp import Codec, Description, Section, Transport

CONSENT_EVERY = 5.0  # seconds (RFC 7675)
RETRY = 0.05  # seconds between looks at a handshake that waits
# From the kernel's headers; the socket module does not name them.
SO_TIMESTAMPNS, SO_MEMINFO, SOL_UDP, UDP_GRO = 35, 55, 17, 104
DROPS = 8  # the number in SO_MEMINFO that counts what did not fit into the buffer
RECEIVE_BUFFER = 4 * 1024 * 1024  # bytes asked for; the kernel gives what it allows
_BUFFER = memoryview(bytearray(1 << 16))  # all viewers read into it, one after another
_HEAD = struct.Struct("!BBHI")
_SPEC = struct.Struct("=qq")
_INT = struct.Struct("=i")


class Seen(NamedTuple):
    """A frame whose last packet came: RTP timestamp, when it came in ns since 1970, packets counted until then."""

    timestamp: int
    at: int
    packets: int


class Watcher:
    """A viewer with a socket of its own. The kernel stamps what comes, so it may be read late.

    Attributes:
        camera: Number of the camera that it watches.
        session: What its server calls it; for leaving.
        packets: How many came, each counted once.
        lost: Gaps in the sequence numbers that nothing filled.
        doubled: Packets that came again.
        frames: Those that ended since the list was last emptied.
        closed: The server said goodbye.
        profile: Name of the SRTP profile.
    """

    def __init__(self, camera: int, *, gro: bool = True) -> None:
        self.camera, self.session, self.profile = camera, "", ""
        self.packets = self.lost = self.doubled = 0
        self.frames: list[Seen] = []
        self.closed = False
        self.next_check = 0.0
        self.offset: int | None = None
        self._next: int | None = None
        self._missing: set[int] = set()
        self._ufrag, self._pwd = secrets.token_hex(4), secrets.token_hex(12)
        self._remote = Transport()
        self._address: tuple[str, int] | None = None
        self._check = b""
        self._dtls: Dtls | None = None
        self._moved = asyncio.Event()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("0.0.0.0", 0))
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if gro:
            with contextlib.suppress(OSError):  # a kernel before 5.0
                self.socket.setsockopt(SOL_UDP, UDP_GRO, 1)

    # ---- joining ----

    def description(
        self, setup: str, *, lite: bool, host: str = "127.0.0.1", mid: str = "0", payload_type: int = 102
    ) -> str:
        """Write what we offer, or answer: one video section that receives."""
        line = f"candidate:1 1 udp 2130706431 {host} {self.socket.getsockname()[1]} typ host"
        transport = Transport(self._ufrag, self._pwd, own_certificate().fingerprint, setup, (line,), complete=True)
        feedback = ("nack", "nack pli")
        h264 = Codec(
            payload_type, "H264", 90_000, 1,
            {"profile-level-id": "42e01f", "packetization-mode": "1", "level-asymmetry-allowed": "1"}, feedback,
        )  # fmt: skip
        section = Section("video", mid, "recvonly", (h264,), transport)
        return sdp.write(Description((section,), (mid,), ice_lite=lite))

    async def connect(self, remote: Transport, *, checks: bool = True, within: float = 15.0) -> None:
        """Connect to what the server described; returns when the keys are agreed.

        Args:
            remote: From the server's description.
            checks: Whether ours are the connectivity checks; else the server's, and we wait for one.
            within: Seconds.
        """
        self._remote = remote
        loop = asyncio.get_running_loop()
        loop.add_reader(self.socket, self.drain)
        if checks:
            self._check = _check(f"{remote.ufrag}:{self._ufrag}", remote.pwd)
            self._address = candidate(remote)
        async with asyncio.timeout(within):
            while self._dtls is None or self._dtls.keys is None:
                if self._dtls is None and self._check and self._address:
                    self.socket.sendto(self._check, self._address)
                elif self._dtls is not None and self._dtls.timeout() == 0:
                    self._dtls.retransmit()
                    self._flush()
                await self._wait()
        self.profile = self._dtls.keys.profile.name
        # A first report, as every browser sends one: by it a server knows that the handshake is over.
        protect = srtp.sender(self._dtls.keys, is_client=self._dtls.role is Role.CLIENT).protect_rtcp
        if self._address is not None:
            self.socket.sendto(protect(rtcp.write(rtcp.ReceiverReport(1))), self._address)
        self.next_check = loop.time() + CONSENT_EVERY

    async def first_frame(self, within: float = 15.0) -> None:
        """Wait for the end of the first frame. From then on somebody must call `drain`."""
        async with asyncio.timeout(within):
            while not self.frames:
                await self._wait()
        asyncio.get_running_loop().remove_reader(self.socket)

    async def _wait(self) -> None:
        self._moved.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RETRY):
                await self._moved.wait()

    def check(self, now: float) -> None:
        """Show that we are still there."""
        self.next_check = now + CONSENT_EVERY
        if self._check and self._address:
            self.socket.sendto(self._check, self._address)

    def close(self) -> None:
        """Say goodbye and go."""
        asyncio.get_running_loop().remove_reader(self.socket)
        if self._dtls is not None:
            self._dtls.close()
            self._flush()
        self.socket.close()

    def dropped(self) -> int:
        """Return how many packets did not fit into our own buffer: our fault and not the server's."""
        sizes = self.socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36)
        return int(struct.unpack("=9I", sizes)[DROPS])

    # ---- what comes ----

    def drain(self) -> None:
        """Take all that waits in the socket."""
        receive, buffers = self.socket.recvmsg_into, (_BUFFER,)
        while True:
            try:
                size, control, _flags, address = receive(buffers, 128)
            except (BlockingIOError, ConnectionRefusedError):
                return
            if _BUFFER[0] >> 6 == 2 and not 192 <= _BUFFER[1] <= 223:
                self._count(size, control)
            else:
                self._take(bytes(_BUFFER[:size]), address)

    def _count(self, size: int, control: list[tuple[int, int, bytes]]) -> None:
        """Count what one call brought: a packet, or several of the same length that the kernel kept together."""
        segment, at = size, 0
        for level, kind, value in control:
            if kind == SO_TIMESTAMPNS and level == socket.SOL_SOCKET:
                seconds, nanoseconds = _SPEC.unpack_from(value)
                at = seconds * 1_000_000_000 + nanoseconds
            elif kind == UDP_GRO and level == SOL_UDP:
                segment = _INT.unpack_from(value)[0]
        count = -(-size // segment)
        _, marker, last, stamp = _HEAD.unpack_from(_BUFFER, (count - 1) * segment)
        first, first_stamp = (last, stamp) if count == 1 else _HEAD.unpack_from(_BUFFER, 0)[2:]
        whole = (last - first) % rtp.SEQUENCES == count - 1 and stamp == first_stamp
        if whole and (first == self._next or self._next is None):
            self._next = (last + 1) % rtp.SEQUENCES
            self.packets += count
            if marker & 0x80:
                self._frame(stamp, at)
            return
        for index in range(count):
            _, marker, sequence, stamp = _HEAD.unpack_from(_BUFFER, index * segment)
            self._count_one(sequence)
            if marker & 0x80:
                self._frame(stamp, at)

    def _count_one(self, sequence: int) -> None:
        ahead = 0 if self._next is None else rtp.distance(sequence, self._next)
        if ahead >= 0:
            missing = [(sequence - back) % rtp.SEQUENCES for back in range(1, ahead + 1)]
            self.lost += ahead
            self._missing.update(missing)
            self._next = (sequence + 1) % rtp.SEQUENCES
        elif sequence in self._missing:
            self._missing.discard(sequence)
            self.lost -= 1
        else:
            self.doubled += 1
            return
        self.packets += 1

    def _frame(self, stamp: int, at: int) -> None:
        self.frames.append(Seen(stamp, at, self.packets))
        if len(self.frames) == 1:
            self._moved.set()

    def _take(self, data: bytes, address: tuple[str, int]) -> None:
        kind = data[0] if data else 255
        if kind < 4:
            request = stun.parse_request(data)
            if request is not None and request.is_signed_with(self._pwd):
                self._address = self._address or address
                self.socket.sendto(stun.success(request.transaction, self._pwd, address), address)
                begin = not self._check
            else:
                begin = int.from_bytes(data[:2], "big") == stun.BINDING_SUCCESS
            if begin and self._dtls is None and self._remote.fingerprint:
                role = Role.SERVER if self._remote.setup == "active" else Role.CLIENT
                self._dtls = Dtls(role, self._remote.fingerprint)
                self._dtls.start()
                self._flush()
        elif 20 <= kind <= 63 and self._dtls is not None:
            with contextlib.suppress(RingError):
                self._dtls.receive(data)
            self._flush()
            self.closed |= self._dtls.closed
            if self._dtls.keys is not None:
                self._moved.set()

    def _flush(self) -> None:
        if self._dtls is not None and self._address is not None:
            for datagram in self._dtls.outgoing():
                with contextlib.suppress(OSError):
                    self.socket.sendto(datagram, self._address)


def candidate(remote: Transport) -> tuple[str, int]:
    """Choose the loopback address where there is one, else the first of IPv4 over UDP."""
    found = []
    for line in remote.candidates:
        fields = line.split()
        if fields[2].lower() == "udp" and "." in fields[4] and fields[7] == "host":
            found.append((fields[4], int(fields[5])))
    return next((address for address in found if address[0] == "127.0.0.1"), found[0])


def _check(username: str, password: str) -> bytes:
    """Write a connectivity check that nominates; it is sent again as it is, with the same transaction."""
    name = username.encode()
    attributes = struct.pack("!HH", stun.USERNAME, len(name)) + name + bytes(-len(name) % 4)
    attributes += struct.pack("!HHI", 0x0024, 4, 0x6E7F1EFF)  # PRIORITY
    attributes += struct.pack("!HHQ", 0x802A, 8, time.time_ns())  # ICE-CONTROLLING
    attributes += struct.pack("!HH", stun.USE_CANDIDATE, 0)
    head = struct.pack("!HHI", stun.BINDING_REQUEST, len(attributes) + 24, stun.MAGIC) + secrets.token_bytes(12)
    digest = hmac.digest(password.encode(), head + attributes, "sha1")
    attributes += struct.pack("!HH", stun.MESSAGE_INTEGRITY, 20) + digest
    message = head[:2] + struct.pack("!H", len(attributes) + 8) + head[4:] + attributes
    return message + struct.pack("!HHI", stun.FINGERPRINT, 4, zlib.crc32(message) ^ 0x5354554E)
