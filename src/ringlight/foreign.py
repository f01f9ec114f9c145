"""Text that somebody else chose, as it may be shown: in a log, on a terminal, on a page."""


def one_line(text: str, longest: int, *, cut: str = "") -> str:
    """Return a text as one printable line.

    Args:
        text: Whatever came; of a very long one only the beginning is looked at.
        longest: Characters that are left of it.
        cut: Put behind what was longer.

    Returns:
        It without control signs, changes of direction and line ends, which are blanks now; blanks in a row are one.
        It may be empty.
    """
    begins = text[: 4 * longest]
    flat = " ".join("".join(sign if sign.isprintable() else " " for sign in begins).split())
    if len(flat) <= longest:
        return flat
    return flat[:longest] + cut if cut else flat[:longest].rstrip()
