"""What somebody else chose to write, as it may be shown."""

from hypothesis import given
from hypothesis import strategies as st

from ringlight.foreign import one_line


def test_what_would_move_a_terminal_or_a_line_is_a_blank() -> None:
    assert one_line("Front\x1b[31m door\r\nERROR \u202eleft", 80) == "Front [31m door ERROR left"


def test_it_is_cut_and_never_ends_in_a_blank() -> None:
    assert one_line("one two three", 8) == "one two"


@given(st.text(max_size=300), st.integers(1, 100))
def test_it_is_one_printable_line_of_at_most_so_many_signs_and_stays_the_same(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest
    assert line.isprintable()
    assert line == line.strip()
    assert one_line(line, longest) == line
