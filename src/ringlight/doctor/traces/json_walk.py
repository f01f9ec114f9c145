"""A JSON document read piece by piece: yields the values at the places that are asked for, and keeps no others."""

import re
from collections.abc import Iterable, Iterator

__all__ = ["Path", "walk"]

Path = tuple[str, ...]  # names of fields; `*` stands for each item of a list
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+)', re.DOTALL)
_STRING_END = re.compile(r'(?:[^"\\]|\\.)*?"', re.DOTALL)
_ALONE = frozenset("{}[]:,")
_DEEP = 64  # levels whose names are kept


class _Place:
    """Where in the document a token stands."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.beyond = 0  # levels below `_DEEP`
        self._key = ""
        self._is_list: list[bool] = []
        self._naming = False

    @property
    def depth(self) -> int:
        return len(self._is_list) + self.beyond

    def open(self, sign: str) -> None:
        if self.beyond or len(self._is_list) >= _DEEP:
            self.beyond += 1
            return
        self.path.append(self.name)
        self._is_list.append(sign == "[")
        self._naming = sign == "{"

    def close(self) -> None:
        if self.beyond:
            self.beyond -= 1
        elif self._is_list:
            self._is_list.pop()
            self.path.pop()
        self._naming = False

    @property
    def name(self) -> str:
        """Of the value that comes now."""
        if not self._is_list:
            return ""
        return "*" if self._is_list[-1] else self._key

    def scalar(self, token: str) -> bool:
        """Take a token that opens nothing; return whether it is a value."""
        if self._naming and self._is_list and not self._is_list[-1]:
            self._key, self._naming = token.strip('"'), False
            return False
        return True

    def comma(self) -> None:
        self._naming = bool(self._is_list) and not self._is_list[-1]


def walk(chunks: Iterable[str], wanted: frozenset[Path], ends: Path, most: int) -> Iterator[tuple[Path, str]]:
    """Yield the text of each value at a wanted place, in order, and an empty one at the end of each at `ends`.

    A value longer than `most` characters comes as an empty text. What is no JSON yields what could be read of it. Never
    raises.
    """
    place = _Place()
    taking: list[str] | None = None
    taken, taking_from = 0, 0
    taking_path: Path = ()
    for token in _tokens(chunks, most):
        sign = token[:1]
        path: Path = ()
        if sign in "{[" and token:
            path = (*place.path[1:], place.name) if place.depth else ()
            if taking is None and path in wanted:
                taking, taken, taking_from, taking_path = [], 0, place.depth, path
            place.open(sign)
        elif sign in "}]" and token:
            place.close()
            if taking is None and (*place.path[1:], place.name) == ends:
                yield ends, ""
        elif sign == ",":
            place.comma()
        elif sign != ":" and taking is None and place.scalar(token):
            path = (*place.path[1:], place.name)
            if path in wanted:
                yield path, token
        elif sign != ":":
            place.scalar(token)
        if taking is not None:
            taken += len(token)
            if taken <= most:
                taking.append(token)
            if sign in "}]" and token and place.depth == taking_from:
                yield taking_path, "".join(taking) if taken <= most else ""
                taking = None


def _tokens(chunks: Iterable[str], most: int) -> Iterator[str]:
    """Cut a text into tokens; a string that is longer than `most` comes as an empty token."""
    rest = ""
    too_long = False
    for chunk in chunks:
        rest += chunk
        at = 0
        if too_long:
            end = _STRING_END.match(rest)
            if end is None:
                rest = "\\" if rest.endswith("\\") and not rest.endswith("\\\\") else ""
                continue
            at, too_long = end.end(), False
            yield ""
        while found := _TOKEN.match(rest, at):
            if found.end() == len(rest) and found[1] not in _ALONE and not found[1].endswith('"'):
                break  # it may go on in the next piece
            at = found.end()
            yield found[1]
        rest = rest[at:].lstrip()
        if len(rest) > most:
            too_long, rest = rest.startswith('"'), ""
    if rest and not rest.startswith('"'):
        yield rest
