"""When a link's tokens are renewed, and that no failure, clock or neighbour costs it. Time is a number here."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ringlight.errors import AuthError, LinkLost, RingError, StoreError, TokenEndpointUnavailable, fault_error
from ringlight.http.flow import Response
from ringlight.partner.call import Call
from ringlight.partner.link import Bearer, Link, Moment, ReadPair, Steps, TakeLock, WritePair
from ringlight.partner.token_calls import App, Grant
from ringlight.secrets import Secret
from ringlight.store import MemoryPairStore, TokenPair
from strict_tokens import LIFETIME, StrictTokens

ADA = "ava1.ring.account.ADA"
APP = App("client-1", Secret("secret"))
HTML = Response(200, {"Content-Type": "text/html"}, b"<html>")


@dataclass
class World:
    """A token service, a store and a clock, in which links of several processes live."""

    tokens: StrictTokens = field(default_factory=StrictTokens)
    store: MemoryPairStore = field(default_factory=MemoryPairStore)
    monotonic: float = 1000.0
    skew: float = 0.0  # seconds by which this machine's wall clock is wrong
    answers: list[Response | RingError] = field(default_factory=list)  # in place of the service's own, one each
    fails: list[RingError | None] = field(default_factory=list)  # of the store's writes, one each
    did: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        one = self.tokens
        first = TokenPair(one.token("access", 1), one.token("refresh", 1), one.now, one.now + LIFETIME)
        assert self.store.write(ADA, first, over=None)

    def link(self) -> Link:
        return Link(ADA, APP)

    def now(self) -> Moment:
        return Moment(self.monotonic, self.tokens.now + self.skew)

    def passes(self, seconds: float) -> None:
        self.monotonic += seconds
        self.tokens.now += seconds

    def stored(self) -> TokenPair:
        pair = self.store.read(ADA)
        assert pair is not None
        return pair

    def run(self, steps: Steps[Bearer], before: Callable[[object], None] = lambda _: None) -> Bearer:
        with ExitStack() as held:
            try:
                step = next(steps)
                while True:
                    before(step)
                    try:
                        said = self._do(step, held)
                    except RingError as error:
                        said = error
                    step = steps.send((self.now(), said))
            except StopIteration as end:
                bearer: Bearer = end.value
                return bearer

    def _do(self, step: object, held: ExitStack) -> Any:
        self.did.append("call" if isinstance(step, Call) else type(step).__name__)
        if isinstance(step, Call):
            return self._call(step)
        if isinstance(step, ReadPair):
            return self.store.read(ADA)
        if isinstance(step, TakeLock):
            return held.enter_context(self.store.lock(ADA))
        assert isinstance(step, WritePair)
        failure = self.fails.pop(0) if self.fails else None
        if failure is not None:
            raise failure
        return self.store.write(ADA, step.pair, over=step.over)

    def _call(self, call: Call[Grant]) -> Grant:
        answer = self.answers.pop(0) if self.answers else self.tokens.answer(call.request)
        if isinstance(answer, RingError):
            raise answer
        assert call.refuse is not None
        if (error := call.refuse(answer)) is not None:
            raise error
        return call.decode(answer)


@pytest.fixture
def world() -> World:
    return World()


def test_a_stored_token_is_used_without_lock_or_call(world: World) -> None:
    bearer = world.run(world.link().renewal())
    assert (bearer.id, bearer.token, bearer.expires) == (1, Secret("access-1"), 1000 + LIFETIME)
    assert world.did == ["ReadPair"]


def test_a_renewal_goes_step_by_step_and_hands_out_what_is_written(world: World) -> None:
    """Lock, read again, note that the token is offered, call, write; only then is it anybody's."""
    world.passes(LIFETIME)
    link = world.link()
    bearer = world.run(link.renewal())
    assert world.did == ["ReadPair", "TakeLock", "ReadPair", "WritePair", "call", "WritePair"]
    assert (bearer.id, bearer.token, bearer.problem) == (2, Secret("access-2"), None)
    assert world.stored() == TokenPair(
        Secret("access-2"), Secret("refresh-2"), world.tokens.now, world.tokens.now + LIFETIME, 2
    )
    assert link.bearer == bearer


def test_a_short_life_is_not_renewed_all_the_time(world: World) -> None:
    """Both windows are at most half of it."""
    world.store.remove(ADA)
    at = world.tokens.now
    assert world.store.write(ADA, TokenPair(Secret("a"), Secret("refresh-1"), at, at + 40), over=None)
    link = world.link()
    world.run(link.renewal())
    world.passes(19)
    assert world.run(link.renewal()).token == Secret("a")
    world.passes(1)
    assert world.run(link.renewal()).token == Secret("access-2")


