"""A simulator that runs for weeks keeps what somebody may still ask for, and nothing of all the rest."""

import gc
import itertools
import sys
from collections.abc import Callable

import pytest

from ringlight.simulator.expiring import MOST, Expiring
from ringlight.simulator.partner.deliveries import KEPT as KEPT_DELIVERIES
from ringlight.simulator.partner.grants import KEPT as KEPT_TOKENS
from ringlight.simulator.partner.grants import REFRESH_LIFE, Access, Grants
from ringlight.simulator.partner.premises import account_id
from ringlight.simulator.world import KEPT_DIALOGS, KEPT_EVENTS, KEPT_MESSAGES, World

ROUNDS = 10_000
SECONDS = 7.0  # of the virtual clock, between two rounds


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return World(seed=1, now=clock, wall=lambda: 1.8e9 + clock())


def sign_in_and_renew(world: World) -> None:
    granted = world.tokens.grant()
    assert world.tokens.knows(f"Bearer {granted['access_token']}")
    renewed = world.tokens.rotate(granted["refresh_token"])
    assert renewed is not None
    world.tokens.make_code("challenge", "redirect")


def take_tickets(world: World) -> None:
    assert world.tokens.use_ticket(world.tokens.make_ticket())
    world.tokens.make_ticket()  # of which nobody makes use


def view(world: World) -> None:
    record = world.record(world.uuid(), 1001)
    for _ in range(12):
        record.messages.append({"at": world.wall(), "method": "ping", "code": None, "detail": ""})
    world.register(world.uuid())


def press(world: World) -> None:
    world.partner.deliveries.url = "http://127.0.0.1:1/hook"
    world.press(1001, "ding")
    deliveries = world.partner.deliveries
    deliveries.answered(deliveries.all[-1], 200, 0.1, world.partner.clock())


def link(world: World) -> None:
    estate = world.partner
    estate.send_person()
    estate.grants.make_code("ada", estate.app.client_id)
    estate.play("chime-1", account_id("ada"))
    estate.judge("ada", "token", good=True, seen="a token")


def grant(world: World) -> None:
    grants, app = world.partner.grants, world.partner.app.client_id
    granted = grants.exchange(grants.make_code("ada", app), app, "")
    assert granted is not None
    assert grants.refresh(granted["refresh_token"], app) is not None
    grants.make_playground("ada", app)


@pytest.mark.parametrize("use", [sign_in_and_renew, take_tickets, view, press, link, grant])
def test_ten_thousand_more_leave_nothing_more(use: Callable[[World], None], world: World, clock: Clock) -> None:
    def blocks_after(rounds: int) -> int:
        for _ in range(rounds):
            use(world)
            clock.seconds += SECONDS
        gc.collect()
        return sys.getallocatedblocks()

    full = blocks_after(ROUNDS)
    assert blocks_after(ROUNDS) - full < ROUNDS / 10


def test_what_is_kept_is_bounded(world: World) -> None:
    """Also where time does not pass, so that nothing ends by itself."""
    for _ in range(2 * KEPT_DELIVERIES // 100):
        for use in (sign_in_and_renew, take_tickets, view):
            use(world)
    for _ in range(2 * KEPT_EVENTS):
        press(world)
    record = world.record("dialog", 1001)
    for number in range(2 * KEPT_MESSAGES):
        record.messages.append({"at": number})
    assert len(world.dialogs) <= KEPT_DIALOGS
    assert len(world.events) == KEPT_EVENTS
    assert len(record.messages) == KEPT_MESSAGES
    assert record.messages[-1] == {"at": 2 * KEPT_MESSAGES - 1}
    assert len(world.partner.deliveries.all) <= KEPT_DELIVERIES


def test_an_app_that_renews_without_end_leaves_a_bounded_number_of_tokens_where_time_stands_still(clock: Clock) -> None:
    grants, token = apps(clock)
    for _ in range(3 * KEPT_TOKENS):
        token = renewed(grants, token)
    assert len(grants._refresh) + len(grants._access) + len(grants._spent) <= 2 * KEPT_TOKENS + MOST
    assert grants.access("sim-token") is not None, "what is good for ever is not pushed out"
    renewed(grants, token)


def test_a_refresh_token_is_good_for_its_thirty_days_however_often_others_renew(clock: Clock) -> None:
    """Ring has no way back for an app that has lost it: the person would have to take the app anew."""
    grants, token = apps(clock)
    silent = (grants.exchange(grants.make_code("bob", "app"), "app", "") or {})["refresh_token"]
    seconds = (REFRESH_LIFE - 60) / (2 * KEPT_TOKENS)
    for _ in range(2 * KEPT_TOKENS):
        clock.seconds += seconds
        token = renewed(grants, token)
    renewed(grants, silent)
    assert grants.refresh(silent, "app") is None
    assert grants.reuses == 1, "what was spent just now is still known"


def test_a_refresh_token_ends_by_its_time_and_is_no_reuse_then(clock: Clock) -> None:
    grants, token = apps(clock)
    clock.seconds += REFRESH_LIFE
    assert (grants.refresh(token, "app"), grants.reuses) == (None, 0)


def apps(clock: Clock) -> tuple[Grants, str]:
    """Return the tokens of a Ring with one that is good for ever, and an app's first refresh token."""
    numbers = itertools.count()
    grants = Grants(lambda: str(next(numbers)), clock)
    grants.add("sim-token", Access("ada", "app", "sim-token"))
    return grants, (grants.exchange(grants.make_code("ada", "app"), "app", "") or {})["refresh_token"]


def renewed(grants: Grants, token: str) -> str:
    granted = grants.refresh(token, "app")
    assert granted is not None
    assert grants.access(granted["access_token"]) is not None
    return str(granted["refresh_token"])


def test_names_end_by_their_time_and_the_oldest_go_beyond_the_most(clock: Clock) -> None:
    names: Expiring[int] = Expiring(clock)
    for number in range(2 * MOST):
        names.add(f"name {number}", 10.0, number)
    assert len(names) == MOST
    assert (names.get("name 0"), names.get(f"name {2 * MOST - 1}")) == (None, 2 * MOST - 1)
    assert names.take(f"name {MOST}") == MOST
    assert names.take(f"name {MOST}") is None
    clock.seconds += 10.0
    assert names.get(f"name {2 * MOST - 1}") is None
    names.add("the next", 10.0, 1)
    assert len(names) == 1
