"""Parts of files, as a storage gives them."""

import re
import zlib

from fastapi import Response

__all__ = ["ranged"]


def ranged(content: bytes, span: str, condition: str | None, media_type: str, etag: str | None = None) -> Response:
    """Answer as a storage does that knows ranges (RFC 9110 section 14).

    Args:
        content: The whole file.
        span: The request's Range; empty without one. What is no plain range is passed over.
        condition: Its If-Range.
        media_type: Of the file.
        etag: Of the file; `None` makes it from the content.
    """
    etag = etag or f'"{zlib.crc32(content):08x}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag}
    asked = re.fullmatch(r"bytes=([0-9]{1,18})-([0-9]{0,18})", span)
    if asked is None or condition not in (None, etag):
        return Response(content, 200, headers, media_type)
    first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
    if first > last:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], 206, headers, media_type)
