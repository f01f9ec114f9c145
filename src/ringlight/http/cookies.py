"""Cookies of one conversation with one host, kept by the flow that has it. Pure."""

import re

from ringlight.http.flow import Response
from ringlight.secrets import Secret

__all__ = ["Cookies"]

# RFC 6265 section 4.1.1: a token, then printable ASCII without blank, quote, comma, semicolon, backslash.
_PAIR = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=\"?([!#-+\--:<-\[\]-~]*)\"?")
_MOST = 64  # cookies; a sign-in has three or four


class Cookies:
    """Takes cookies from answers and gives them to the next request.

    It knows neither paths nor domains: use one for one host only.
    """

    def __init__(self) -> None:
        self._values: dict[str, Secret] = {}

    def take(self, response: Response) -> None:
        """Keep what the answer sets, and drop what it takes back."""
        for line in response.set_cookies:
            pair, *attributes = (part.strip() for part in line.split(";"))
            found = _PAIR.fullmatch(pair)
            if found is None:
                continue
            name, value = found.groups()
            ended = any(re.fullmatch(r"max-age=(0+|-\d+)", attribute, re.IGNORECASE) for attribute in attributes)
            if ended or not value:
                self._values.pop(name, None)
            elif name in self._values or len(self._values) < _MOST:
                self._values[name] = Secret(value)

    def get(self, name: str) -> Secret | None:
        """Return the value of a cookie, or `None`."""
        return self._values.get(name)

    def headers(self) -> dict[str, Secret]:
        """Return the header field for the next request; none where there is no cookie."""
        if not self._values:
            return {}
        return {"Cookie": Secret("; ".join(f"{name}={value.reveal()}" for name, value in self._values.items()))}
