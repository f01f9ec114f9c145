"""Keeps secrets out of what the HTTP library logs: queries of addresses, header fields of answers.

It logs each address at INFO, where a signed one is as good as its file, and each answer's header at DEBUG, with
cookies and the redirect that carries an authorisation code.
"""

import logging
import re

import httpx2

__all__ = ["be_discreet"]

_LOGGERS = ("httpx2", "httpcore2.http11", "httpcore2.http2")
_HEADERS = re.compile(r"(receive_response_headers\.complete return_value=\(.*?)\[.*", re.DOTALL)


def be_discreet() -> None:
    """Install the filters; a second time changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_shorten)


def _shorten(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple) and record.args:
        record.args = tuple(
            arg.copy_with(query=None) if isinstance(arg, httpx2.URL) and arg.query else arg for arg in record.args
        )
    elif isinstance(record.msg, str):
        record.msg = _HEADERS.sub(r"\1[…])", record.msg)
    return True