def test_a_refused_token_is_renewed_once_and_a_late_refusal_of_it_changes_nothing(world: World) -> None:
    link = world.link()
    first = world.run(link.renewal()).token
    second = world.run(link.renewal(first)).token
    assert (second, world.tokens.refreshes) == (Secret("access-2"), 1)
    assert world.run(link.renewal(first)).token == second  # a 401 that was long on its way
    assert world.tokens.refreshes == 1


def test_what_another_process_has_renewed_is_used(world: World) -> None:
    ours, others = world.link(), world.link()
    first = world.run(ours.renewal()).token
    world.run(others.renewal(first))
    assert world.run(ours.renewal(first)).token == Secret("access-2")
    assert world.tokens.refreshes == 1


def test_what_another_process_wrote_while_we_waited_is_used_whatever_the_clock_says(world: World) -> None:
    """This machine's clock is a day ahead: by it the new pair is expired already."""
    world.passes(LIFETIME)
    world.skew = 86_400.0
    ours, others = world.link(), world.link()

    def meanwhile(step: object) -> None:
        if isinstance(step, TakeLock) and world.tokens.refreshes == 0:
            world.run(others.renewal())

    assert world.run(ours.renewal(), meanwhile).token == Secret("access-2")
    assert world.tokens.refreshes == 1


AMBIGUOUS: list[Response | RingError] = [
    HTML, Response(503), Response(500), Response(403, {"Content-Type": "text/html"}, b"<html>"), Response(429),
    Response(302), Response(200), Response(401), fault_error("NET-TIMEOUT", "no answer"), fault_error("NET-DNS"),
    fault_error("NET-UNREACHABLE"), fault_error("NET-TLS"),
]  # fmt: skip


@pytest.mark.parametrize("failure", AMBIGUOUS)
def test_the_former_token_serves_while_it_lasts(world: World, failure: Response | RingError) -> None:
    link = world.link()
    world.run(link.renewal())
    world.passes(LIFETIME - 20)
    world.answers = [failure]
    bearer = world.run(link.renewal())
    assert (bearer.id, bearer.token) == (1, Secret("access-1"))
    assert isinstance(bearer.problem, TokenEndpointUnavailable)
    assert world.run(link.renewal()).token == Secret("access-2")


def test_a_process_that_starts_while_no_tokens_are_given_uses_the_stored_one_while_it_lasts(world: World) -> None:
    world.passes(LIFETIME - 20)
    world.answers = [Response(503)]
    assert world.run(world.link().renewal()).token == Secret("access-1")


@pytest.mark.parametrize("failure", AMBIGUOUS)
def test_no_failure_but_invalid_grant_ever_means_that_the_link_is_lost(
    world: World, failure: Response | RingError
) -> None:
    world.passes(LIFETIME + 1)
    link = world.link()
    for _ in range(20):
        world.answers = [failure]
        with pytest.raises(TokenEndpointUnavailable) as caught:
            world.run(link.renewal())
        assert not isinstance(caught.value, LinkLost)
        world.passes(5)
    assert world.run(link.renewal()).token == Secret("access-2")


def test_a_lost_link_is_asked_about_once_and_found_again_when_it_is_linked_anew(world: World) -> None:
    link = world.link()
    first = world.run(link.renewal()).token
    world.tokens.revoke()
    for refused in (first, None, first):
        with pytest.raises(LinkLost) as caught:
            world.run(link.renewal(refused))
        assert caught.value.code == "LINK-LOST"
        assert link.bearer is None
    assert world.did.count("call") == 1
    assert world.stored().refresh == Secret("refresh-1")  # nothing is thrown away
    at = world.tokens.now
    anew = TokenPair(Secret("n"), Secret("m"), at, at + LIFETIME, 2)
    assert world.store.write(ADA, anew, over=Secret("refresh-1"))
    assert world.run(link.renewal()).token == Secret("n")


def test_invalid_grant_says_nothing_where_the_store_has_a_newer_pair(world: World) -> None:
    """Another program renewed without the lock: its pair is the good one."""
    link = world.link()
    first = world.run(link.renewal()).token
    at = world.tokens.now
    newer = TokenPair(Secret("n"), Secret("m"), at, at + LIFETIME, 2)

    def meanwhile(step: object) -> None:
        if isinstance(step, Call):
            assert world.store.write(ADA, newer, over=Secret("refresh-1"))
            world.tokens.revoke()

    assert world.run(link.renewal(first), meanwhile).token == Secret("n")


