"""Refusals of the simulated Partner API, in the form of each profile."""

from dataclasses import dataclass
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from ringlight.simulator.partner.behaviour import PartnerBehaviour
from ringlight.simulator.partner.history import iso

__all__ = ["TITLES", "Refusals"]

TITLES = {
    400: "Bad Request", 401: "Invalid Client", 403: "Out of Scope Access", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 415: "Unsupported Media Type", 422: "Unprocessable Entity", 429: "Rate Limit Exceeded",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusals:
    """Writes refusals as one profile has them.

    Attributes:
        how: The profile.
        now: Epoch ms.
        name: The name of the request.
    """

    how: PartnerBehaviour
    now: int
    name: str

    def __call__(self, status: int, detail: str = "", *, title: str = "", code: str = "") -> Response:
        """Refuse something that is not about media."""
        if status == 401:
            return self.unauthorized()
        error: dict[str, Any] = {"status": str(status), "title": title or TITLES[status]}
        if detail:
            error["detail"] = detail
        if code:
            error["code"] = code
        if self.how.error_style == "sparse" and not code:
            del error["status"]
        if self.how.error_style == "bare":
            error = {"title": error["title"], "status": status, **({"code": code} if code else {}), "detail": None}
        return JSONResponse({"errors": [error]}, status)

    def unauthorized(self, status: int = 401, *, empty: bool = False) -> Response:
        """Refuse a token; in some profiles without a word."""
        if empty or self.how.empty_401:
            return Response(status_code=status)
        return JSONResponse({"errors": [{"status": str(status), "title": TITLES[status]}]}, status)

    def media(self, status: int, code: str, detail: str, pointer: str = "") -> Response:
        """Refuse a request for media."""
        error: dict[str, Any] = {"id": self.name, "status": str(status), "code": code, "detail": detail}
        if pointer:
            error["source"] = {"pointer": pointer}
        error["meta"] = {"timestamp": iso(self.now)}
        if self.how.error_style == "bare":
            error = {"code": code, "status": status}
        return JSONResponse({"errors": [error]}, status)
