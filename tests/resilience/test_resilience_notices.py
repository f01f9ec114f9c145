"""Notices for people, events for programs, and the last known answers: one per episode, bounded, nobody else's."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringlight.resilience.events import Notice, Outbox, Throttled
from ringlight.resilience.notices import Notices, Topic
from ringlight.resilience.stale import Key, Kind, LastKnown, ages
from ringlight.settings import ResilienceSettings


def _told(notices: list[Notice]) -> list[tuple[str, str, bool]]:
    return [(one.topic, one.subject, one.over) for one in notices]


def test_the_network_needs_two_signs_within_half_a_minute_and_one_success_ends_it() -> None:
    notices = Notices()
    assert notices.trouble(Topic.UNREACHABLE, "api", "NET-DNS", 0.0) == []
    assert notices.trouble(Topic.UNREACHABLE, "api", "NET-DNS", 40.0) == []
    begun = notices.trouble(Topic.UNREACHABLE, "api", "NET-DNS", 50.0)
    assert _told(begun) == [("unreachable", "api", False)]
    assert begun[0].since == 40.0
    assert notices.trouble(Topic.UNREACHABLE, "api", "NET-DNS", 51.0) == []
    over = notices.well(Topic.UNREACHABLE, "api", 60.0)
    assert _told(over) == [("unreachable", "api", True)]
    assert over[0].episode == begun[0].episode
    assert notices.well(Topic.UNREACHABLE, "api", 61.0) == []


def test_a_flapping_server_gives_one_pair_a_minute_and_the_rest_is_counted() -> None:
    notices, told = Notices(), []
    for n in range(600):
        told += notices.trouble(Topic.SERVICE, "api", "CALL-CIRCUIT", n * 1.0)
        told += notices.well(Topic.SERVICE, "api", n + 0.5)
    begun = [one for one in told if not one.over]
    assert len(begun) == len(told) - len(begun) == 10
    assert all(later.at - one.at >= 60.0 for one, later in itertools.pairwise(begun))
    assert [one.suppressed for one in begun] == [0] + [59] * 9


def test_an_episode_that_outlasts_the_minute_is_told_after_all() -> None:
    notices = Notices()
    notices.trouble(Topic.SERVICE, "api", "CALL-CIRCUIT", 0.0)
    notices.well(Topic.SERVICE, "api", 1.0)
    assert notices.trouble(Topic.SERVICE, "api", "CALL-CIRCUIT", 2.0) == []
    late = notices.trouble(Topic.SERVICE, "api", "CALL-CIRCUIT", 70.0)
    assert [(one.since, one.over) for one in late] == [(2.0, False)]


def test_when_no_part_of_ring_can_be_reached_it_is_our_own_network() -> None:
    notices, told = Notices(), []
    for now, part in enumerate(["api", "api", "oauth", "oauth", "media", "media", "api"]):
        told += notices.trouble(Topic.UNREACHABLE, part, "NET-DNS", float(now))
    assert _told(told) == [
        ("unreachable", "api", False), ("unreachable", "oauth", False), ("offline", "network", False),
    ]  # fmt: skip
    assert _told(notices.well(Topic.UNREACHABLE, "oauth", 10.0)) == [
        ("offline", "network", True), ("unreachable", "oauth", True),
    ]  # fmt: skip


def test_five_devices_at_once_are_one_notice_about_the_service() -> None:
    notices, told = Notices(), []
    for n, device in enumerate("abcde"):
        told += notices.trouble(Topic.DEVICE, device, "PARTNER-DEVICE-OFFLINE", float(n))
    assert _told(told) == [("device", "a", False), ("device", "b", False), ("service", "devices", False)]
    assert _told(notices.well(Topic.DEVICE, "d", 10.0)) == [("service", "devices", True)]


def test_ten_days_of_random_outages_do_not_grow_and_tell_little() -> None:
    """A thousand things come and go; each is told of at most once a minute, and what is kept is bounded."""
    notices, dice, now, told = Notices(), random.Random(7), 0.0, 0
    for _ in range(20_000):
        now += dice.expovariate(20_000 / 864_000.0)
        subject = f"d{dice.randrange(5000)}"
        if dice.random() < 0.5:
            told += len(notices.trouble(Topic.DEVICE, subject, "PARTNER-DEVICE-OFFLINE", now))
        else:
            told += len(notices.well(Topic.DEVICE, subject, now))
    assert len(notices) <= 2000
    assert told <= 20_000


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Topic)), st.sampled_from("ab"), st.booleans(), st.floats(0, 50))))
def test_every_end_belongs_to_a_beginning_that_was_told(
    signs: list[tuple[Topic, str, bool, float]],
) -> None:
    notices, now = Notices(), 0.0
    open_: set[int] = set()
    for topic, subject, good, passed in signs:
        now += passed
        for one in notices.well(topic, subject, now) if good else notices.trouble(topic, subject, "NET-DNS", now):
            if one.over:
                open_.remove(one.episode)
            else:
                assert one.episode not in open_
                open_.add(one.episode)


def test_a_full_outbox_drops_the_oldest_and_counts_them() -> None:
    outbox = Outbox(3)
    outbox.put(Throttled(0.0, "x", 1.0))
    assert outbox.drain() == []
    outbox.listening = True
    for n in range(5):
        outbox.put(Throttled(float(n), "x", 1.0))
    assert [event.at for event in outbox.drain()] == [2.0, 3.0, 4.0]
    assert (outbox.dropped, outbox.drain()) == (2, [])


OLDEST = ages(ResilienceSettings())


@pytest.mark.parametrize(
    ("kind", "oldest"),
    [(Kind.STATUS, 300), (Kind.DEVICES, 7 * 86_400), (Kind.USERS, 86_400), (Kind.SUBSCRIPTIONS, 3600)],
)
def test_each_kind_of_answer_has_its_own_age(kind: Kind, oldest: float) -> None:
    known, key = LastKnown(OLDEST, 10), Key("ada", kind, "x")
    known.keep(key, "value", 1000.0)
    assert known.find(key, 1000.0 + oldest) == (oldest, "value")
    assert known.find(key, 1000.1 + oldest) is None
    assert len(known) == 0


def test_a_kind_without_an_age_is_never_kept() -> None:
    known = LastKnown({}, 10)
    known.keep(Key("ada", Kind.STATUS), "value", 0.0)
    assert len(known) == 0


def test_a_device_that_goes_takes_along_what_is_known_of_it_and_the_lists_it_is_in() -> None:
    known = LastKnown(OLDEST, 10)
    for key in (
        Key("ada", Kind.STATUS, "s", "a"), Key("ada", Kind.STATUS, "s", "b"), Key("ada", Kind.DEVICES, "list"),
        Key("ada", Kind.USERS), Key("grace", Kind.STATUS, "s", "a"),
    ):  # fmt: skip
        known.keep(key, "value", 0.0)
    assert known.purge("ada", "a") == 2
    assert known.purge("ada") == 2
    assert len(known) == 1


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["keep", "purge", "drop"]), st.sampled_from("abc"), st.sampled_from(list(Kind)),
            st.sampled_from("xy"),
        )
    )
)  # fmt: skip
def test_nobody_is_ever_given_another_accounts_answer(does: list[tuple[str, str, Kind, str]]) -> None:
    known, kept = LastKnown(OLDEST, 5), set[Key]()
    for now, (what, account, kind, name) in enumerate(does):
        key = Key(account, kind, name)
        if what == "keep":
            known.keep(key, account, float(now))
            kept.add(key)
        elif what == "drop":
            known.drop(key)
            kept.discard(key)
        else:
            known.purge(account)
            kept = {one for one in kept if one.account != account}
        assert len(known) <= 5
        for asked in (Key(who, kind, name) for who in "abc"):
            found = known.find(asked, float(now))
            assert found is None or (found[1] == asked.account and asked in kept)
