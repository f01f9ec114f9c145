"""Objects as logs show them: JSON, Python's repr, and what Node.js prints. One tolerant grammar for all three."""

import re
from typing import Any

__all__ = ["find_object", "is_open"]

MAX_DEPTH = 32
_STRING = re.compile(r"""[bru]{0,2}(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`)""", re.DOTALL)
_MARK = re.compile(r"[{}\"'`]")
_REST = {sign: re.compile(rf"(?:[^{sign}\\]|\\.)*+{sign}", re.DOTALL) for sign in "\"'`"}  # of a string
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_SPACE = re.compile(r"\s*")
_ELIDED = re.compile(r"\[(?:(?:Object|Array)(?:: [^\]]*)?|Circular[^\]]*)\]|\.\.\.[^,\]}]*")
_ESCAPE = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2}))|(.))", re.DOTALL
)
_HALF = re.compile("[\ud800-\udfff]")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "0": "\0"}
_WORDS = {"true": True, "True": True, "false": False, "False": False}  # all others are nothing


class _NotReadableError(Exception):
    """This is no object, or only the beginning of one."""


def find_object(text: str) -> tuple[dict[str, Any], int] | None:
    """Return the first object in a text that can be read, and where it begins; `None` if there is none."""
    at = text.find("{")
    for _ in range(8):
        if at < 0:
            return None
        try:
            value, _end = _value(text, at, 0)
        except _NotReadableError:
            at = text.find("{", at + 1)
            continue
        return (value, at) if isinstance(value, dict) else None
    return None


def is_open(text: str) -> bool:
    """Whether an object begins in a text and does not end in it."""
    depth, at = 0, max(text.find("{"), 0)
    plain = set[str]()  # quotes of a kind of which none ends a string any more: such as those in `it's`
    while found := _MARK.search(text, at):
        sign, at = found[0], found.end()
        if sign in "{}":
            depth += 1 if sign == "{" else -1
        elif sign not in plain:
            rest = _REST[sign].match(text, at)
            if rest is None:
                plain.add(sign)
            else:
                at = rest.end()
    return depth > 0


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    at = _skip(text, at)
    if at >= len(text) or depth > MAX_DEPTH:
        raise _NotReadableError
    sign = text[at]
    if found := _ELIDED.match(text, at):
        return None, found.end()
    if sign == "{":
        return _object(text, at + 1, depth)
    if sign in "[(":
        return _list(text, at + 1, depth, "]" if sign == "[" else ")")
    if found := _STRING.match(text, at):
        return _text(text, found)
    if found := _NUMBER.match(text, at):
        shown = found[0]
        return (float(shown) if set(shown) & set(".eE") or len(shown) > 300 else int(shown)), found.end()
    if found := _NAME.match(text, at):
        return _WORDS.get(found[0]), found.end()
    raise _NotReadableError


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    fields: dict[str, Any] = {}
    while True:
        at = _skip(text, at)
        if text.startswith("}", at):
            return fields, at + 1
        if found := _ELIDED.match(text, at):
            at = found.end()
        else:
            name = _STRING.match(text, at) or _NAME.match(text, at) or _NUMBER.match(text, at)
            if name is None:
                raise _NotReadableError
            key, at = _text(text, name) if name.re is _STRING else (name[0], name.end())
            at = _skip(text, at)
            if not text.startswith(":", at):
                raise _NotReadableError
            fields[key], at = _value(text, at + 1, depth + 1)
        at = _comma(text, at, "}")


def _list(text: str, at: int, depth: int, end: str) -> tuple[list[Any], int]:
    items: list[Any] = []
    while True:
        at = _skip(text, at)
        if text.startswith(end, at):
            return items, at + 1
        item, at = _value(text, at, depth + 1)
        items.append(item)
        at = _comma(text, at, end)


def _comma(text: str, at: int, end: str) -> int:
    at = _skip(text, at)
    if text.startswith(",", at):
        return at + 1
    if text.startswith(end, at):
        return at
    raise _NotReadableError


def _text(text: str, found: re.Match[str]) -> tuple[str, int]:
    """Read a string, and those that Node.js adds to it with `+` where it has several lines."""
    parts = []
    while True:
        parts.append(_ESCAPE.sub(_unescaped, next(group for group in found.groups() if group is not None)))
        plus = _skip(text, found.end())
        following = _STRING.match(text, _skip(text, plus + 1)) if text.startswith("+", plus) else None
        if following is None:
            return _paired("".join(parts)), found.end()
        found = following


def _paired(text: str) -> str:
    """Put halves of a sign together, as JSON writes those beyond the first 65,536; a half alone is replaced."""
    if text.isascii() or not _HALF.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescaped(found: re.Match[str]) -> str:
    number = found[1] or found[2] or found[3] or found[4]
    if number is None:
        return _LETTERS.get(found[5], found[5])
    value = int(number, 16)
    return chr(value) if value < 0x110000 else "\ufffd"


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
