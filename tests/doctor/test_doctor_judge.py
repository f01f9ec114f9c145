"""The doctor's judgements: evidence in, findings out, no network."""

from ringlight.doctor.judge import Evidence, Mark, judge
from ringlight.errors import fault_error


def test_a_check_whose_condition_failed_is_skipped_and_says_why() -> None:
    findings = judge(
        [
            Evidence("reach", error=fault_error("NET-DNS", "no such name")),
            Evidence("token", ("reach",), seen="signed in"),
            Evidence("websocket", ("token",), error=fault_error("SIG-TICKET")),
        ]
    )
    assert [finding.mark for finding in findings] == [Mark.FAULT, Mark.SKIPPED, Mark.SKIPPED]
    assert "reach" in findings[1].seen
    assert "token" in findings[2].seen


def test_a_finding_shows_what_was_seen_or_else_the_title() -> None:
    (with_detail, without) = judge(
        [Evidence("a", error=fault_error("CFG-PORT", "8000 is taken")), Evidence("b", error=fault_error("CFG-PORT"))]
    )
    assert with_detail.seen == "8000 is taken"
    assert without.seen == "The port is taken"
    assert with_detail.as_dict()["fault"]["fix"].startswith("Stop that program")


def test_what_went_well_has_no_fault() -> None:
    (finding,) = judge([Evidence("udp", seen="datagrams pass")])
    assert finding.as_dict() == {"check": "udp", "mark": "good", "seen": "datagrams pass", "fault": None}
