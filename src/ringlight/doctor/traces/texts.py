"""Text out of bytes, piece by piece, in the encodings in which logs are pasted."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from ringlight.doctor.traces.entries import MAX_FRAME

__all__ = ["text_chunks", "text_lines"]

_PIECE = 64 * 1024
_MARKS = (
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)  # PowerShell writes UTF-16


def text_chunks(file: BinaryIO) -> Iterator[str]:
    """Yield the text of a file in pieces; what cannot be decoded is replaced."""
    head = file.read(4)
    mark, encoding = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", "utf-8"))
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    piece = head[len(mark) :]
    while piece:
        yield decoder.decode(piece)
        piece = file.read(_PIECE)
    yield decoder.decode(b"", final=True)


def text_lines(file: BinaryIO) -> Iterator[str]:
    """Yield the lines of a file. Of a line without end only so much is kept that it is known to be too long."""
    rest = ""
    for chunk in text_chunks(file):
        *lines, last = (rest + chunk).split("\n") if "\n" in chunk else (rest + chunk,)
        yield from lines
        rest = last if len(last) <= MAX_FRAME + _PIECE else last[: MAX_FRAME + 1]
    if rest:
        yield rest
