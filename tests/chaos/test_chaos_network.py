"""The network lab: some of its networks are built here, watched over, and taken down."""

import pytest
from network_lab import CASES, Case, run_cases
from networks.namespaces import may_make_namespaces

pytestmark = [pytest.mark.browser, pytest.mark.program]


@pytest.mark.skipif(not may_make_namespaces(), reason="needs the right to make network namespaces")
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.is_quick], ids=lambda case: f"{case.what}: {case.network}"
)
@pytest.mark.long
def test_over_a_bad_network_the_picture_moves(case: Case) -> None:
    (row,) = run_cases((case,))
    assert row.wrong == "", row
    assert row.connected is not None
