"""`/api/doctor`: what is wrong, as the server sees it, and together with what a browser has found itself."""

import asyncio
import os
from importlib import import_module
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ringlight.cameras import Account
from ringlight.doctor.checks import CHECKS
from ringlight.doctor.findings import Finding, Mark
from ringlight.doctor.report import Report, report_of
from ringlight.errors import fault_error
from ringlight.faults import FAULTS
from ringlight.server.trial import Trials
from ringlight.settings import Settings

__all__ = ["doctor_router"]

MAX_OFFER = 128 * 1024  # bytes
BLOCK = 2 * 1024 * 1024  # bytes by which a browser measures the line
SDP = "application/sdp"


class BrowserFinding(BaseModel):
    """One thing that the browser itself has looked at."""

    model_config = ConfigDict(extra="forbid")

    check: str = Field(max_length=40, description="One of the checks whose name begins with `browser-`.")
    mark: Mark = Field(description="`good`, `note`, `fault` or `skipped`.")
    seen: Annotated[str, Field(max_length=300)] = Field(description="What was seen.")
    code: str | None = Field(None, max_length=40, description="A fault of the catalogue.")

    def finding(self) -> Finding:
        """Return it as a line of the report.

        Raises:
            UsageError: REQUEST-INVALID, the check or the fault is none that a browser may name.
        """
        row = CHECKS.get(self.check)
        if row is None or row.area != "browser":
            raise fault_error("REQUEST-INVALID", f"check: {self.check[:40]!r} is none of the browser's")
        if self.code is not None and self.code not in FAULTS:
            raise fault_error("REQUEST-INVALID", f"code: {self.code[:40]!r} is not in the catalogue")
        if (self.mark is Mark.FAULT) and self.code is None:
            raise fault_error("REQUEST-INVALID", "code: a fault needs one")
        code = self.code if self.mark in (Mark.FAULT, Mark.NOTE) else None
        return Finding(self.check, self.mark, self.seen, code, "this browser")


class Seen(BaseModel):
    """All that the browser has looked at."""

    model_config = ConfigDict(extra="forbid")

    browser: list[BrowserFinding] = Field(default_factory=list, max_length=len(CHECKS))


class _Desk:
    """One run at a time: who asks meanwhile gets its report too, as each costs Ring a ticket."""

    def __init__(self, settings: Settings, account: Account | None) -> None:
        self._settings = settings
        self._account = account
        self._running: asyncio.Task[Report] | None = None

    async def report(self) -> Report:
        """Look at everything that is configured and wakes no camera up."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._look(), name="doctor")
        return await asyncio.shield(self._running)

    async def _look(self) -> Report:
        # The checks bring the whole client of the Partner API: neither the server's start waits for it, nor a viewer.
        await asyncio.to_thread(import_module, "ringlight.doctor.checkup")
        from ringlight.doctor.checkup import examine  # noqa: PLC0415

        return await examine(self._settings, account=self._account, running=True)


def doctor_router(settings: Settings, account: Account | None, trials: Trials) -> APIRouter:
    """Return the addresses.

    Args:
        settings: Those in force, with the port on which the server really listens.
        account: The server's own; `None` where it has none.
        trials: Of the media port.
    """
    router = APIRouter(prefix="/api/doctor", tags=["doctor"])
    desk = _Desk(settings, account)

    @router.get("")
    async def look() -> dict[str, Any]:
        """Run the checks that wake no camera up, and name the one thing to fix first."""
        return (await desk.report()).as_dict()

    @router.post("")
    async def look_together(seen: Seen) -> dict[str, Any]:
        """Do the same, together with what the browser has found: one verdict."""
        browser = [one.finding() for one in seen.browser]
        report = await desk.report()
        both = report_of([*report.findings, *browser], report.seconds, report.version, report.system)
        return both.as_dict()

    @router.post("/media", response_class=Response)
    async def try_media(request: Request) -> Response:
        """Answer an SDP offer with the viewers' port: whether a browser reaches it, without waking a camera up."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != SDP:
            raise fault_error("REQUEST-TYPE", f"expected {SDP}")
        offer = bytearray()
        async for piece in request.stream():
            offer += piece
            if len(offer) > MAX_OFFER:
                raise fault_error("VIEWER-OFFER", f"it is longer than {MAX_OFFER} bytes")
        answer = trials.answer(offer.decode("utf-8", "replace"))
        return Response(answer, 201, {"Cache-Control": "no-store"}, SDP)

    @router.get("/block", response_class=Response)
    async def block() -> Response:
        """Send two megabytes of noise, by which a browser measures the line."""
        return Response(os.urandom(BLOCK), 200, {"Cache-Control": "no-store"}, "application/octet-stream")

    return router
