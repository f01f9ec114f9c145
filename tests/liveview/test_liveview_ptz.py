"""Pan and tilt on the wire: what we ask is what a camera reads, and nothing else is a command."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.liveview import ptz
from ringlight.liveview.ptz import Direction, Order


@pytest.mark.parametrize("direction", ptz.DIRECTIONS)
def test_a_camera_reads_what_we_ask(direction: Direction) -> None:
    axis = ptz.axis_of_direction(direction)
    method, params = ptz.step(direction)
    assert ptz.order({"method": method, "params": params}) == Order(axis, direction)
    method, params = ptz.continuous(direction, 0.5)
    assert ptz.order({"method": method, "params": params}) == Order(axis, direction, 0.5)
    assert ptz.axis_of(method) == axis


def test_the_words_are_those_recorded_from_the_app() -> None:
    assert ptz.step("left") == ("PTZ.Pan.Step", {"direction": "LEFT"})
    assert ptz.continuous("down", 0) == ("PTZ.Tilt.Continuous", {"direction": "DOWN", "speed": 0})
    assert ptz.halt({"method": "PTZ.Pan.Halted", "params": {"reason": "LIMIT_REACHED"}}) == ("pan", "LIMIT_REACHED")
    assert ptz.halt({"method": "PTZ.Tilt.Halted"}) == ("tilt", "")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("PTZ.Tilt.Step", {"direction": "LEFT"}),
        ("PTZ.Pan.Step", {"direction": "left"}),
        ("PTZ.Pan.Step", {}),
        ("PTZ.Pan.Step", None),
        ("PTZ.Pan.Halted", {"direction": "LEFT"}),
        ("PTZ.Pan.Continuous", {"direction": "LEFT"}),
        ("PTZ.Pan.Continuous", {"direction": "LEFT", "speed": True}),
        ("PTZ.Pan.Continuous", {"direction": "LEFT", "speed": 1.01}),
        ("PTZ.Pan.Continuous", {"direction": "LEFT", "speed": float("nan")}),
        ("PTZ.Calibrate", {"direction": "LEFT"}),
        (None, {"direction": "LEFT"}),
    ],
)
def test_anything_else_turns_nothing(method: object, params: object) -> None:
    assert ptz.order({"method": method, "params": params}) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.dictionaries(st.sampled_from(["reason", "direction", "speed"]), inner, max_size=3),
    max_leaves=5,
)
METHODS = st.sampled_from(["PTZ.Pan.Step", "PTZ.Tilt.Continuous", "PTZ.Pan.Halted", "PTZ.Pan.HaltedX"]) | JSON


@given(METHODS, JSON)
def test_no_command_breaks_the_readers(method: object, params: object) -> None:
    command = {"method": method, "params": params}
    assert ptz.order(command) is None or ptz.halt(command) is None
