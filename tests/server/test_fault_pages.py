"""The catalogue as pages for people."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser

import httpx2
import pytest
from fastapi import FastAPI

from ringlight.faults import AREAS, FAULTS
from ringlight.server import problems
from ringlight.server.access import Access, AccessMiddleware
from ringlight.server.fault_pages import fault_pages_router

pytestmark = pytest.mark.anyio
ALONE = {"p", "li", "h1", "h2", "ul", "a", "code", "main", "header", "nav", "head", "body", "html", "title"}


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    problems.install(app)
    app.include_router(fault_pages_router())
    app.add_middleware(AccessMiddleware, access=Access(loopback=True, origins=frozenset()))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        yield client


class Read(HTMLParser):
    """Reads a page: what is open must be closed; collects its text and its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ALONE:
            self.open.append(tag)
        self.links += [value for name, value in attrs if name == "href" and value]
        assert not {name for name, _ in attrs} & {"style", "onclick"}, "the policy of contents allows none"

    def handle_endtag(self, tag: str) -> None:
        if tag in ALONE:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


async def test_every_row_has_a_page_that_help_leads_to(http: httpx2.AsyncClient) -> None:
    for fault in FAULTS.values():
        answer = await http.get(fault.as_dict()["help"] or "")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        text = "".join(Read(answer.text).words)
        for told in (fault.code, fault.title, fault.cause, fault.fix):
            assert told.replace("`", "") in text


async def test_a_page_tells_by_which_signs_it_is_known(http: httpx2.AsyncClient) -> None:
    text = "".join(Read((await http.get("/faults/sig-ticket")).text).words)
    assert "HTTP 404 at the upgrade to a WebSocket" in text
    assert "A server says address already in use" in "".join(Read((await http.get("/faults/CFG-PORT")).text).words)


async def test_the_index_lists_all_by_area(http: httpx2.AsyncClient) -> None:
    page = Read((await http.get("/faults")).text)
    assert [link for link in page.links if link.startswith("/faults/")] == [fault.page for fault in FAULTS.values()]
    assert len([word for word in page.words if word.lower() in {area.lower() for area in AREAS}]) == len(AREAS)


async def test_an_unknown_code_is_a_problem_and_never_markup(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/faults/<script>")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "FAULT-UNKNOWN"


async def test_links_of_other_sites_may_lead_here(http: httpx2.AsyncClient) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await http.get("/faults/SIG-PING", headers=link)).status_code == 200
    image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert (await http.get("/faults/SIG-PING", headers=image)).status_code == 403
