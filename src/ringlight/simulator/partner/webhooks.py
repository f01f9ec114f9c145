"""Sends webhooks to an app."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ringlight.beside import beside
from ringlight.errors import RingError
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request
from ringlight.simulator.errands import Errands
from ringlight.simulator.partner.deliveries import DELAYS, Attempt, Delivery, judge_answer, sign

if TYPE_CHECKING:
    from ringlight.simulator.partner.estate import Estate

__all__ = ["send_due", "send_once", "sending"]

# An answer after five seconds is late, but how late it is tells an author more than that.
LISTENS_FOR = 10.0  # seconds
USER_AGENT = "ring-webhooks/simulated"


async def send_once(url: str, body: bytes, key: str) -> Attempt:
    """Send one signed delivery and judge the answer as that of the first attempt.

    Raises:
        NetworkError: The address cannot be reached.
        SetupError: CFG-INVALID, it is no address.
    """
    status, seconds = await _post(url, body, sign(body, key), strict=True)
    return judge_answer(status, seconds, DELAYS[1], 0.0)


async def send_due(estate: "Estate") -> int:
    """Send all that is due now, at once; return how many."""
    started = estate.deliveries.start(estate.clock())
    await asyncio.gather(*(_send(estate, one) for one in started))
    return len(started)


@contextlib.asynccontextmanager
async def sending(estate: "Estate") -> AsyncIterator[None]:
    """Send whatever becomes due beside the body of the `async with`."""
    try:
        async with beside(_send_for_ever(estate), "webhooks"):
            yield
    finally:
        estate.deliveries.changed = lambda: None


async def _send_for_ever(estate: "Estate") -> None:
    changed, errands = asyncio.Event(), Errands("webhook")
    estate.deliveries.changed = changed.set
    try:
        while True:
            changed.clear()
            for one in estate.deliveries.start(estate.clock()):
                errands.start(_send(estate, one))
            due = estate.deliveries.deadline
            wait = None if due is None else max(0.001, estate.real(due - estate.clock()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await changed.wait()
    finally:
        for errand in errands.others:
            errand.cancel()


async def _send(estate: "Estate", one: Delivery) -> None:
    url = estate.deliveries.url
    status, seconds = (None, 0.0) if url is None else await _post(url, one.body, one.signature)
    estate.deliveries.answered(one, status, seconds, estate.clock())


async def _post(url: str, body: bytes, signature: str, *, strict: bool = False) -> tuple[int | None, float]:
    loop = asyncio.get_running_loop()
    parts = urlsplit(url)
    fields = {"Content-Type": "application/json", "X-Signature": signature}
    request = Request("POST", url, fields, content=body, at="partner", timeout=LISTENS_FOR)
    began = loop.time()
    try:
        async with AsyncDriver(base_url=f"{parts.scheme}://{parts.netloc}", user_agent=USER_AGENT) as driver:
            began = loop.time()  # what it takes us to begin is not the receiver's
            answer = await driver.send(request)
    except RingError as error:
        if strict and error.code != "NET-TIMEOUT":
            raise
        return None, loop.time() - began
    return answer.status, loop.time() - began
