"""When what was told of a Ring app is over."""

from ringlight.server.ring_notices import AGE, NOTICES, QUIET, RingNotices

BEGAN = 1_800_000_000.0


def _holding(notices: RingNotices, after: float) -> list[str]:
    return [one["code"] for one in notices.latest(now=BEGAN + after) if not one["over"]]


def test_refused_webhooks_are_over_once_others_were_taken_for_some_time() -> None:
    notices = RingNotices()
    notices.refused("HOOK-SIGNATURE", None, 1, now=BEGAN)
    notices.taken(now=BEGAN + 10)
    assert _holding(notices, 20) == ["HOOK-SIGNATURE"], "more of them may be kept back"
    assert _holding(notices, QUIET + 1) == []
    assert [one["code"] for one in notices.latest(now=BEGAN + QUIET + 1)] == ["HOOK-SIGNATURE"], "the page shows it on"


def test_they_are_not_over_while_nothing_is_taken_until_they_are_a_day_old() -> None:
    """With a wrong key, an hour without any webhook says nothing."""
    notices = RingNotices()
    notices.taken(now=BEGAN - 10)
    notices.refused("HOOK-SIGNATURE", None, 1, now=BEGAN)
    assert _holding(notices, 3600) == ["HOOK-SIGNATURE"]
    assert _holding(notices, AGE + 1) == []


def test_another_refusal_makes_it_hold_again_and_counts_on() -> None:
    notices = RingNotices()
    notices.refused("HOOK-OLD", "600 s old", 1, now=BEGAN)
    notices.taken(now=BEGAN + 1)
    notices.refused("HOOK-OLD", "700 s old", 3, now=BEGAN + 2 * QUIET)
    assert _holding(notices, 2 * QUIET + 1) == ["HOOK-OLD"]
    assert [(one["count"], one["detail"]) for one in notices.latest(now=BEGAN + AGE)] == [(4, "700 s old")]


def test_what_a_client_tells_is_over_when_it_says_so_and_never_by_itself() -> None:
    notices = RingNotices()
    notices.told("LINK-LOST", "link of …abc", over=False, now=BEGAN)
    notices.taken(now=BEGAN + 1)
    assert _holding(notices, 2 * AGE) == ["LINK-LOST"]
    notices.told("LINK-LOST", "link of …abc", over=True, now=BEGAN + 5)
    assert _holding(notices, 6) == []


def test_the_oldest_of_many_go() -> None:
    notices = RingNotices()
    for number in range(NOTICES + 5):
        notices.told("LINK-LOST", f"link of …{number}", over=False, now=BEGAN + number)
    assert [one["subject"] for one in notices.latest(now=BEGAN + 100)][::19] == ["link of …24", "link of …5"]
