"""Readers of what comes over the media sockets, and of session descriptions."""

from ipaddress import ip_address
from itertools import pairwise

from fuzz_target import Target, codes, refusing

from ringlight.media import (
    dtls,
    fragments,
    framing,
    h264,
    ice_servers,
    key_frames,
    negotiate,
    publish,
    rtcp,
    rtp,
    sdp,
    srtp,
    stills,
    stun,
    trickle,
    turn,
)
from ringlight.media.line import Line
from ringlight.media.reorder import Reorder
from ringlight.media.sdp import Codec, Transport
from ringlight.media.tcp_path import passive_address
from ringlight.media.transport_wide import TransportFeedback
from ringlight.secrets import Secret
from ringlight.server.rtsp import credentials, messages, transport
from ringlight.server.rtsp.credentials import Answer
from ringlight.server.rtsp.description import describe
from ringlight.server.rtsp.events import Opened, Received, Tick
from ringlight.server.rtsp.session import Dialog

OURS = Transport("ufrag123", "password-of-ice-24-chars", ":".join(["AA"] * 32), "actpass")
CAMERA = {
    "video": Codec(102, "H264", 90_000, 1, {"profile-level-id": "42e01f"}),
    "audio": Codec(111, "opus", 48_000, 2),
}
SSRCS = {"video": 10, "audio": 20}
OFFER = negotiate.camera_offer(OURS, audio=True)
PUBLISHED = publish.publish_offer(CAMERA, OURS, SSRCS, "cname")
TRANSACTION = b"transaction1"


def read_sdp(data: bytes) -> None:
    """What is written of a description is read as the same; no part of it becomes a line of its own."""
    text = sdp.write(sdp.parse(data.decode("utf-8", "replace")))
    assert not set("\r\n\0") & set(text.replace("\r\n", "")), "a part of it would be a line of its own"
    again = sdp.parse(text)
    assert sdp.write(again) == text


def read_offer(data: bytes) -> None:
    """A viewer's offer is answered so that the answer can be read."""
    offer = negotiate.read_viewer_offer(data.decode("utf-8", "replace"))
    answer, seats = negotiate.answer_viewer(offer, CAMERA, OURS, SSRCS, "cname", hears=True)
    assert len(answer.sections) == len(offer.sections)
    assert "video" in seats
    again = sdp.parse(sdp.write(answer))
    assert [section.kind for section in again.sections] == [section.kind for section in offer.sections]


def read_answer(data: bytes) -> None:
    negotiate.read_answer(OFFER, sdp.parse(data.decode("utf-8", "replace")))


def read_publish_answer(data: bytes) -> None:
    publish.read_publish_answer(PUBLISHED, data.decode("utf-8", "replace"))


def read_fragment(data: bytes) -> None:
    found = trickle.parse(data.decode("utf-8", "replace"))
    trickle.judge_sections(found, OFFER)
    trickle.judge_restart(found, OFFER, OURS.fingerprint)


def read_candidates(data: bytes) -> None:
    """Lines of candidates, of which those that listen by TCP are connected to."""
    for line in data.decode("utf-8", "replace").split("\n")[:50]:
        found = passive_address(line)
        if found is not None:
            ip_address(found[0])
            assert 0 < found[1] < 65_536


def read_still(data: bytes) -> None:
    """A camera's key frame, NAL units behind their lengths: a picture, or none."""
    units = tuple(unit for unit in framing.Deframer().feed(data) if unit)
    assert stills.to_jpeg(h264.AccessUnit(0, units)).startswith(b"\xff\xd8")


def read_links(data: bytes) -> None:
    servers = ice_servers.read_links(data.decode("latin-1"))
    assert len(servers) <= ice_servers.MOST
    assert all(0 < server.port < 65_536 for server in servers)


def read_rtp(data: bytes) -> None:
    rtp.is_rtcp(data)
    packet = rtp.parse(data)
    assert len(packet.payload) <= len(data) - rtp.HEADER_LENGTH
    assert rtp.parse(rtp.write(packet)) == packet


def read_rtcp(data: bytes) -> None:
    """Reports are as many as their bytes allow, are written and read as the same, and move a viewer's line."""
    reports = rtcp.parse(data)
    assert len(reports) <= len(data) // 4
    for report in reports:
        if isinstance(report, rtcp.Nack):
            assert len(report.missing) <= 17 * len(data)
        if isinstance(report, TransportFeedback):
            Line(0.0).heard(report, 1.0)
            continue  # it is written by us in one of its many forms
        assert rtcp.parse(rtcp.write(report)) == [report]


def read_stun(data: bytes) -> None:
    for message in (stun.parse_request(data), stun.parse_response(data)):
        assert message is None or not message.is_signed_with("a password that nobody knows")
    turn.mapped_address(data, data[8:20])
    stun.is_success(data)


def read_turn(data: bytes) -> None:
    """Whatever a TURN server says, we ask a few times at most, and end."""
    allocation = turn.Allocation("name", Secret("password"), [TRANSACTION] * 6)
    allocation.begin()
    for _ in range(5):
        said = allocation.receive(data[:8] + TRANSACTION + data[20:])
        if not isinstance(said, turn.Send):
            break
    else:
        raise AssertionError("it asks without end")
    turn.whole(data)


