"""The rate gate against a naive oracle: whatever happens, no second sees more calls than it may."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, consumes, invariant, multiple, rule
from virtual import most_in_a_second

from ringlight.resilience.actions import NoPlace, Place
from ringlight.resilience.gate import Gate
from ringlight.resilience.operation import Lane
from ringlight.settings import ResilienceSettings

RATE, BURST = 90.0, 8


def _drain(gate: Gate, waiting: dict[int, tuple[Lane, float]], now: float) -> list[tuple[float, int]]:
    """Let everybody come back when told; return who left when."""
    left = []
    while waiting:
        number = min(waiting, key=lambda one: (waiting[one][1], one))
        lane, told = waiting[number]
        now = max(now, told)
        said = gate.reserve(lane, now, 1e9, number)
        assert isinstance(said, Place)
        if said.wait == 0:
            del waiting[number]
            left.append((now, number))
        else:
            waiting[number] = lane, now + said.wait
    return left


def test_after_a_rest_the_burst_leaves_at_once_and_the_others_evenly_in_the_order_of_their_asking() -> None:
    gate = Gate(RATE, BURST)
    said = [gate.reserve(Lane.READ, 100.0, 10.0) for _ in range(20)]
    waits = [one.wait for one in said]
    assert waits[:8] == [0.0] * 8
    assert waits[8:] == sorted(waits[8:])
    assert abs(waits[8] - 1 / RATE) < 1e-9
    assert abs(waits[-1] - 12 / RATE) < 1e-9


def test_a_wait_beyond_what_is_allowed_takes_no_place() -> None:
    gate = Gate(10.0, 1)
    gate.reserve(Lane.READ, 0.0, 0.0)
    assert gate.reserve(Lane.READ, 0.0, 0.05) == NoPlace(0.1)
    assert gate.waiting == 0
    assert gate.reserve(Lane.READ, 0.0, 0.1).wait == 0.1


def test_one_who_never_comes_back_holds_the_others_up_for_a_second_at_most() -> None:
    gate = Gate(10.0, 1)
    gate.reserve(Lane.READ, 0.0, 0.0)
    gate.reserve(Lane.LIVE, 0.0, 10.0)  # told 0.1, and never seen again
    second = gate.reserve(Lane.READ, 0.0, 10.0)
    assert isinstance(second, Place)
    now, waits = 0.0, 0
    while second.wait > 0:
        now += second.wait
        second = gate.reserve(Lane.READ, now, 10.0, second.number)
        assert isinstance(second, Place)
        waits += 1
    assert now <= 1.3
    assert waits <= 12


def test_a_timer_that_comes_late_finds_its_turn_and_does_not_bunch() -> None:
    """Twenty sleepers whose timers all fire two hundred milliseconds late leave at the rate, a burst ahead at most."""
    gate = Gate(RATE, BURST)
    told = [gate.reserve(Lane.READ, 0.0, 10.0) for _ in range(60)]
    waiting = {one.number: (Lane.READ, 0.5) for one in told if isinstance(one, Place) and one.wait and one.number}
    left = [at for at, _ in _drain(gate, waiting, 0.5)]
    assert sum(at <= 0.5 for at in left) <= BURST
    assert most_in_a_second([0.0] * 8 + left) <= RATE + BURST


def test_after_a_pause_calls_come_one_by_one() -> None:
    gate = Gate(RATE, BURST)
    gate.pause_until(5.0)
    told = [gate.reserve(Lane.READ, 0.0, 100.0) for _ in range(10)]
    assert [round(one.wait, 6) for one in told] == [round(5.0 + n / RATE, 6) for n in range(10)]
    gate.pause_until(2.0)  # an earlier end changes nothing
    assert gate.paused_until == 5.0


def test_a_slower_rate_has_a_smaller_burst() -> None:
    """Rate and burst together stay below the limit, at whatever rate."""
    for rate, most in ((36.0, 40), (9.0, 10), (90.0, 98), (500.0, 508), (0.5, 1)):
        gate = Gate(RATE, BURST)
        gate.set_rate(rate, 0.0)
        said = [gate.reserve(Lane.READ, 0.0, 1e9) for _ in range(1000)]
        waiting = {
            one.number: (Lane.READ, one.wait) for one in said if isinstance(one, Place) and one.wait and one.number
        }
        burst = sum(one.wait == 0 for one in said)
        assert most_in_a_second([0.0] * burst + [at for at, _ in _drain(gate, waiting, 0.0)]) <= most
        assert abs(gate.rate - rate) < 1e-9


class GateMachine(RuleBasedStateMachine):
    """Callers ask, come back on time or late, give up; pauses and rates come and go."""

    places: Bundle[int] = Bundle("places")

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate(RATE, BURST)
        self.now = 1000.0
        self.left: list[float] = []
        self.lanes: dict[int, Lane] = {}
        self.told: dict[int, float] = {}
        self.pauses: list[tuple[float, float]] = []

    def _took(self, said: Place | NoPlace, lane: Lane) -> int | None:
        assert said.wait >= 0
        if isinstance(said, NoPlace):
            return None
        assert said.number is not None
        if said.wait == 0:
            assert all(not begin <= self.now < end for begin, end in self.pauses), "it left in a pause"
            self.left.append(self.now)
            self.told.pop(said.number, None)
            return None
        self.lanes[said.number], self.told[said.number] = lane, self.now + said.wait
        return said.number

    @rule(
        target=places, lane=st.sampled_from(Lane), count=st.integers(1, 120), within=st.sampled_from([0.0, 0.5, 60.0])
    )
    def ask(self, lane: Lane, count: int, within: float) -> MultipleResults[int]:
        found = [self._took(self.gate.reserve(lane, self.now, within), lane) for _ in range(count)]
        return multiple(*[one for one in found if one is not None])

    @rule(target=places, place=consumes(places), late=st.sampled_from([0.0, 0.003, 0.2, 3.0]))
    def come_back(self, place: int, late: float) -> MultipleResults[int]:
        if place not in self.told:
            return multiple()
        self.now = max(self.now, self.told[place] + late)
        again = self._took(self.gate.reserve(self.lanes[place], self.now, 60.0, place), self.lanes[place])
        return multiple() if again is None else multiple(again)

    @rule(place=consumes(places))
    def give_up(self, place: int) -> None:
        self.gate.release(place)
        self.gate.release(place)
        self.told.pop(place, None)

    @rule(seconds=st.floats(0.0, 3.0))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(seconds=st.floats(0.1, 5.0))
    def pause(self, seconds: float) -> None:
        self.gate.pause_until(self.now + seconds)
        self.pauses.append((self.now, self.now + seconds))

    @rule(rate=st.floats(0.5, RATE))
    def change_rate(self, rate: float) -> None:
        self.gate.set_rate(rate, self.now)

    @invariant()
    def no_second_has_too_many(self) -> None:
        recent = self.left[-250:]
        assert most_in_a_second(recent) <= RATE + BURST

    @invariant()
    def the_line_holds_nobody_who_left(self) -> None:
        assert self.gate.waiting <= len(self.told)

    def teardown(self) -> None:
        """Whoever still waits gets through in the end."""
        waiting = {number: (self.lanes[number], at) for number, at in self.told.items()}
        _drain(self.gate, waiting, self.now)
        assert self.gate.waiting == 0


TestGateMachine = GateMachine.TestCase
TestGateMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_turn_that_was_given_up_is_used_only_where_nobody_is_late_for_it() -> None:
    """Two of three sleepers have given up: who comes now may leave, unless that would make the third one wait."""
    for comes, leaves in ((0.2, True), (0.25, False)):
        gate = Gate(10.0, 1)
        gate.reserve(Lane.READ, 0.0, 10.0)
        second, third, fourth = (gate.reserve(Lane.READ, 0.0, 10.0) for _ in range(3))
        assert isinstance(fourth, Place)
        for one in (second, third):
            assert isinstance(one, Place)
            gate.release(one.number or 0)
        new = gate.reserve(Lane.READ, 0.02, 10.0)
        assert isinstance(new, Place)
        assert (gate.reserve(Lane.READ, comes, 10.0, new.number).wait == 0) is leaves
        assert gate.reserve(Lane.READ, fourth.wait + 1e-12, 10.0, fourth.number).wait == 0


def _arrivals(rate: float, burst: int, late: list[float]) -> list[float]:
    """When calls arrive that all ask at once, each as late on its way as told."""
    gate = Gate(rate, burst)
    said = [gate.reserve(Lane.READ, 0.0, 1e9) for _ in late]
    waiting = {one.number: (Lane.READ, one.wait) for one in said if isinstance(one, Place) and one.wait and one.number}
    left = [0.0 for one in said if not one.wait] + [at for at, _ in _drain(gate, waiting, 0.0)]
    return [at + more for at, more in zip(left, late, strict=True)]


@given(late=st.lists(st.sampled_from([0.0, 0.001, 0.02, 0.043]), min_size=1, max_size=300))
def test_calls_that_are_late_on_their_way_do_not_exceed_the_limit(late: list[float]) -> None:
    """Ring counts arrivals; of the hundred that it allows, the defaults leave what 43 ms of lateness take."""
    standard = ResilienceSettings()
    assert most_in_a_second(_arrivals(standard.gate_rate, standard.gate_burst, late)) <= 100


def test_a_larger_burst_at_a_lower_rate_bears_less_lateness() -> None:
    late = [0.043 if number < 14 else 0.0 for number in range(300)]
    assert most_in_a_second(_arrivals(90.0, 8, late)) > 100
    assert most_in_a_second(_arrivals(92.0, 4, late)) <= 100
