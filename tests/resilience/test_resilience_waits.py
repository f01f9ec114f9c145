"""How long to wait: pauses of our own, waits that answers name, limits that they tell, and the rate that follows."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringlight.http.flow import Headers
from ringlight.resilience.backoff import pause
from ringlight.resilience.limits import Limits, limits
from ringlight.resilience.pace import Pace
from ringlight.resilience.retry_after import retry_after
from ringlight.resilience.window import Window

NOW = "Sun, 06 Nov 1994 08:49:37 GMT"
# The eighteen values on which well-known clients disagree, and some more.
WAITS = {
    "120": 120.0,
    "0": 0.0,
    " 7 ": 7.0,
    "007": 7.0,
    "86401": 86_400.0,
    "9" * 5000: 86_400.0,
    "Sun, 06 Nov 1994 08:50:07 GMT": 30.0,
    "Sunday, 06-Nov-94 08:50:07 GMT": 30.0,
    "Sun Nov  6 08:50:07 1994": 30.0,
    "Sun, 06 Nov 1994 08:49:07 GMT": 0.0,
    "Tue, 06 Nov 2094 08:49:07 GMT": 86_400.0,
    "-5": None,
    "+5": None,
    "1.5": None,
    "1e9": None,
    "nan": None,
    "inf": None,
    "soon": None,
    "": None,
    "120, 60": None,
    "٣": None,
    "²": None,
    "Sun, 99 Nov 1994 08:50:07 GMT": None,
    "Sun, 06 Nov 1994": None,
    "5 GMT": None,
}


@pytest.mark.parametrize("value", WAITS)
def test_retry_after_is_digits_or_one_of_three_forms_of_date(value: str) -> None:
    assert retry_after(Headers({"Retry-After": value, "Date": NOW})) == WAITS[value]


@pytest.mark.parametrize("date", ["Sun, 06 Nov 1994 07:49:37 GMT", "Sun, 06 Nov 1994 09:49:37 GMT"])
def test_a_date_is_judged_by_the_servers_own_clock(date: str) -> None:
    """Ours may be an hour off; so may the server's, and then both of its dates are."""
    hour = date[17:19]
    assert retry_after(Headers({"Retry-After": f"Sun, 06 Nov 1994 {hour}:50:07 GMT", "Date": date})) == 30.0
    assert retry_after(Headers({"Retry-After": f"Sun, 06 Nov 1994 {hour}:50:07 GMT"})) is None


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40), st.text(max_size=40))
def test_no_value_breaks_the_reader_of_retry_after(value: str, date: str) -> None:
    found = retry_after({"retry-after": value, "date": date})
    assert found is None or 0.0 <= found <= 86_400.0


def test_pauses_are_spread_over_the_whole_of_a_range_that_doubles() -> None:
    dice = random.Random(1).random
    for n, upper in enumerate([0.1, 0.2, 0.4, 0.8]):
        drawn = [pause(0.1, n, 20.0, dice) for _ in range(2000)]
        quarters = Counter(int(4 * one / upper) for one in drawn)
        assert set(quarters) == {0, 1, 2, 3}
        assert all(400 < count < 600 for count in quarters.values())


@settings(deadline=None)
@given(st.sampled_from([0.1, 1.0]), st.integers(0, 5000), st.floats(0, 1, exclude_max=True))
def test_no_pause_overflows_or_exceeds_the_cap(first: float, n: int, dice: float) -> None:
    assert 0.0 <= pause(first, n, 20.0, lambda: dice) <= min(20.0, first * 2.0 ** min(n, 10))


