"""The list of checks: their names are stable, and each says what it expects."""

import pytest

from ringlight.doctor.checks import CHECKS
from ringlight.faults import FAULTS


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_says_what_it_asks_what_it_expects_and_which_faults_it_can_name(name: str) -> None:
    check = CHECKS[name]
    assert check.name == name == name.lower()
    assert check.looks_at.endswith("?")
    assert not check.expected.endswith(".")
    assert set(check.codes) <= set(FAULTS)
