"""Who renews a token, and when: one at a time, in good time, and never for a refusal of an old one."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ringlight.resilience.token_state import Later, Lost, TokenState, Use, Wait


def _state(lifetime: float | None = 14_400.0, now: float = 0.0) -> TokenState:
    state = TokenState(advisory=300.0, mandatory=30.0, pause=5.0)
    if lifetime is not None:
        state.renewed(lifetime, now)
    return state


def test_a_fresh_token_is_just_used() -> None:
    assert _state().ask(14_099.0) == Use(1)


def test_in_the_advisory_window_one_renews_aside_and_nobody_waits() -> None:
    state = _state()
    assert [state.ask(14_100.0) for _ in range(3)] == [Use(1, renew=True), Use(1), Use(1)]
    state.renewed(14_400.0, 14_101.0)
    assert state.ask(14_102.0) == Use(2)


def test_in_the_mandatory_window_all_wait_for_one() -> None:
    state = _state()
    assert [state.ask(14_370.0) for _ in range(3)] == [Wait(renew=True), Wait(), Wait()]


def test_a_renewal_that_fails_in_either_window_leaves_the_old_token_in_use_while_it_lasts() -> None:
    state = _state()
    for began in (14_100.0, 14_371.0):
        assert state.ask(began) != Use(1)
        state.failed(began + 1.0)
        assert state.ask(began + 2.0) == Use(1)
        assert not state.renewing
    assert state.ask(14_372.0 + 5.0) == Wait(renew=True)  # after the pause one tries again
    state.failed(14_399.0)
    assert state.ask(14_400.5) == Later(3.5)
    assert state.ask(14_404.0) == Wait(renew=True)


def test_a_wait_that_the_token_endpoint_names_is_kept() -> None:
    state = _state(None)
    assert state.ask(0.0) == Wait(renew=True)
    state.failed(1.0, wait=60.0)
    assert state.ask(10.0) == Later(51.0)


def test_the_windows_are_at_most_half_of_a_short_life() -> None:
    state = _state(20.0)
    assert state.ask(9.0) == Use(1)
    assert state.ask(10.0) == Wait(renew=True)


def test_late_refusals_of_an_old_token_renew_nothing() -> None:
    state = _state()
    state.rejected(1, 100.0)
    assert state.ask(100.0) == Wait(renew=True)
    for _ in range(50):
        state.rejected(1, 101.0)
    state.renewed(14_400.0, 101.0)
    for _ in range(50):
        state.rejected(1, 102.0)
        assert state.ask(102.0) == Use(2)


def test_refusals_after_a_failed_renewal_do_not_shorten_its_pause() -> None:
    state = _state()
    state.rejected(1, 100.0)
    state.ask(100.0)
    state.failed(101.0)
    state.rejected(1, 102.0)
    assert state.ask(102.0) == Later(4.0)


def test_a_lost_link_is_final_until_there_is_a_new_pair() -> None:
    state = _state(None)
    state.ask(0.0)
    state.failed(1.0, lost=True)
    assert [state.ask(at) for at in (2.0, 1e6)] == [Lost(), Lost()]
    state.rejected(0, 3.0)
    assert not state.idle_renewal(1e9)
    state.renewed(14_400.0, 1e6)
    assert state.ask(1e6 + 1) == Use(1)


def test_a_link_that_nobody_uses_is_renewed_once_a_day() -> None:
    state = _state()
    assert not state.idle_renewal(86_399.0)
    assert state.idle_renewal(86_400.0)
    assert not state.idle_renewal(86_401.0)  # it is in flight
    state.renewed(14_400.0, 86_402.0)
    assert not state.idle_renewal(86_403.0)
    assert not _state(None).idle_renewal(1e9)


class TokenMachine(RuleBasedStateMachine):
    """Calls ask and are refused, renewals end in every way; the oracle counts those in flight."""

    def __init__(self) -> None:
        super().__init__()
        self.state = _state()
        self.now = 0.0
        self.flying = 0
        self.refused: set[int] = set()
        self.expires = {1: 14_400.0}
        self.failed_at = float("-inf")

    @rule()
    def ask(self) -> None:
        step = self.state.ask(self.now)
        if isinstance(step, (Use, Wait)) and step.renew:
            self.flying += 1
        if isinstance(step, Use):
            assert step.id == max(self.expires)
            assert step.id not in self.refused
            assert self.now < self.expires[step.id]
        elif isinstance(step, Wait):
            assert self.flying == 1
        elif isinstance(step, Later):
            assert self.flying == 0
            assert 0 < step.seconds <= 5.0
        else:
            assert self.state.lost

    @rule(back=st.integers(0, 3))
    def refuse(self, back: int) -> None:
        token = self.state.id - back
        self.state.rejected(token, self.now)
        if back == 0 and not self.state.lost:
            self.refused.add(token)

    @precondition(lambda self: self.flying)
    @rule(lifetime=st.floats(1.0, 14_400.0))
    def end_well(self, lifetime: float) -> None:
        self.flying -= 1
        self.expires[self.state.renewed(lifetime, self.now)] = self.now + lifetime

    @precondition(lambda self: self.flying)
    @rule(lost=st.sampled_from([False, False, False, True]))
    def end_badly(self, lost: bool) -> None:
        self.flying -= 1
        self.state.failed(self.now, lost=lost)

    @rule(seconds=st.floats(0.0, 3.0) | st.floats(0.0, 15_000.0))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def be_idle(self) -> None:
        self.flying += self.state.idle_renewal(self.now)

    @invariant()
    def at_most_one_flies(self) -> None:
        assert self.flying == int(self.state.renewing) <= 1


TestTokenMachine = TokenMachine.TestCase
TestTokenMachine.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
