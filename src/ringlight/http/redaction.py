"""Takes out of a log record whatever looks like a secret, as the last thing before anybody sees it.

Nothing of ours logs secrets; this is for what was not thought of: an exception's text, an address in a message.
"""

import logging
import re

__all__ = ["Redacting", "redacted"]

LONGEST = 16 * 1024  # characters of one record: 7 ms at worst, for what somebody has written on purpose
_HIDDEN = "[…]"
_JWT = re.compile(r"\beyJ[\w-]{6}.*", re.DOTALL)
_PATTERNS = (
    # A token in a header field (RFC 6750 section 2.1), or client credentials (RFC 7617).
    (re.compile(r"\b(Bearer|Basic)\s+[\w\-.~+/]{6,}=*", re.IGNORECASE), rf"\1 {_HIDDEN}"),
    # A JSON Web Token (RFC 7519) begins with the base64 of `{"`. Words with dots are looked through once.
    (re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]++)+\.?"), lambda at: _JWT.sub(_HIDDEN, at[0])),
    # Name and value in a form, an address or JSON; one of our own codes is none.
    (
        re.compile(
            r"(\b(?:access_token|refresh_token|client_secret|code_verifier|code|password|signature|hmac|nonce|cookie|"
            r"authorization|x-amz-[\w-]+)[\"']?\s*[=:]\s*[\"']?)(?!\s*Bearer|[A-Z]+-[A-Z-]+\b)[^\s\"'&,;)}]+",
            re.IGNORECASE,
        ),
        rf"\1{_HIDDEN}",
    ),
    # The query and the user part of any address: a signed one is as good as its file. One without a query is taken too,
    # so that what is in it is not looked through again.
    (re.compile(r"(\b\w+://[^\s?#\"']*)(\?[^\s\"'>)]+)?"), lambda at: f"{at[1]}?{_HIDDEN}" if at[2] else at[0]),
    (re.compile(r"(\b\w+://)[^\s/@\"']+@"), rf"\1{_HIDDEN}@"),
)


def redacted(text: str) -> str:
    """Return the text without what looks like a secret; what is longer than `LONGEST` is cut off."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text)} characters)"
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


class Redacting(logging.Filter):
    """Redacts each record of a logger or handler, its exception too; it lets all of them through."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record as it will be shown."""
        record.msg, record.args = redacted(record.getMessage()), None
        if record.exc_info and record.exc_info[1] is not None:
            # The text is made here, once; formatters take it as it is.
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True
