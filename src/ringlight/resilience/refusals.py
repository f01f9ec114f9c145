"""Ring's own words about a refusal, read leniently: any part may be missing, and any may be wrong. Pure."""

import re
from collections.abc import Mapping

import msgspec

from ringlight.errors import ErrorItem
from ringlight.foreign import one_line

__all__ = ["read_refusal", "said"]

_MOST = 20  # items that are kept
_LONGEST = 160  # characters of one part; Ring's sentences have up to 90
_LONGEST_BODY = 256 * 1024  # bytes; what is longer is no refusal of Ring's
# A long word with a digit in it is a token or an id; Ring's sentences have none, and its ids are not for messages.
_LIKE_A_SECRET = re.compile(r"(?<!\S)(?=\S*[0-9])\S{20,}")


def read_refusal(body: bytes) -> tuple[ErrorItem, ...]:
    """Return the items of `errors`, or of OAuth's `error`; nothing for a body that is empty, HTML or else."""
    if not body or len(body) > _LONGEST_BODY or body.lstrip()[:1] not in {b"{", b"["}:
        return ()
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return ()
    found = document.get("errors", document) if isinstance(document, Mapping) else document
    items = found if isinstance(found, list) else [found]
    read = [_item(one) for one in items[:_MOST]]
    return tuple(item for item in read if item != ErrorItem())


def said(items: tuple[ErrorItem, ...]) -> str:
    """Return the first item in one line, fit for a message: `code: title: detail` without what is missing."""
    if not items:
        return ""
    first = items[0]
    parts = dict.fromkeys(part for part in (first.code, first.title, first.detail) if part)
    line = ": ".join(_LIKE_A_SECRET.sub("…", part) for part in parts)
    return f"{line} [{first.pointer}]" if first.pointer else line


def _item(one: object) -> ErrorItem:
    if isinstance(one, str):
        return ErrorItem(detail=_text(one))
    if not isinstance(one, Mapping):
        return ErrorItem()
    source = one.get("source")
    return ErrorItem(
        status=_text(one.get("status")),
        code=_text(one.get("code") or one.get("error")),
        title=_text(one.get("title")),
        detail=_text(one.get("detail") or one.get("error_description") or one.get("message")),
        pointer=_text(source.get("pointer") if isinstance(source, Mapping) else None),
        id=_text(one.get("id")),
    )


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return one_line(str(value), _LONGEST, cut="…")
