"""Request bodies as clients send them: JSON or a form."""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request

__all__ = ["fields_of"]


async def fields_of(request: Request) -> dict[str, Any] | None:
    """Read a body that may be JSON or a form, as clients send both; `None` where it is no object."""
    body = await request.body()
    if "json" in request.headers.get("content-type", ""):
        try:
            fields = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
        return fields if isinstance(fields, dict) else None
    return dict(parse_qsl(body.decode("utf-8", "replace")))
