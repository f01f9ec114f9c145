"""The page for a bug report: whole, by itself, and without anything that is nobody's business."""

import re

from ringlight.doctor.findings import Finding, Mark
from ringlight.doctor.report import report_of
from ringlight.doctor.report_page import as_page, without_secrets
from ringlight.faults import FAULTS

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEtbG92ZWxhY2UifQ.c2lnbmF0dXJlLWlzLW5vbmU"


def test_what_looks_secret_is_taken_out() -> None:
    said = without_secrets(
        f"signed in as ada@ringlight.test from 203.0.113.7 with {JWT}, wss://a:b@host/ws?token=t0p&x=1, /home/ada/x, "
        "192.168.1.7, key=k3y"
    )
    assert "ada@" not in said
    assert "203.0.x.x" in said
    assert "192.168.1.7" in said, "an address at home tells nobody anything"
    for secret in (JWT, "a:b@", "t0p", "/home/ada", "k3y"):
        assert secret not in said


def test_the_page_names_the_cause_and_each_check_and_no_camera() -> None:
    report = report_of(
        [
            Finding("token", Mark.GOOD, "signed in as ada@ringlight.test"),
            Finding("dialog", Mark.FAULT, "close 5 for <b>Front Door</b>", "SIG-AUTH", "Front Door"),
            Finding("video", Mark.SKIPPED, "not looked at, because of: dialog", None, "Front Door"),
        ],
        1.25, "0.1.0", "Linux",
    )  # fmt: skip
    page = as_page(report, ["Front Door"])
    assert "Fix this first: SIG-AUTH" in page
    assert FAULTS["SIG-AUTH"].fix in page
    assert "Front Door" not in page
    assert "camera 1" in page
    assert "ada@" not in page
    assert "<b>" not in page
    assert not re.search(r"<script|https?://", page)
    assert page.count("<tr>") == 4


def test_a_healthy_report_says_so() -> None:
    page = as_page(report_of([Finding("udp", Mark.GOOD, "datagrams pass")]))
    assert "Nothing is wrong" in page
    assert "Fix this first" not in page
