"""The page on how a call survives says the numbers that the settings have."""

from pathlib import Path

import pytest

from ringlight.settings import ResilienceSettings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "calls.md"
S = ResilienceSettings()
MINUTES = {300.0: "five"}
SENTENCES = [
    f"between zero and {S.backoff_first:g} · 2ⁿ seconds ({S.throttle_first:g} · 2ⁿ after a 429 without a time), "
    f"at most {S.backoff_cap:g}.",
    f"One above {S.retry_after_cap:g} seconds,",
    f"one gate of {S.gate_rate:g} calls a second, of which {S.gate_burst} may leave at once after a rest: at most "
    f"{S.gate_rate + S.gate_burst:g} in any second",
    f"{S.budget} tokens: {S.budget_failure} after a failure, {S.budget_throttle} after a 429",
    f"half of at least {S.breaker_volume} calls within {S.breaker_window:g} seconds failed",
    f"After {S.breaker_open:g} seconds one call tries; each failure doubles that wait, "
    f"up to {S.breaker_open_cap:g} seconds",
    f"left alone for {S.device_open:g} seconds, doubling up to {MINUTES[S.device_open_cap]} minutes",
    f"aside in its last {MINUTES[S.refresh_advisory]} minutes, and calls wait for that in its last "
    f"{S.refresh_mandatory:g} seconds",
    f"a status for {MINUTES[S.stale_status]} minutes, devices for seven days, users for a day, "
    "subscriptions for an hour",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_page_has_the_numbers_of_the_settings(sentence: str) -> None:
    assert sentence in " ".join(PAGE.read_text(encoding="utf-8").split())


def test_what_the_page_says_in_words_is_so() -> None:
    assert (S.breaker_in_a_row, S.breaker_ratio) == (5, 0.5)
    assert (S.stale_devices, S.stale_users, S.stale_subscriptions) == (7 * 86_400, 86_400, 3600)


@pytest.mark.parametrize("strategy", [name for name, value in S if value is True])
def test_the_page_names_each_strategy(strategy: str) -> None:
    assert f"| `{strategy}` |" in PAGE.read_text(encoding="utf-8")
