"""Keeps secrets out of what the HTTP library logs: queries of addresses, header fields of answers.

It logs each address at INFO, where a signed one is as good as its file, and each answer's header at DEBUG, with
cookies and the redirect that carries an authorisation code.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx2

__all__ = ["be_discreet", "hiding"]

_LOGGERS = ("httpx2", "httpcore2.http11", "httpcore2.http2")
_HEADERS = re.compile(r"(receive_response_headers\.complete return_value=\(.*?)\[.*", re.DOTALL)


_hidden = ContextVar("hidden", default=False)


@contextmanager
def hiding(path: bool) -> Iterator[None]:
    """Keep the path of the address out of the log as well while inside, where it is a secret."""
    before = _hidden.set(path)
    try:
        yield
    finally:
        _hidden.reset(before)


def be_discreet() -> None:
    """Install the filters; a second time changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_shorten)


def _shorten(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple) and record.args:
        record.args = tuple(_address(arg) if isinstance(arg, httpx2.URL) else arg for arg in record.args)
    elif isinstance(record.msg, str):
        record.msg = _HEADERS.sub(r"\1[…])", record.msg)
    return True


def _address(url: httpx2.URL) -> httpx2.URL:
    if _hidden.get():
        return url.copy_with(path="/", query=None)
    return url.copy_with(query=None) if url.query else url
