"""Lists that come in pages: which to ask for next, and when there are no more. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from ringlight.errors import RingError
from ringlight.http.flow import Response
from ringlight.partner.api import Api
from ringlight.partner.call import Call, Conversation
from ringlight.partner.documents import ItemFault, Listing, Resource, document
from ringlight.resilience.operation import Operation
from ringlight.resilience.retry_after import http_date

__all__ = ["Page", "Pages"]

T = TypeVar("T")

MOST_EMPTY = 25  # pages in a row: those from before the person's consent are empty, and may go back for months


@dataclass(frozen=True, slots=True)
class Page(Listing[T]):
    """One page of a list.

    Attributes:
        next: The address of the next page as it was written; `None` on the last.
        date: When Ring answered, in seconds since 1970 by its own clock; `None` where it does not say.
    """

    next: str | None = field(default=None, repr=False, kw_only=True)
    date: float | None = field(default=None, repr=False, kw_only=True)


class Pages(Generic[T]):
    """A list in pages. `while not pages.done:` hold the conversation `pages.page()`.

    What could be read before an error is not lost: `pages.cursor` stays where it was, also on the error, and
    `page()` may be tried again.

    Args:
        api: Where it is.
        operation: What its calls risk.
        path: The segments of its address below `/v1`.
        read: Makes an item of a resource.
        key: How the cursor is called in the query.
        query: The filters; they are added again where an answer's `next` has lost them.
        cursor: Where to begin; `None` for the first page.

    Attributes:
        cursor: Of the page that is asked for next; `None` for the first, and where an address names none.
        done: There are no more.
    """

    def __init__(
        self,
        api: Api,
        operation: Operation,
        path: Sequence[str],
        read: Callable[[Resource], T],
        *,
        key: str,
        query: Sequence[tuple[str, str]] = (),
        cursor: str | None = None,
    ) -> None:
        self._api, self._operation, self._read = api, operation, read
        self._key, self._query = key, tuple(query)
        begin = () if cursor is None else ((key, cursor),)
        self._url = api.url(*path, query=(*query, *begin))
        self._seen = {self._url if cursor is None else cursor}
        self._broken: RingError | None = None
        self._empty = 0
        self.cursor = cursor
        self.done = False

    def page(self) -> Conversation[Page[T]]:
        """Ask for the next page.

        Raises:
            RingError: With `cursor`, from which another list can go on.
        """
        try:
            if self._broken is not None:
                raise self._broken
            call: Call[Page[T]] = self._api.call(self._operation, "GET", self._url, self._decode)
            page: Page[T] = yield call
        except RingError as error:
            error.cursor = self.cursor
            raise
        self._advance(page)
        return page

    def _decode(self, response: Response) -> Page[T]:
        found = document(response)
        listing = found.listing(self._read)
        return Page(listing.items, listing.faults, next=found.next, date=http_date(response.headers.get("date")))

    def _advance(self, page: Page[T]) -> None:
        self._empty = 0 if page.items else self._empty + 1
        self.done = page.next is None or self._empty >= MOST_EMPTY
        if page.next is None or self.done:
            return
        try:
            url = self._with_filters(self._api.own(page.next, self._url))
        except RingError as error:  # for the next call: what this one brought is good
            self._broken = error
            return
        cursor = dict(parse_qsl(urlsplit(url).query)).get(self._key)
        mark = cursor or url
        self.done = mark in self._seen  # round and round otherwise
        self._seen.add(mark)
        self._url, self.cursor = url, cursor

    def _with_filters(self, url: str) -> str:
        there = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
        lost = [(name, value) for name, value in self._query if name not in there]
        if not lost:
            return url
        return f"{url}{'&' if '?' in url else '?'}{urlencode(lost, safe=',.:')}"


def all_of(pages: Pages[T]) -> Conversation[Listing[T]]:
    """Ask for every page and put their items together."""
    items: list[T] = []
    faults: list[ItemFault] = []
    while not pages.done:
        page = yield from pages.page()
        items += page.items
        faults += page.faults
    return Listing(tuple(items), tuple(faults))