def test_a_wrong_client_secret_is_no_lost_link(world: World) -> None:
    world.passes(LIFETIME)
    world.answers = [Response(401, {}, b'{"error": "invalid_client"}')]
    link = world.link()
    with pytest.raises(AuthError) as caught:
        world.run(link.renewal())
    assert caught.value.code == "LINK-REFUSED"
    assert world.run(link.renewal()).token == Secret("access-2")


def test_an_account_without_tokens_is_not_linked(world: World) -> None:
    world.store.remove(ADA)
    with pytest.raises(AuthError) as caught:
        world.run(world.link().renewal())
    assert caught.value.code == "LINK-NONE"


FULL = fault_error("STORE-UNREACHABLE", "disk full")


def test_a_store_that_takes_nothing_is_found_before_the_token_is_spent(world: World) -> None:
    world.passes(LIFETIME)
    world.fails = [FULL]
    with pytest.raises(StoreError):
        world.run(world.link().renewal())
    assert (world.tokens.refreshes, "call" in world.did) == (0, False)


def test_a_pair_that_was_not_written_is_kept_and_written_later(world: World) -> None:
    """The write fails just after Ring has spent the old token: that is an error, and no lost link."""
    world.passes(LIFETIME)
    link = world.link()
    world.fails = [None, FULL, FULL]
    for _ in range(2):
        with pytest.raises(StoreError):
            world.run(link.renewal())
        assert link.is_unsaved
        assert world.stored().refresh == Secret("refresh-1")
    bearer = world.run(link.renewal())
    assert (bearer.token, link.is_unsaved, world.tokens.refreshes) == (Secret("access-2"), False, 1)
    assert world.stored().refresh == Secret("refresh-2")


def test_while_it_is_not_written_the_former_token_serves(world: World) -> None:
    link = world.link()
    world.run(link.renewal())
    world.passes(LIFETIME - 200)
    world.fails = [None, FULL]
    bearer = world.run(link.renewal())
    assert (bearer.token, bearer.problem) == (Secret("access-1"), FULL)
    assert link.is_unsaved
    world.passes(5)
    assert world.run(link.renewal()).token == Secret("access-2")


def test_a_pair_that_expired_before_it_could_be_written_still_buys_the_next(world: World) -> None:
    world.passes(LIFETIME)
    link = world.link()
    world.fails = [None, FULL]
    with pytest.raises(StoreError):
        world.run(link.renewal())
    world.passes(LIFETIME)
    assert world.run(link.renewal()).token == Secret("access-3")
    assert world.stored().refresh == Secret("refresh-3")


def test_a_pair_that_waits_to_be_written_gives_way_to_a_new_link(world: World) -> None:
    world.passes(LIFETIME)
    link = world.link()
    world.fails = [None, FULL]
    with pytest.raises(StoreError):
        world.run(link.renewal())
    at = world.tokens.now
    anew = TokenPair(Secret("n"), Secret("m"), at, at + LIFETIME, 2)
    assert world.store.write(ADA, anew, over=Secret("refresh-1"))
    assert world.run(link.renewal()).token == Secret("n")
    assert world.stored() == anew


def test_a_crash_before_the_answer_was_stored_is_told_when_it_costs_the_link(world: World) -> None:
    """A service without fairness has forgotten the old token, and nobody has the new one."""
    world.passes(LIFETIME)

    def crash(step: object) -> None:
        if isinstance(step, WritePair) and world.tokens.refreshes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.run(world.link().renewal(), crash)
    assert world.stored().offered_at is not None
    with pytest.raises(LinkLost, match="an earlier renewal was cut off before its pair was stored"):
        world.run(world.link().renewal())


@pytest.mark.parametrize("skew", [-3600.0, 0.0, 3600.0])
def test_a_wrong_wall_clock_costs_a_renewal_at_most(world: World, skew: float) -> None:
    """What is stored goes by Ring's clock, what is known here by the monotonic one."""
    world.skew = skew
    world.passes(LIFETIME + 3600)  # expired, whatever the clock says
    link = world.link()
    bearer = world.run(link.renewal())
    assert world.stored().expires_at == world.tokens.now + LIFETIME
    assert bearer.expires == world.monotonic + LIFETIME
    other = world.link()
    world.run(other.renewal())
    world.passes(LIFETIME - 3600 - 301)
    for one in (link, other, world.link()):
        assert world.run(one.renewal()).token == Secret("access-2")


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, 10**9])
def test_a_jump_of_the_wall_clock_changes_nothing(world: World, jump: float) -> None:
    link = world.link()
    world.run(link.renewal())
    world.skew += jump
    assert link.bearer is not None
    assert link.bearer.expires - world.monotonic == LIFETIME
    assert world.run(link.renewal()).token == Secret("access-1")
    world.passes(LIFETIME - 100)
    assert world.run(link.renewal()).token == Secret("access-2")


