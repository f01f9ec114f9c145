"""What is kept of the events of one person, for a connection that broke."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from ringlight.rooms import messages
from ringlight.rooms.messages import Chatted, Signalled
from ringlight.rooms.outbox import Outbox


@given(st.lists(st.integers(0, 400), max_size=300), st.integers(1, 20), st.integers(400, 3000))
def test_an_outbox_keeps_the_newest_that_fit_and_tells_what_came_after_each(
    sizes: list[int], most: int, most_bytes: int
) -> None:
    outbox = Outbox(most, most_bytes)
    said = [outbox.add(Chatted(from_="p", text="x" * size)) for size in sizes]
    kept = outbox.kept
    assert kept == said[len(said) - len(kept) :]
    assert len(kept) <= most
    assert sum(map(len, kept)) <= most_bytes
    if len(kept) < len(said):  # one more would have been too many
        more = said[len(said) - len(kept) - 1 :]
        assert len(more) > most or sum(map(len, more)) > most_bytes
    for seq in range(len(said) + 2):
        missed = len(said) - seq
        assert outbox.after(seq) == (said[seq:] if 0 <= missed <= len(kept) else None)
        assert outbox.at(seq) == (said[seq - 1] if 0 < seq <= len(said) and missed < len(kept) else None)
    again = Outbox(most, most_bytes, outbox.seq, kept)
    assert again.add(Chatted(from_="p", text="next")) == outbox.add(Chatted(from_="p", text="next"))
    assert again.kept == outbox.kept


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(-3, 3)), max_size=120), st.integers(1, 20))
def test_what_has_arrived_is_forgotten_and_nothing_else(said: list[tuple[int, int]], most: int) -> None:
    outbox, told, arrived = Outbox(most, 3000), list[bytes](), 0
    for size, ahead in said:
        told.append(outbox.add(Chatted(from_="p", text="x" * size)))
        before, seen = outbox.kept, min(arrived + ahead, len(told) + 2)
        outbox.forget(seen)
        if seen <= len(told):
            arrived = max(arrived, seen)
            assert outbox.kept == before[max(0, len(before) - (len(told) - arrived)) :]
        else:
            assert outbox.kept == before, "it has never been sent"
        assert sum(map(len, outbox.kept)) == outbox._bytes
        assert outbox.after(len(told)) == []
        assert outbox.at(arrived) is None


@given(st.integers(0, 2**53), st.text(max_size=40), st.binary(max_size=900), st.booleans())
def test_a_signal_is_written_as_every_other_event_is(seq: int, speaker: str, chance: bytes, is_candidate: bool) -> None:
    """It takes a shorter way, and a page that resumes must not see which."""
    raw = Raw(messages.encode({"sdp": chance.hex()}))
    description, candidate = (UNSET, raw) if is_candidate else (raw, UNSET)
    event = Signalled(seq=seq, from_=speaker, description=description, candidate=candidate)
    assert messages.signalled(seq, speaker, description, candidate) == messages.encode(event)
