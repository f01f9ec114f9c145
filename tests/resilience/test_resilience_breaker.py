"""Circuit breakers against a naive oracle: never more than one probe, and old outcomes change nothing."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from ringlight.resilience.breaker import Breaker, Breakers, Change, Rule, State, Ticket
from ringlight.resilience.decide import CallState
from ringlight.resilience.operation import Family, Operation
from ringlight.resilience.shared import Admission, Closed, Shared
from ringlight.settings import ResilienceSettings

RULE = Rule(ratio=0.5, window=30.0, volume=20, in_a_row=5, first=5.0, cap=60.0)


def _breaker(dice: float = 0.0) -> Breaker:
    return Breaker(RULE, lambda: dice)


def _admit(breaker: Breaker, now: float) -> Ticket:
    ticket = breaker.admit(now)
    assert ticket is not None
    return ticket


def _open(breaker: Breaker, now: float) -> None:
    while breaker.state is not State.OPEN:
        breaker.record(_admit(breaker, now), False, now)


def test_five_failures_in_a_row_open_it() -> None:
    breaker = _breaker()
    changes = [breaker.record(_admit(breaker, 0.0), good, 0.0) for good in [False] * 4 + [True] + [False] * 5]
    assert changes == [None] * 9 + [Change.OPENED]
    assert breaker.admit(4.9) is None
    assert breaker.wait(4.0) == 1.0


def test_half_of_twenty_calls_within_the_window_open_it() -> None:
    """Where every second call fails there are never five in a row."""
    breaker = _breaker()
    changes = [breaker.record(_admit(breaker, n * 1.0), n % 2 == 0, n * 1.0) for n in range(20)]
    assert changes == [None] * 19 + [Change.OPENED]


def test_what_is_older_than_the_window_does_not_count() -> None:
    breaker = _breaker()
    for n in range(100):  # half of them fail, but only six within any half minute
        assert breaker.record(_admit(breaker, n * 5.0), n % 2 == 0, n * 5.0) is None


def test_each_probe_that_fails_doubles_the_open_time_up_to_the_cap() -> None:
    breaker, now, times = _breaker(), 0.0, []
    _open(breaker, now)
    for _ in range(6):
        times.append(breaker.until - now)
        now = breaker.until
        breaker.record(_admit(breaker, now), False, now)
    assert times == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]
    breaker.record(_admit(breaker, now + 60.0), True, now + 60.0)
    _open(breaker, now + 61.0)
    assert breaker.until - now - 61.0 == 5.0


def test_the_open_time_is_spread_so_that_clients_do_not_come_back_together() -> None:
    breaker = _breaker(dice=0.999)
    _open(breaker, 0.0)
    assert 5.9 < breaker.until < 6.0


def test_only_one_probes_and_a_cancelled_probe_lets_the_next_one() -> None:
    breaker = _breaker()
    _open(breaker, 0.0)
    probe = _admit(breaker, 5.0)
    assert probe.probe
    assert [breaker.admit(5.0) for _ in range(49)] == [None] * 49
    assert breaker.wait(5.0) == 1.0
    breaker.release(probe)
    assert breaker.state is State.HALF_OPEN
    assert _admit(breaker, 5.1).probe


def test_the_late_success_of_an_old_call_does_not_close_it() -> None:
    breaker = _breaker()
    old = _admit(breaker, 0.0)
    _open(breaker, 0.0)
    assert breaker.record(old, True, 1.0) is None
    probe = _admit(breaker, 5.0)
    assert breaker.record(old, True, 5.1) is None
    assert breaker.state is State.HALF_OPEN
    breaker.release(old)
    assert breaker.admit(5.2) is None
    assert breaker.record(probe, True, 5.3) is Change.CLOSED


def test_a_webhook_lets_the_next_call_try_at_once() -> None:
    breaker = _breaker()
    _open(breaker, 0.0)
    breaker.wake(1.0)
    assert _admit(breaker, 1.0).probe


def test_twenty_thousand_devices_do_not_leak() -> None:
    """Only what has failed takes memory at all."""
    breakers: Breakers[str] = Breakers(Rule(1.0, 30.0, 1, 1, 15.0, 300.0), lambda: 0.0, 500)
    for n in range(20_000):
        ticket = breakers.admit(f"d{n}", 0.0)
        assert ticket is not None
        breakers.record(f"d{n}", ticket, n % 2 == 0, 0.0)
    assert len(breakers) == 500
    assert set(breakers) == {f"d{n}" for n in range(19_001, 20_000, 2)}


def test_one_device_open_and_another_closed() -> None:
    breakers: Breakers[str] = Breakers(Rule(1.0, 30.0, 1, 1, 15.0, 300.0), lambda: 0.0, 500)
    ticket = breakers.admit("a", 0.0)
    assert ticket is not None
    assert breakers.record("a", ticket, False, 0.0) is Change.OPENED
    assert (breakers.wait("a", 5.0), breakers.wait("b", 5.0)) == (10.0, None)
    assert breakers.admit("a", 5.0) is None
    breakers.wake("a", 6.0)
    breakers.wake("b", 6.0)
    probe = breakers.admit("a", 6.0)
    assert probe is not None
    breakers.release("a", probe)
    breakers.release("b", probe)
    assert breakers.wait("a", 6.0) is None


class Oracle:
    """The same in the plainest words: a list of everything that happened."""

    def __init__(self) -> None:
        self.state = State.CLOSED
        self.until = 0.0
        self.opened = 0
        self.outcomes: list[tuple[int, bool]] = []
        self.row = 0

    def opens(self, now: float) -> bool:
        slices = int(now // 3.0)
        recent = [good for at, good in self.outcomes if slices - 10 < at]
        return self.row >= 5 or (len(recent) >= 20 and recent.count(False) >= len(recent) / 2)

    def open(self, now: float) -> None:
        self.state, self.until = State.OPEN, now + min(5.0 * 2**self.opened, 60.0)
        self.opened += 1


class BreakerMachine(RuleBasedStateMachine):
    """Calls begin, end well or badly, are given up; time passes."""

    tickets: Bundle[tuple[Ticket, int]] = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.breaker = _breaker()
        self.oracle = Oracle()
        self.now = 0.0
        self.era = 0  # changes of state so far
        self.probes: set[int] = set()  # eras in which a probe is out

    @rule(target=tickets)
    def begin(self) -> tuple[Ticket, int]:
        if self.oracle.state is State.OPEN and self.now >= self.oracle.until:
            self.oracle.state = State.HALF_OPEN
            self.era += 1
        ticket = self.breaker.admit(self.now)
        if self.oracle.state is State.OPEN or (self.oracle.state is State.HALF_OPEN and self.era in self.probes):
            assert ticket is None
            assert (self.breaker.wait(self.now) or 0) > 0
            return Ticket(-1, False), -1
        assert ticket is not None
        if self.oracle.state is State.HALF_OPEN:
            self.probes.add(self.era)
        return ticket, self.era

    @rule(ticket=consumes(tickets), good=st.booleans())
    def end(self, ticket: tuple[Ticket, int], good: bool) -> None:
        said = self.breaker.record(ticket[0], good, self.now)
        oracle = self.oracle
        expected = None
        if ticket[1] == self.era:
            if self.era in self.probes:
                self.era += 1
                expected = Change.CLOSED if good else Change.OPENED
                if good:
                    self.oracle = Oracle()
                else:
                    oracle.open(self.now)
            else:
                oracle.outcomes.append((int(self.now // 3.0), good))
                oracle.row = 0 if good else oracle.row + 1
                if not good and oracle.opens(self.now):
                    oracle.open(self.now)
                    self.era += 1
                    expected = Change.OPENED
        assert said is expected

    @rule(ticket=consumes(tickets))
    def cancel(self, ticket: tuple[Ticket, int]) -> None:
        self.breaker.release(ticket[0])
        if ticket[1] == self.era:
            self.probes.discard(self.era)

    @rule(seconds=st.floats(0.0, 20.0))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def they_agree(self) -> None:
        assert self.breaker.state is self.oracle.state
        assert self.breaker.until == self.oracle.until or self.oracle.state is State.CLOSED


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)


def test_a_probe_that_has_ended_cannot_free_the_place_of_the_next_one() -> None:
    breaker = _breaker()
    _open(breaker, 0.0)
    first = _admit(breaker, 5.0)
    breaker.record(first, False, 5.0)
    _admit(breaker, 15.0)
    breaker.release(first)
    assert breaker.admit(15.0) is None


def test_a_call_that_its_device_turns_away_does_not_keep_the_services_probe() -> None:
    settings = ResilienceSettings()
    shared = Shared(settings, lambda: 0.0)
    offline = CallState(Operation("live.offer", device="a"), settings, shared.strategies, 100.0, 3)
    other = CallState(Operation("devices.list"), settings, shared.strategies, 100.0, 3)
    ticket = shared.devices.admit(("a", "live"), 0.0)
    assert ticket is not None
    shared.devices.record(("a", "live"), ticket, False, 0.0)
    for _ in range(5):
        ticket = shared.services.admit(Family.API, 0.0)
        assert ticket is not None
        shared.services.record(Family.API, ticket, False, 0.0)
    turned_away = shared.admit(offline, 6.0)
    assert isinstance(turned_away, Closed)
    assert (turned_away.device, turned_away.seconds) == (True, 9.0)
    assert isinstance(shared.admit(other, 6.0), Admission)