def read_dtls(data: bytes) -> None:
    """Each side of a handshake takes datagrams of a stranger; each is behind its length in 16 bits."""
    for role in dtls.Role:
        peer = dtls.Dtls(role, OURS.fingerprint)
        peer.start()
        with refusing("MEDIA-DTLS"):
            for datagram in framing.Deframer().feed(data)[:8]:
                peer.receive(datagram)
                assert all(len(out) <= dtls.MTU for out in peer.outgoing())
                assert peer.keys is None


def read_srtp(data: bytes) -> None:
    """What a stranger sends is not opened, whatever the profile."""
    for profile in srtp.Profile:
        keys = srtp.Keys.split(profile, bytes(range(2 * (profile.key_length + profile.salt_length))))
        receiver = srtp.receiver(keys, is_client=True)
        assert receiver.unprotect(data) is None
        assert receiver.unprotect_rtcp(data) is None
        assert receiver.forged + receiver.replayed == 2


def read_framed(data: bytes) -> None:
    """Datagrams on TCP are the same, wherever the stream was split."""
    whole = framing.Deframer()
    at_once = whole.feed(data)
    piece_by_piece = framing.Deframer()
    in_pieces = [one for at in range(0, len(data), 3) for one in piece_by_piece.feed(data[at : at + 3])]
    assert at_once == in_pieces
    assert whole.broken == piece_by_piece.broken
    if not whole.broken:
        assert sum(len(one) + 2 for one in at_once) <= len(data)


def read_h264(data: bytes) -> None:
    """Payloads, each behind its length, are put together to frames, in whatever order they come."""
    assembler, reorder = h264.Assembler(), Reorder()
    frames = []
    for at, payload in enumerate(framing.Deframer().feed(data)):
        first = payload[0]
        packet = rtp.Packet(96, first & 0x80 != 0, at ^ first >> 5 & 3, at // 3 * 3000, 9, payload)
        h264.starts_key_frame(payload)
        for ready in reorder.push(packet, at / 100):
            frames += assembler.push(ready)
    for frame in frames:
        assert h264.split_annex_b(frame.annex_b) or not frame.units
        describe("Front Door", CAMERA, SSRCS, frame).write(1, "127.0.0.1")
        for payload in h264.packetize(frame.units):
            assert len(payload) <= 1180


def read_other_codecs(data: bytes) -> None:
    for codec in ("H264", "H265", "AV1", "VP8"):
        key_frames.of(Codec(96, codec, 90_000))(data)


def read_boxes(data: bytes) -> None:
    """Boxes of MP4 lie within what is there, one behind the other."""
    assert 0 <= fragments.whole(data) <= len(data)
    found = list(fragments.boxes(data))
    assert all(end <= start for (_, _, end), (_, start, _) in pairwise(found))
    head, rest = fragments.split(data)
    assert head + b"".join(rest) == data
    fragments.begins_at(data)


def read_rtsp(data: bytes) -> None:
    """Requests are the same wherever the stream was split, and a player gets answers."""
    at_once = messages.Reader().feed(data)
    reader = messages.Reader()
    in_pieces = [piece for at in range(0, len(data), 5) for piece in reader.feed(data[at : at + 5])]
    if not any(isinstance(piece, messages.Unreadable) for piece in at_once):
        assert in_pieces == at_once
    dialog = Dialog("session", "0a1b2c", guarded=True, udp=True, address="127.0.0.1", now=0.0)
    dialog.receive(Received(data), 1.0)
    free = Dialog("session", "0a1b2c", guarded=False, udp=True, address="127.0.0.1", now=0.0)
    free.receive(Received(data), 1.0)
    free.receive(Opened(describe("Front Door", CAMERA, SSRCS, h264.AccessUnit(0, ()))), 2.0)
    free.receive(Tick(), 1000.0)


def read_rtsp_transport(data: bytes) -> None:
    way = transport.parse(data.decode("utf-8", "replace"), udp=True)
    if isinstance(way, transport.OverUdp):
        assert all(1024 <= port < 65_536 for port in way.ports)


def read_rtsp_authorization(data: bytes) -> None:
    shown = credentials.read(data.decode("utf-8", "replace"), "nonce", "DESCRIBE")
    key = Secret("a key that nobody knows")
    proved = shown.proves(credentials.digest_of(shown.user, key)) if isinstance(shown, Answer) else shown == key
    assert not proved


TARGETS = (
    Target("sdp", read_sdp, codes("SIG-SDP")),
    Target("sdp-offer", read_offer, codes("VIEWER-OFFER")),
    Target("sdp-answer", read_answer, codes("SIG-SDP SDP-CODEC SDP-PROFILE")),
    Target("sdp-publish-answer", read_publish_answer, codes("PUBLISH-ANSWER")),
    Target("sdp-fragment", read_fragment, codes("VIEWER-FRAGMENT VIEWER-RESTART")),
    Target("ice-links", read_links),
    Target("candidates", read_candidates),
    Target("still", read_still, codes("MEDIA-NO-KEY-FRAME"), short=150),
    Target("rtp", read_rtp, codes("MEDIA-SILENT")),
    Target("rtcp", read_rtcp),
    Target("stun", read_stun),
    Target("turn", read_turn),
    Target("dtls", read_dtls),
    Target("srtp", read_srtp),
    Target("framing", read_framed),
    Target("h264", read_h264),
    Target("hevc-av1", read_other_codecs),
    Target("mp4", read_boxes),
    Target("rtsp", read_rtsp),
    Target("rtsp-transport", read_rtsp_transport),
    Target("rtsp-authorization", read_rtsp_authorization),
)
