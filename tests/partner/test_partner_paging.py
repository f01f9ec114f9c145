"""Lists in pages: as far as they go, not in circles, not to strangers, and from where they broke off."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from talking_to_the_api import hold, json, refusal

from ringlight.errors import InternalServerError, RingError
from ringlight.http.flow import Response
from ringlight.partner.api import Api
from ringlight.partner.call import Call
from ringlight.partner.history import Event, History
from ringlight.partner.paging import MOST_EMPTY, Pages
from ringlight.partner.subscriptions import Subscriptions

API = Api()
PATH = "/v1/history/devices/D/events"


class Shelf:
    """A server with a list in pages, which notes what it is asked."""

    def __init__(self, pages: dict[str | None, tuple[list[str], str | None]]) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.broken: set[str | None] = set()

    def __call__(self, call: Call[Any]) -> Response | RingError:
        self.asked.append(call.request.url)
        key = parse_qs(urlsplit(call.request.url).query).get("page[key]", [None])[0]
        if key in self.broken:
            return refusal(500)
        ids, following = self.pages[key]
        body: dict[str, object] = {"data": [{"type": "history-events", "id": name} for name in ids]}
        return json(body if following is None else body | {"links": {"next": following}})


def gone_through(pages: Pages[Event], answer: Shelf) -> list[str]:
    found: list[str] = []
    while not pages.done:
        found += [event.id for event in hold(pages.page(), answer)]
    return found


def test_pages_are_followed_to_the_last() -> None:
    shelf = Shelf({None: (["a", "b"], f"{PATH}?page[key]=2026-10-01T00:00:00Z"), "2026-10-01T00:00:00Z": (["c"], None)})
    assert gone_through(History(API).pages("D"), shelf) == ["a", "b", "c"]
    assert shelf.asked == [
        f"https://api.amazonvision.com{PATH}",
        f"https://api.amazonvision.com{PATH}?page[key]=2026-10-01T00:00:00Z",
    ]


def test_a_filter_that_the_next_address_has_lost_is_added_again_and_one_it_kept_is_not() -> None:
    shelf = Shelf({
        None: (["a"], f"{PATH}?page%5Bkey%5D=2"),
        "2": (["b"], f"{PATH}?event_types=motion.human,ding&page[key]=3"),
        "3": (["c"], None),
    })  # fmt: skip
    assert gone_through(History(API).pages("D", event_types=["motion.human", "ding"]), shelf) == ["a", "b", "c"]
    assert [parse_qs(urlsplit(url).query)["event_types"] for url in shelf.asked] == [["motion.human,ding"]] * 3


@pytest.mark.parametrize(
    "address",
    ["https://elsewhere.example" + PATH, "//elsewhere.example/v1", "http://api.amazonvision.com" + PATH,
     "https://api.amazonvision.com:444/v1", "https://api.amazonvision.com@elsewhere.example/", "javascript:1"],
)  # fmt: skip
def test_a_page_at_another_origin_is_not_asked_for_and_what_came_before_is_not_lost(address: str) -> None:
    shelf = Shelf({None: (["a"], address)})
    pages = History(API).pages("D")
    assert [event.id for event in hold(pages.page(), shelf)] == ["a"]
    for _ in range(2):
        with pytest.raises(RingError) as caught:
            hold(pages.page(), shelf)
        assert caught.value.code == "PARTNER-ORIGIN"
    assert len(shelf.asked) == 1


def test_an_absolute_address_of_the_same_origin_is_followed() -> None:
    shelf = Shelf({None: (["a"], f"https://API.amazonvision.com:443{PATH}?page[key]=2"), "2": (["b"], None)})
    assert gone_through(History(API).pages("D"), shelf) == ["a", "b"]
    here = Shelf({None: (["a"], f"http://127.0.0.1:8100{PATH}?page[key]=2"), "2": (["b"], None)})
    assert gone_through(History(Api("http://127.0.0.1:8100/")).pages("D"), here) == ["a", "b"]


def test_cursors_that_go_in_a_circle_end_the_list() -> None:
    shelf = Shelf({None: (["a"], "?page[key]=2"), "2": (["b"], "?page[key]=3"), "3": (["c"], "?page[key]=2")})
    assert gone_through(History(API).pages("D"), shelf) == ["a", "b", "c"]


def test_an_address_without_a_cursor_that_leads_to_itself_ends_the_list() -> None:
    shelf = Shelf({None: (["a"], PATH)})
    assert gone_through(History(API).pages("D"), shelf) == ["a"]


def test_empty_pages_are_gone_through_but_not_for_ever() -> None:
    few = Shelf({None: ([], "?page[key]=1"), "1": ([], "?page[key]=2"), "2": (["a"], None)})
    assert gone_through(History(API).pages("D"), few) == ["a"]
    endless = Shelf({None: (["a"], "?page[key]=0")} | {str(n): ([], f"?page[key]={n + 1}") for n in range(1000)})
    assert gone_through(History(API).pages("D"), endless) == ["a"]
    assert len(endless.asked) == MOST_EMPTY + 1


def test_empty_pages_count_only_in_a_row() -> None:
    last = 3 * MOST_EMPTY
    every_other = {
        str(n): (["e"] if n % 2 else [], f"?page[key]={n + 1}" if n < last else None) for n in range(last + 1)
    }
    shelf = Shelf({None: ([], "?page[key]=0")} | every_other)
    assert len(gone_through(History(API).pages("D"), shelf)) == (last + 1) // 2


def test_a_failure_in_the_middle_says_from_where_to_go_on() -> None:
    """Both with the same list, which has kept its place, and with another that is given the cursor."""
    shelf = Shelf({None: (["a"], "?page[key]=2"), "2": (["b"], None)})
    pages = History(API).pages("D", event_types=["ding"])
    hold(pages.page(), shelf)
    shelf.broken = {"2"}
    with pytest.raises(InternalServerError) as caught:
        hold(pages.page(), shelf)
    assert caught.value.cursor == "2"
    shelf.broken = set()
    assert gone_through(pages, shelf) == ["b"]
    assert gone_through(History(API).pages("D", event_types=["ding"], cursor=caught.value.cursor), shelf) == ["b"]
    assert len({*shelf.asked[1:]}) == 2  # written `[` by the server, `%5B` by us


def test_subscriptions_come_all_at_once() -> None:
    def answer(call: Call[Any]) -> Response:
        last = "page%5Bcursor%5D=x" in call.request.url or "page[cursor]=x" in call.request.url
        body: dict[str, object] = {"data": [{"id": "s2" if last else "s1"}, "broken"]}
        return json(
            body if last else body | {"links": {"next": {"href": "/v1/accounts/me/subscriptions?page[cursor]=x"}}}
        )

    listing = hold(Subscriptions(API).list(), answer)
    assert [one.id for one in listing] == ["s1", "s2"]
    assert len(listing.faults) == 2


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 9) | st.none()), st.integers(0, 3))
def test_no_order_of_pages_goes_on_for_ever(following: dict[int, int | None], empty: int) -> None:
    pages: dict[str | None, tuple[list[str], str | None]] = {
        str(n): (["e"] if n % 4 == empty else [], None if (then := following.get(n)) is None else f"?page[key]={then}")
        for n in range(10)
    }
    shelf = Shelf(pages | {None: ([], "?page[key]=0")})
    gone_through(History(API).pages("D"), shelf)
    assert len(shelf.asked) <= 11
