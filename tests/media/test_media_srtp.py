"""SRTP against libsrtp: what we protect it opens, and the other way round; forgeries and doubles are dropped."""

import random
import struct
from collections.abc import Callable

import pylibsrtp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringlight.media import rtcp, rtp, srtp
from ringlight.media.srtp import Keys, Profile
from ringlight.media.srtp_gcm import MAX_SOURCES, WINDOW, GcmReceiver, GcmSender

KEY, SALT = bytes(range(16)), bytes(range(100, 112))
SSRC = 0x12345678
MATERIAL = bytes(range(60))
REPORT = rtcp.write(rtcp.SenderReport(SSRC, 1 << 40, 5, 6, 7)) + rtcp.source_description(SSRC, "c")


def _libsrtp(*, inbound: bool) -> pylibsrtp.Session:
    kind = pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND
    policy = pylibsrtp.Policy(
        key=KEY + SALT, ssrc_type=kind, srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    )
    policy.window_size = 1024
    policy.allow_repeat_tx = True
    return pylibsrtp.Session(policy)


def _rtp(sequence: int, payload: bytes = b"payload", ssrc: int = SSRC) -> bytes:
    return rtp.header(96, False, sequence % 65_536, 3000 * sequence % (1 << 32), ssrc) + payload


@pytest.fixture
def ours() -> GcmSender:
    return GcmSender(KEY, SALT)


@pytest.fixture
def opener() -> GcmReceiver:
    return GcmReceiver(KEY, SALT)


# Keys


@pytest.mark.parametrize("profile", list(Profile))
def test_exported_material_is_cut_as_rfc_5764_says(profile: Profile) -> None:
    """Client key, server key, client salt, server salt; each side sends with its own."""
    key, salt = profile.key_length, profile.salt_length
    keys = Keys.split(profile, MATERIAL[: 2 * (key + salt)])
    assert keys.client_key + keys.server_key + keys.client_salt + keys.server_salt == MATERIAL[: 2 * (key + salt)]
    assert (len(keys.client_key), len(keys.server_key)) == (key, key)
    assert (len(keys.client_salt), len(keys.server_salt)) == (salt, salt)


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("is_client", [True, False])
def test_both_sides_understand_each_other_in_each_profile(profile: Profile, is_client: bool) -> None:
    keys = Keys.split(profile, MATERIAL[: 2 * (profile.key_length + profile.salt_length)])
    sender = srtp.sender(keys, is_client=is_client)
    receiver = srtp.receiver(keys, is_client=not is_client)
    own = srtp.receiver(keys, is_client=is_client)
    for sequence in (65_534, 65_535, 65_536, 65_537):
        packet = _rtp(sequence, bytes(200))
        protected = sender.protect(packet)
        assert packet[12:] not in protected
        assert own.unprotect(protected) is None
        assert receiver.unprotect(protected) == packet
        assert receiver.unprotect(protected) is None
    report = sender.protect_rtcp(REPORT)
    assert receiver.unprotect_rtcp(report) == REPORT
    assert receiver.unprotect_rtcp(report) is None
    assert own.unprotect_rtcp(report) is None


def test_the_profile_is_found_by_its_name_in_dtls() -> None:
    assert Profile.by_name(b"SRTP_AEAD_AES_128_GCM") is Profile.GCM
    assert Profile.by_name(b"SRTP_AES128_CM_SHA1_80") is Profile.CM
    assert Profile.by_name(b"") is None
    assert srtp.PREFERENCE.startswith(Profile.GCM.dtls_name)


def test_keys_are_not_shown() -> None:
    assert "\\x01" not in repr(Keys.split(Profile.GCM, MATERIAL[:56]))


# Against libsrtp


def test_libsrtp_opens_what_we_protect_over_several_rollovers(ours: GcmSender) -> None:
    theirs = _libsrtp(inbound=True)
    for sequence in range(60_000, 4 * 65_536, 2_500):
        assert theirs.unprotect(ours.protect(_rtp(sequence))) == _rtp(sequence)


def test_we_open_what_libsrtp_protects_over_several_rollovers(opener: GcmReceiver) -> None:
    theirs = _libsrtp(inbound=False)
    for sequence in range(60_000, 4 * 65_536, 2_500):
        assert opener.unprotect(theirs.protect(_rtp(sequence))) == _rtp(sequence)


def test_reports_pass_both_ways(ours: GcmSender, opener: GcmReceiver) -> None:
    inbound, outbound = _libsrtp(inbound=True), _libsrtp(inbound=False)
    for _ in range(3):
        assert inbound.unprotect_rtcp(ours.protect_rtcp(REPORT)) == REPORT
        assert opener.unprotect_rtcp(outbound.protect_rtcp(REPORT)) == REPORT


@given(st.integers(0, 65_535), st.lists(st.integers(-40, 60), max_size=25), st.binary(max_size=60))
@settings(max_examples=40)
def test_we_and_libsrtp_agree_on_every_order(start: int, steps: list[int], payload: bytes) -> None:
    """Whatever comes late, twice or after a gap: each side opens what the other does."""
    sender, theirs, receiver = GcmSender(KEY, SALT), _libsrtp(inbound=True), GcmReceiver(KEY, SALT)
    sequence = start + 65_536
    for step in [0, *steps]:
        sequence = max(sequence + step, start + 65_536)
        protected = sender.protect(_rtp(sequence, payload))
        try:
            opened: bytes | None = theirs.unprotect(protected)
        except pylibsrtp.Error:
            opened = None
        assert receiver.unprotect(protected) == opened


