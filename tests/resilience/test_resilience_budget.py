"""The retry budget and the shedding of calls: what an outage may cost at most."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ringlight.resilience.budget import Budget
from ringlight.resilience.shedding import Shedding


def test_an_outage_of_a_thousand_calls_costs_at_most_a_tenth_more() -> None:
    budget = Budget(500)
    retries = sum(budget.spend(14, n * 0.01) for n in range(1000) for _ in range(2))
    assert retries == 500 // 14
    assert 1000 + retries <= 1100


def test_a_success_gives_back_what_its_retry_had_cost_and_otherwise_one() -> None:
    budget = Budget(500)
    assert budget.spend(14, 0.0)
    assert budget.spend(5, 0.0)
    budget.succeeded(14, 0.0)
    budget.succeeded(0, 0.0)
    assert budget.tokens == 500 - 14 - 5 + 14 + 1
    for _ in range(10):
        budget.succeeded(14, 0.0)
    assert budget.tokens == 500


def test_when_it_is_spent_one_retry_for_five_good_calls_remains() -> None:
    """So a small client that sees a few failures is not without retries, and an outage still gets none."""
    budget = Budget(0)
    assert not budget.spend(14, 0.0)
    assert budget.spend(0, 0.0)
    for _ in range(10):
        budget.succeeded(0, 1.0)
    budget.tokens = 0
    assert [budget.spend(14, 2.0) for _ in range(4)] == [True, True, False, False]
    assert not budget.spend(14, 12.1)  # the ten good calls are forgotten


def test_the_floor_itself_has_a_ceiling_of_ten_a_second() -> None:
    budget = Budget(0)
    for _ in range(5000):
        budget.succeeded(0, 0.0)
    budget.tokens = 0
    assert sum(budget.spend(14, 0.5) for _ in range(1000)) == 100


def test_nothing_is_shed_while_at_least_half_is_taken() -> None:
    shedding = Shedding()
    for n in range(1000):
        assert shedding.admit(n * 0.01, 0.0)
        if n % 2 == 0:
            shedding.taken(n * 0.01)


def test_a_service_that_takes_nothing_is_soon_left_almost_alone() -> None:
    shedding, dice = Shedding(), 0.5
    admitted = sum(shedding.admit(n * 0.01, dice) for n in range(1000))
    assert admitted <= 2
    assert shedding.admit(100.0, dice)  # and tried again when that is long past


class BudgetMachine(RuleBasedStateMachine):
    """Calls go well or are repeated, in any order; the oracle keeps a list of both."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(100)
        self.tokens = 100
        self.now = 0.0
        self.good: list[int] = []
        self.repeated: list[int] = []

    def _recent(self, times: list[int]) -> int:
        return sum(at > int(self.now // 1.0) - 10 for at in times)

    @rule(cost=st.sampled_from([5, 14]))
    def repeat(self, cost: int) -> None:
        paid = self.tokens >= cost
        floor = self._recent(self.repeated) < min(0.2 * self._recent(self.good), 100)
        assert self.budget.spend(cost, self.now) is (paid or floor)
        self.tokens -= cost if paid else 0
        if paid or floor:
            self.repeated.append(int(self.now // 1.0))

    @rule(cost=st.sampled_from([0, 5, 14]))
    def go_well(self, cost: int) -> None:
        self.budget.succeeded(cost, self.now)
        self.tokens = min(self.tokens + (cost or 1), 100)
        self.good.append(int(self.now // 1.0))

    @rule(seconds=st.floats(0.0, 15.0))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def they_agree(self) -> None:
        assert self.budget.tokens == self.tokens
        assert 0 <= self.tokens <= 100


TestBudgetMachine = BudgetMachine.TestCase
TestBudgetMachine.settings = settings(max_examples=50, stateful_step_count=50, deadline=None)
