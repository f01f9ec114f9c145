"""The browser's side of a viewer, played by hand: checks, handshake, and what it could decode."""

from itertools import count

from aioice import stun as ice
from media_kit import IDR, PPS, SPS, Calls

from ringlight.media import rtcp, rtp, srtp, stun
from ringlight.media.dtls import Dtls, Role, own_certificate
from ringlight.media.feed import Runs
from ringlight.media.forward import Track
from ringlight.media.nomination import Address
from ringlight.media.outlet import Outlet
from ringlight.media.rtp import Packet
from ringlight.media.viewer import Viewer

KEY = (SPS, PPS, IDR + b"key")
HOME, ABROAD = ("192.0.2.7", 50_000), ("198.51.100.9", 1234)


class Browser:
    """The other side of a viewer: checks, handshake, and what it could decode."""

    def __init__(
        self,
        *,
        fingerprint: str | None = None,
        audio: bool = False,
        rtx: tuple[int, int] | None = None,
        stamp: int | None = None,
        role: Role = Role.CLIENT,
    ) -> None:
        own = own_certificate().fingerprint
        self.role = role
        self.dtls = Dtls(role, own)
        self.inbox: list[bytes] = []
        self.key_frames, self.ended = Calls(), Calls()
        self.tracks = {"video": Track(True, 77, 90_000, 1500, 65_400), "audio": Track(False, 78, 48_000)}
        outlets = {"video": Outlet(self.tracks["video"], 108, rtx, stamp)}
        self.now = 100.0  # on the viewer's clock
        if audio:
            outlets["audio"] = Outlet(self.tracks["audio"], 111)
        self.calls: list[int] = []
        self.viewer = Viewer(
            "ours", "password", fingerprint or own, outlets, "cname",
            self.inbox.append, self._send_all, self.key_frames, self.ended, 100.0,
            role=Role.SERVER if role is Role.CLIENT else Role.CLIENT, clock=lambda: self.now,
        )  # fmt: skip
        self._ids = count()

    def _send_all(self, packets: list[bytes], runs: Runs) -> None:
        self.calls += [end - start for start, end in runs]
        self.inbox.extend(packets)

    def camera(self, packets: list[Packet], kind: str = "video") -> None:
        """Let the camera send something."""
        for one in packets:
            batch = self.tracks[kind].push(one, 100.0)
            if batch is not None:
                self.viewer.packets(kind, batch)

    def check(
        self,
        address: Address = HOME,
        *,
        ufrag: str = "ours",
        password: str = "password",
        nominates: bool = True,
        now: float = 100.0,
    ) -> ice.Message:
        message = ice.Message(ice.Method.BINDING, ice.Class.REQUEST, transaction_id=next(self._ids).to_bytes(12, "big"))
        message.attributes["USERNAME"] = f"{ufrag}:theirs"
        if nominates:
            message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(password.encode())
        request = stun.parse_request(bytes(message))
        assert request is not None
        answer = ice.parse_message(self.viewer.check(request, address, now))
        assert answer.transaction_id == message.transaction_id
        return answer

    def shake_hands(self, now: float = 100.0) -> None:
        self.dtls.start()
        self.viewer.begin()
        for _ in range(6):
            self.listen()
            for datagram in list(self.dtls.outgoing()):
                self.viewer.receive(datagram, now)
            self.listen()
            if self.dtls.keys is not None:
                for datagram in list(self.dtls.outgoing()):
                    self.viewer.receive(datagram, now)
                return
        raise AssertionError("the handshake did not end")

    def listen(self) -> None:
        """Give the handshake its share of what came; the rest stays in the inbox."""
        for datagram in tuple(self.inbox):
            if 20 <= datagram[0] <= 63:
                self.inbox.remove(datagram)
                self.dtls.receive(datagram)

    def connect(self, now: float = 100.0) -> None:
        self.check(now=now)
        self.shake_hands(now)

    def opened(self) -> list[bytes]:
        """Open what came; nothing may be doubled or forged."""
        self.listen()
        assert self.dtls.keys is not None
        if not hasattr(self, "_receiver"):
            self._receiver = srtp.receiver(self.dtls.keys, is_client=self.role is Role.CLIENT)
        found = []
        for datagram in self.inbox:
            plain = (
                self._receiver.unprotect_rtcp(datagram) if rtp.is_rtcp(datagram) else self._receiver.unprotect(datagram)
            )
            assert plain is not None
            found.append(plain)
        self.inbox.clear()
        return found

    def pictures(self) -> list[Packet]:
        return [rtp.parse(data) for data in self.opened() if not rtp.is_rtcp(data)]

    def reports(self) -> list[rtcp.Report]:
        return [report for data in self.opened() if rtp.is_rtcp(data) for report in rtcp.parse(data)]

    def say(self, *reports: rtcp.Report, now: float = 100.0) -> None:
        assert self.dtls.keys is not None
        if not hasattr(self, "_sender"):
            self._sender = srtp.sender(self.dtls.keys, is_client=self.role is Role.CLIENT)
        self.viewer.receive(self._sender.protect_rtcp(b"".join(map(rtcp.write, reports))), now)

    def send_rtcp(self, plain: bytes, now: float = 100.0) -> None:
        """Send any RTCP, encrypted as it should be."""
        self.say(now=now)
        self.viewer.receive(self._sender.protect_rtcp(plain), now)
