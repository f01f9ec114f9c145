"""The report of the benchmarks: what a goal says, where a curve bends, and what the page makes of both."""

import json
from pathlib import Path

import fit
import pytest
import report
import verdict
from hypothesis import given
from hypothesis import strategies as st


def test_a_goal_is_printed_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "record"
    monkeypatch.setenv(verdict.RECORD, str(record))
    assert verdict.goal("a packet", 4.15, 5.0, "µs")
    assert not verdict.goal("joins", 1076, 2000, "a second", least=True)
    assert not verdict.unmeasured("packets lost", "only 700 got in")
    said = capsys.readouterr().out
    assert "met    a packet: 4.15 µs, goal at most 5 µs" in said
    assert "MISSED joins: 1076 a second, goal at least 2000 a second" in said
    kept = [json.loads(line) for line in record.read_text().splitlines()]
    assert [line["met"] for line in kept] == [True, False, False]


def test_without_a_report_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(verdict.RECORD, raising=False)
    monkeypatch.chdir(tmp_path)
    verdict.goal("a packet", 1.0, 5.0)
    assert not list(tmp_path.iterdir())


@given(st.floats(0.1, 100), st.floats(0.01, 10), st.integers(3, 12))
def test_a_straight_line_is_found_again_and_has_no_bend(base: float, slope: float, count: int) -> None:
    line = fit.straight([(100.0 * x, base + slope * 100 * x) for x in range(count)])
    assert line is not None
    assert line.bend is None
    assert line.slope == pytest.approx(slope, rel=1e-6)
    assert line.base == pytest.approx(base, rel=1e-3, abs=1e-6 * slope * 100 * count)


def test_what_grows_faster_from_some_point_on_bends_there() -> None:
    points = [(x, 2 * x + (3 * (x - 400) if x > 400 else 0)) for x in (0.0, 100.0, 200.0, 400.0, 600.0, 800.0)]
    line = fit.straight(points)
    assert line is not None
    assert line.bend == 600
    assert line.at(100) == pytest.approx(200)


def test_one_point_beside_the_line_is_noise() -> None:
    line = fit.straight([(0.0, 10.0), (1.0, 20.0), (2.0, 30.0), (3.0, 60.0), (4.0, 50.0), (5.0, 60.0)])
    assert line is not None
    assert line.bend is None


def test_two_points_make_no_line() -> None:
    assert fit.straight([(0.0, 1.0), (1.0, 2.0)]) is None


def test_the_page_names_what_was_missed_and_draws_each_curve(tmp_path: Path) -> None:
    lines = [
        {"goal": "a packet", "value": 6.0, "bound": 5.0, "unit": "µs", "least": False, "met": False, "doubt": ""},
        {"curve": "viewers", "across": "viewers", "up": "%", "points": [[0, 1], [100, 11], [200, 21]], "straight": True,
         "of": "Ringlight"},
    ]  # fmt: skip
    ran = report.Ran("forwarding", "One camera to many viewers.", "a packet: 6\n", lines, 0, 3.0, 0.0)
    crashed = report.Ran("loss", "What loss does.", "Traceback\n", [], 1, 1.0, 0.9)
    page = report.page([ran, crashed], tmp_path, "", quick=False)
    assert "0 goals met, 1 missed; not run to their end: loss" in page
    assert "| `forwarding` | a packet | 6 µs | at most 5 µs | **missed** |" in page
    assert "Ringlight: 1 % and 0.1 for each of the viewers; straight up to the last point, 200." in page
    assert "so their times say little: loss" in page
    assert (tmp_path / "viewers.svg").read_text().startswith("<svg")
