"""The table of causes: it has no circle, orders all causes, and the verdict does not depend on who came first."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.doctor.checks import CHECKS
from ringlight.doctor.findings import Finding, Mark
from ringlight.doctor.verdict import ORDER, RULES_OUT, rank, rules_out, verdict
from ringlight.faults import FAULTS

CODES = st.sampled_from(sorted(FAULTS))
NAMES = st.sampled_from(sorted(CHECKS))
MARKS = st.sampled_from([Mark.FAULT, Mark.FAULT, Mark.NOTE])


def _finding(code: str, check: str = "answer", mark: Mark = Mark.FAULT, subject: str = "") -> Finding:
    return Finding(check, mark, "seen", code, subject)


FOUND = st.lists(st.builds(_finding, CODES, NAMES, MARKS, st.sampled_from(["", "a", "b"])), max_size=12)


def test_the_order_is_total() -> None:
    places = [rank(code) for code in FAULTS]
    assert len(set(places)) == len(FAULTS)


def test_every_name_in_the_tables_is_a_fault_or_fits_one() -> None:
    named = {*ORDER, *RULES_OUT, *(effect for effects in RULES_OUT.values() for effect in effects)}
    unknown = {name for name in named if not any(fnmatchcase(code, name) for code in FAULTS)}
    assert unknown == set()
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize("cause", RULES_OUT)
def test_a_cause_comes_before_each_effect_that_it_names(cause: str) -> None:
    """A pattern may fit what comes before; a name that is written out may not, or the row says nothing."""
    for effect in RULES_OUT[cause]:
        if "*" not in effect:
            assert rules_out(cause, effect), effect


def test_causes_rule_each_other_out_in_no_circle() -> None:
    edges = {cause: {effect for effect in FAULTS if rules_out(cause, effect)} for cause in FAULTS}
    done: set[str] = set()

    def visit(code: str, above: tuple[str, ...]) -> None:
        assert code not in above, (*above, code)
        if code in done:
            return
        for effect in edges[code]:
            visit(effect, (*above, code))
        done.add(code)

    for code in FAULTS:
        visit(code, ())


@given(FOUND, st.randoms())
def test_the_order_in_which_findings_come_does_not_matter(found: list[Finding], dice: object) -> None:
    other = list(found)
    dice.shuffle(other)  # type: ignore[attr-defined]
    assert verdict(found) == verdict(other)


@given(FOUND)
def test_nothing_that_was_found_is_lost_and_no_effect_is_first(found: list[Finding]) -> None:
    said = verdict(found)
    assert said.is_healthy is (not found)
    if said.first is None:
        return
    told = {said.first.code, *(one.code for one in said.rest), *(one.code for one, _ in said.effects)}
    assert told == {one.code for one in found}
    causes = [said.first, *said.rest]
    for one in causes:
        assert not any(rules_out(other.code or "", one.code or "") for other in causes if other.mark is Mark.FAULT
                       and one.mark is Mark.FAULT)  # fmt: skip
    if any(one.mark is Mark.FAULT for one in found):
        assert said.first.mark is Mark.FAULT


def test_a_wrong_clock_comes_before_all_that_it_brings_about() -> None:
    found = [_finding(code) for code in ("TURN-CREDENTIALS", "REACH-CERT-EXPIRED", "REACH-CLOCK", "SIG-TICKET")]
    said = verdict(found)
    assert said.first is not None
    assert said.first.code == "REACH-CLOCK"
    assert said.rest == ()
    assert {cause for _, cause in said.effects} == {"REACH-CLOCK"}


def test_a_message_that_is_wrong_comes_before_what_ring_says_to_it() -> None:
    said = verdict([_finding("SIG-REJECTED", "dialog"), _finding("SIG-SDP", "messages")])
    assert said.first is not None
    assert (said.first.code, said.first.check) == ("SIG-SDP", "messages")


def test_what_is_worth_knowing_comes_after_what_is_broken() -> None:
    said = verdict([_finding("MEDIA-TCP", "video", Mark.NOTE), _finding("HOOK-LATE", "webhook")])
    assert said.first is not None
    assert [said.first.code, *(one.code for one in said.rest)] == ["HOOK-LATE", "MEDIA-TCP"]


def test_without_a_finding_all_is_well() -> None:
    well = verdict([Finding("udp", Mark.GOOD, "passes"), Finding("segments", Mark.NOTE, "not used")])
    assert well.is_healthy
    assert well.as_dict() == {"healthy": True, "first": None, "rest": [], "effects": []}