LIMITS = [
    ({}, None),
    ({"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "7"}, Limits(100, None, 7)),
    ({"X-RateLimit-Limit": "100"}, Limits(100)),
    ({"X-RateLimit-Remaining": "0"}, Limits(None, None, 0)),
    ({"X-RateLimit-Limit": "lots", "X-RateLimit-Remaining": "-1"}, None),
    ({"X-RateLimit-Limit": "٣"}, None),
    ({"X-RateLimit-Limit": "9" * 400}, None),
    ({"RateLimit-Policy": '"default";q=100;w=10', "RateLimit": '"default";r=50;t=5'}, Limits(100, 10, 50, 5)),
    ({"RateLimit-Policy": '"a";q=1;w=1, "b";q=9;w=9'}, Limits(1, 1)),
    ({"RateLimit": "limit=100, remaining=50, reset=5"}, Limits(100, None, 50, 5)),
    ({"RateLimit-Policy": '"default";q=1.5;w=x'}, None),
    ({"RateLimit-Policy": '"default";q=100;w=0'}, Limits(100)),
    ({"RateLimit": ";;;=,,"}, None),
    ({"RateLimit": '"x";r=' + "1" * 600}, None),
]


@pytest.mark.parametrize(("fields", "found"), LIMITS)
def test_the_limit_is_read_in_rings_form_and_in_the_drafts_and_ignored_when_malformed(
    fields: dict[str, str], found: Limits | None
) -> None:
    assert limits(Headers(fields)) == found


def test_the_rate_keeps_below_the_limit_and_never_above_the_setting() -> None:
    pace = Pace(92.0)
    assert pace.answered(0.0, None) is None
    assert pace.answered(0.0, Limits(100, None, 50)) is None, "what Ring names changes nothing"
    assert pace.answered(1.0, Limits(40, None, 20)) == pytest.approx(36.8)
    assert pace.answered(2.0, Limits(1000, None, 500)) == 92.0
    assert pace.answered(3.0, Limits(600, 60)) == pytest.approx(9.2)
    assert pace.answered(4.0, Limits(0)) is None


def test_a_429_cuts_the_rate_once_for_each_pause_and_it_comes_back_by_itself() -> None:
    pace = Pace(90.0)
    assert pace.throttled(10.0, 1.0) == pytest.approx(63.0)
    assert [pace.throttled(10.0 + n / 10, 1.0) for n in range(10)] == [None] * 10
    rates = [pace.rate(11.0 + n) for n in range(8)]
    assert rates == sorted(rates)
    assert rates[0] == pytest.approx(63.0)
    assert rates[-1] == 90.0


def test_429_after_429_slow_it_down_to_one_call_in_two_seconds_and_no_further() -> None:
    pace = Pace(90.0)
    for n in range(50):
        pace.throttled(n * 1.0, 1.0)
    assert pace.rate(50.0) == 0.5


def test_what_remains_is_made_to_last_until_the_window_ends() -> None:
    pace = Pace(90.0)
    assert pace.answered(0.0, Limits(100, 1, 10, 5)) == 2.0
    assert pace.answered(4.9, None) is None
    assert pace.answered(5.1, None) == 90.0
    assert pace.answered(6.0, Limits(None, None, 0)) == 45.0  # somebody else uses the client id too
    assert pace.answered(7.1, None) == 90.0


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 3), st.booleans(), st.integers(0, 500), st.integers(0, 500), st.integers(0, 60)))
)
def test_whatever_the_server_says_the_rate_stays_within_its_bounds(
    says: list[tuple[float, bool, int, int, int]],
) -> None:
    pace, now = Pace(90.0), 0.0
    for passed, throttled, limit, remaining, reset in says:
        now += passed
        told = pace.throttled(now, passed) if throttled else pace.answered(now, Limits(limit, None, remaining, reset))
        assert told is None or 0.5 <= told <= 90.0
        assert 0.5 <= pace.rate(now) <= 90.0


def test_a_window_forgets_slice_by_slice_and_a_clock_that_jumps_clears_it() -> None:
    window = Window(10.0)
    for second in range(10):
        window.add(second % 2, float(second))
    assert [window.totals(at) for at in (9.9, 10.0, 12.0, 18.9, 19.0, 1e9)] == [
        (5, 5), (4, 5), (3, 4), (0, 1), (0, 0), (0, 0),
    ]  # fmt: skip
    window.add(0, 1e9)
    window.add(0, 5.0)  # a late word counts as of now
    assert window.totals(1e9) == (2, 0)