def test_a_packet_late_over_the_rollover_belongs_to_the_round_before(ours: GcmSender, opener: GcmReceiver) -> None:
    theirs = _libsrtp(inbound=True)
    for sequence in (65_534, 65_536, 65_535, 65_537):
        protected = ours.protect(_rtp(sequence))
        assert opener.unprotect(protected) == _rtp(sequence)
        assert theirs.unprotect(protected) == _rtp(sequence)


def test_a_packet_from_before_the_first_one_does_no_harm(ours: GcmSender, opener: GcmReceiver) -> None:
    """The first packet that is sent may have been overtaken on its way from the camera."""
    first, before, after = ours.protect(_rtp(0)), ours.protect(_rtp(65_535)), ours.protect(_rtp(1))
    assert opener.unprotect(first) == _rtp(0)
    assert opener.unprotect(before) is None
    assert opener.unprotect(after) == _rtp(1)


def test_header_extension_and_sources_are_authenticated_and_stay_readable(opener: GcmReceiver) -> None:
    head = bytearray(_rtp(7)[:12])
    head[0] = 0x80 | 0x10 | 2
    packet = bytes(head) + struct.pack("!IIHHI", 1, 2, 0xBEDE, 1, 0x10FF0000) + b"the payload"
    protected = _libsrtp(inbound=False).protect(packet)
    assert protected[:28] == packet[:28]
    changed = bytearray(protected)
    changed[24] ^= 1
    assert opener.unprotect(bytes(changed)) is None
    assert opener.unprotect(protected) == packet


# What is dropped


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_forgeries_are_dropped_and_leave_no_trace(ours: GcmSender, opener: GcmReceiver) -> None:
    """A forged packet may neither move the window nor mark the true one as seen."""
    protected = ours.protect(_rtp(10))
    assert all(opener.unprotect(_flip(protected, at)) is None for at in range(len(protected)))
    assert opener.unprotect(protected) == _rtp(10)
    report = ours.protect_rtcp(REPORT)
    assert all(opener.unprotect_rtcp(_flip(report, at)) is None for at in range(len(report)))
    assert opener.unprotect_rtcp(report) == REPORT


def test_doubles_are_dropped_wherever_they_come(ours: GcmSender, opener: GcmReceiver) -> None:
    packets = [ours.protect(_rtp(sequence)) for sequence in range(200)]
    random.Random(1).shuffle(packets)
    packets.sort(key=lambda data: data[3] // 32)  # late within a window
    assert all(opener.unprotect(data) is not None for data in packets)
    assert all(opener.unprotect(data) is None for data in packets)


def test_what_is_older_than_the_window_is_dropped(ours: GcmSender, opener: GcmReceiver) -> None:
    old, within, new = (ours.protect(_rtp(sequence)) for sequence in (1, 2, 1 + WINDOW))
    assert opener.unprotect(new) is not None
    assert opener.unprotect(old) is None
    assert opener.unprotect(within) == _rtp(2)


@pytest.mark.parametrize("profile", list(Profile))
def test_a_packet_may_come_late_by_as_much_in_each_profile(profile: Profile) -> None:
    keys = Keys.split(profile, MATERIAL[: 2 * (profile.key_length + profile.salt_length)])
    sender, receiver = srtp.sender(keys, is_client=True), srtp.receiver(keys, is_client=False)
    first, late, last = (sender.protect(_rtp(at)) for at in (0, 10, WINDOW))
    assert [receiver.unprotect(data) is not None for data in (first, last, late)] == [True, True, True]


def test_a_leap_over_more_than_the_window_forgets_it(ours: GcmSender, opener: GcmReceiver) -> None:
    for sequence in (5, 5 + 3 * WINDOW, 4 + 3 * WINDOW):
        protected = ours.protect(_rtp(sequence))
        assert opener.unprotect(protected) == _rtp(sequence)
        assert opener.unprotect(protected) is None


def test_a_peer_may_have_sixteen_sources(ours: GcmSender, opener: GcmReceiver) -> None:
    opened = [opener.unprotect(ours.protect(_rtp(1, ssrc=ssrc))) is not None for ssrc in range(20)]
    assert opened == [True] * MAX_SOURCES + [False] * 4


def test_reports_that_are_only_authenticated_are_taken(opener: GcmReceiver) -> None:
    """RFC 7714 section 9.3: with the E bit clear the body is readable and the tag stands behind it."""
    word = struct.pack("!I", 9)
    nonce = opener._rtcp_nonce(SSRC, 9)
    tag = opener._rtcp.encrypt(nonce, b"", REPORT + word)
    assert opener.unprotect_rtcp(REPORT + _flip(tag, 3) + word) is None
    assert opener.unprotect_rtcp(REPORT + tag + word) == REPORT


def _cm() -> srtp.Receiver:
    return srtp.receiver(Keys.split(Profile.CM, MATERIAL), is_client=False)


@pytest.mark.parametrize("make", [lambda: GcmReceiver(KEY, SALT), _cm], ids=["GCM", "CM"])
@given(data=st.binary(max_size=100), head=st.sampled_from([b"", b"\x80", b"\x9f\x60", b"\x80\xc8\0\1"]))
@settings(max_examples=60)
def test_garbage_is_dropped(make: Callable[[], srtp.Receiver], data: bytes, head: bytes) -> None:
    receiver = make()
    assert receiver.unprotect(head + data) is None
    assert receiver.unprotect_rtcp(head + data) is None
