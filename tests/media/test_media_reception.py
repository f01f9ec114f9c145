"""What a receiver says of a source: RFC 3550 appendix A, worked through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_kit import SSRC, packet

from ringlight.media import rtcp
from ringlight.media.reception import Reception

RATE = 90_000


def _received(*sequences: int) -> Reception:
    reception = Reception(SSRC, RATE)
    for at, sequence in enumerate(sequences):
        reception.note(packet(sequence, 6000 * at), at / 15)
    return reception


def test_nothing_received_is_nothing_lost() -> None:
    reception = Reception(SSRC, RATE)
    assert (reception.received, reception.lost) == (0, 0)
    assert reception.block(1.0).ssrc == SSRC


@pytest.mark.parametrize(
    ("sequences", "lost", "highest"),
    [
        ((5, 6, 7), 0, 7),
        ((5, 7, 8), 1, 8),
        ((5, 7, 6), 0, 7),
        ((5, 6, 6), -1, 6),
        ((65_534, 65_535, 0, 1), 0, 65_537),
        ((65_534, 1), 2, 65_537),
        ((0, 65_535, 1), -1, 1),
    ],
)
def test_loss_is_what_should_have_come_less_what_came(sequences: tuple[int, ...], lost: int, highest: int) -> None:
    """A packet from before the first one counts as received and never as expected."""
    reception = _received(*sequences)
    assert reception.lost == lost
    block = reception.block(1.0)
    assert (block.lost_total, block.highest_sequence) == (lost, highest)


def test_the_fraction_is_of_the_time_since_the_last_report() -> None:
    reception = _received(0, 1, 2, 3)
    assert reception.block(1.0).lost_fraction == 0
    for sequence in (4, 7):
        reception.note(packet(sequence, 6000 * sequence), 2.0)
    assert reception.block(2.0).lost_fraction == 128
    assert reception.block(3.0).lost_fraction == 0


def test_even_arrivals_have_no_jitter_and_uneven_ones_have() -> None:
    assert _received(*range(50)).block(1.0).jitter == 0
    reception = Reception(SSRC, RATE)
    for at in range(200):
        reception.note(packet(at, 6000 * at), at / 15 + (0.01 if at % 2 else 0.0))
    assert reception.block(1.0).jitter == pytest.approx(900, abs=10)


def test_another_clock_is_no_jitter() -> None:
    reception = _received(0, 1, 2)
    reception.note(packet(3, 3_000_000_000), 3 / 15)
    assert reception.block(1.0).jitter == 0


def test_the_last_sender_report_is_named_with_its_age() -> None:
    """The sender makes the round-trip time of it; both in units of 1/65536 s."""
    reception = _received(1)
    assert reception.block(5.0).last_report == reception.block(5.0).delay == 0
    reception.heard(rtcp.SenderReport(SSRC, 0x1111_2222_3333_4444, 0, 0, 0), 5.0)
    block = reception.block(6.5)
    assert (block.last_report, block.delay) == (0x2222_3333, 98_304)


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=60), st.floats(0, 1e6))
def test_every_report_fits_its_fields(sequences: list[int], now: float) -> None:
    reception = _received(*sequences)
    for _ in range(2):
        report = rtcp.ReceiverReport(1, (reception.block(now),))
        assert rtcp.parse(rtcp.write(report)) == [report]
        reception.note(packet(sequences[0], 5), now)