def test_a_clock_that_is_behind_never_makes_a_token_live_longer_than_it_does(world: World) -> None:
    world.skew = -86_400.0
    assert world.run(world.link().renewal()).expires == world.monotonic + LIFETIME


def test_after_a_sleep_of_the_machine_a_refusal_renews(world: World) -> None:
    """The monotonic clock may stand still meanwhile, so the token is expired and nobody here knows."""
    link = world.link()
    token = world.run(link.renewal()).token
    world.tokens.now += LIFETIME * 2
    assert link.bearer is not None
    assert link.bearer.expires > world.monotonic
    assert world.run(link.renewal(token)).token == Secret("access-2")


def test_a_service_without_a_date_is_taken_at_this_machines_time(world: World) -> None:
    world.passes(LIFETIME)
    body = b'{"access_token": "a", "refresh_token": "b", "expires_in": 60}'
    world.answers = [Response(200, {}, body)]
    world.skew = 100.0
    world.run(world.link().renewal())
    assert world.stored().expires_at == world.tokens.now + 160


def test_a_first_pair_is_stored_before_it_is_used(world: World) -> None:
    world.store.remove(ADA)
    link = world.link()
    grant = Grant(Secret("a"), Secret("b"), 100.0, (), world.tokens.now)
    sent = world.now()
    world.passes(2)
    bearer = world.run(link.adopt(grant, sent))
    assert (bearer.id, bearer.expires) == (1, sent.monotonic + 100)
    assert world.stored().refresh == Secret("b")


def test_a_new_link_replaces_the_old_one(world: World) -> None:
    bearer = world.run(world.link().adopt(Grant(Secret("a"), Secret("b"), 100.0), world.now()))
    assert (bearer.id, world.stored().generation) == (2, 2)


def test_nothing_shows_a_token(world: World) -> None:
    marked = World(StrictTokens(mark="canary-"))
    marked.passes(LIFETIME)
    link = marked.link()
    shown: list[str] = []
    marked.run(link.renewal(), lambda step: shown.append(repr(step)))
    assert "WritePair" in "".join(shown)
    assert "canary" not in "".join(shown) + repr(link) + repr(vars(link)) + repr(link.bearer)


class ManyProcesses(RuleBasedStateMachine):
    """Three processes share a link with a hard service; whatever fails in whatever order, it is never lost."""

    @initialize(fair=st.booleans())
    def begin(self, fair: bool) -> None:
        self.world = World(StrictTokens(fair=fair))
        self.links = [self.world.link() for _ in range(3)]
        self.seen: list[int] = []

    @rule(
        who=st.integers(0, 2), refused=st.booleans(),
        write=st.sampled_from([[], [FULL], [None, FULL]]), answer=st.sampled_from([[], [HTML], [Response(503)]]),
    )  # fmt: skip
    def ask(self, who: int, refused: bool, write: list[RingError | None], answer: list[Response | RingError]) -> None:
        link = self.links[who]
        known = link.bearer
        self.world.fails, self.world.answers = list(write), list(answer)
        # A process that cannot save must not end before it can: the others wait for it.
        if any(other.is_unsaved for other in self.links if other is not link):
            return
        try:
            bearer = self.world.run(link.renewal(known.token if refused and known else None))
        except (StoreError, TokenEndpointUnavailable):
            return
        if bearer.problem is None:
            assert bearer.token == self.world.stored().access
            self.seen.append(bearer.id)

    @rule(seconds=st.sampled_from([1.0, 400.0, LIFETIME]))
    def wait(self, seconds: float) -> None:
        self.world.passes(seconds)

    @rule(skew=st.sampled_from([-3600.0, 0.0, 3600.0]))
    def set_clock(self, skew: float) -> None:
        self.world.skew = skew

    @rule(who=st.integers(0, 2))
    def restart(self, who: int) -> None:
        if not self.links[who].is_unsaved:
            self.links[who] = self.world.link()

    @invariant()
    def never_lost(self) -> None:
        assert not self.world.tokens.lost
        assert self.seen == sorted(self.seen)


TestManyProcesses = ManyProcesses.TestCase
TestManyProcesses.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
