"""The catalogue of faults as pages for people, made on the server: they are read when the rest does not work."""

import re
from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from ringlight.errors import fault_error
from ringlight.faults import AREAS, FAULTS, Fault
from ringlight.faults.telling import RETRIES, sayings_of, signs_of
from ringlight.server.plain_page import plain_page

__all__ = ["fault_pages_router"]


def fault_pages_router() -> APIRouter:
    """Return `/faults` and `/faults/{code}`; as JSON they are at `/api/faults`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/faults")
    @router.head("/faults")
    async def index() -> HTMLResponse:
        return HTMLResponse(_index())

    @router.get("/faults/{code}")
    @router.head("/faults/{code}")
    async def page(code: str) -> HTMLResponse:
        fault = FAULTS.get(code.upper())
        if fault is None:
            raise fault_error("FAULT-UNKNOWN", code[:40])
        return HTMLResponse(_one(fault))

    return router


def _index() -> str:
    parts = ["<h1>Faults</h1>", "<p>Each way in which something fails here, with its cause and what to do.</p>"]
    for area, rows in AREAS.items():
        parts.append(f"<h2>{escape(area[:1].upper() + area[1:])}</h2><ul class='told-list'>")
        parts += [
            f"<li><a href='{fault.page}'><code>{fault.code}</code> {_prose(fault.title)}</a></li>" for fault in rows
        ]
        parts.append("</ul>")
    return plain_page("Faults", "\n".join(parts))


def _one(fault: Fault) -> str:
    signs = [*map(escape, signs_of(fault))]
    for speaker, said in sayings_of(fault.code).items():
        signs.append(f"{escape(speaker)} " + ", ".join(f"<code>{escape(words)}</code>" for words in said))
    parts = [
        f"<p><code class='fault-code'>{fault.code}</code></p>",
        f"<h1>{_prose(fault.title)}</h1>",
        f"<h2>What happened</h2><p>{_prose(fault.cause)}</p>",
        f"<h2>What to do</h2><p class='fault-fix'>{_prose(fault.fix)}</p><p>{RETRIES[fault.retry]}</p>",
    ]
    if signs:
        listed = "".join(f"<li>{sign}</li>" for sign in signs)
        parts.append(f"<h2>How it shows itself</h2><ul class='told-signs'>{listed}</ul>")
    ask = f"<code>ringlight explain {fault.code}</code>, <a href='/api{fault.page}'>as JSON</a>"
    return plain_page(f"{fault.code}: {escape(fault.title)}", "\n".join([*parts, f"<p>{ask}</p>"]))


def _prose(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
