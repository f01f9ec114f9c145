"""What comes by MQTT is judged before anything is done, and what is told has a form that Home Assistant takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.errors import UsageError
from ringlight.home.topics import Command, Topics

TOPICS = Topics("house/ring")


@pytest.mark.parametrize(
    ("topic", "payload", "command"),
    [
        ("house/ring/front-door/light/set", b"ON", Command("front-door", "light", "ON")),
        ("house/ring/driveway/turn/set", b"left", Command("driveway", "turn", "left")),
        ("house/ring/back-yard/picture/set", b"PRESS", Command("back-yard", "picture", "PRESS")),
    ],
)
def test_a_command_is_read(topic: str, payload: bytes, command: Command) -> None:
    assert TOPICS.read(topic, payload) == command


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("house/ring/front-door/light/set", b"on", "light knows OFF, ON, not 'on'"),
        ("house/ring/front-door/light/set", b"", "not ''"),
        ("house/ring/front-door/light/set", b"\xff" * 1_000_000, "light knows"),
        ("house/ring/front-door/door/set", b"ON", "no topic for commands"),
        ("house/ring/../light/set", b"ON", "'..' is no camera's id"),
        ("house/ring/front-door/light", b"ON", "no topic for commands"),
        ("house/front-door/light/set", b"ON", "no topic for commands"),
    ],
)
def test_what_is_no_command_is_told(topic: str, payload: bytes, said: str) -> None:
    with pytest.raises(UsageError, match="REQUEST-INVALID") as caught:
        TOPICS.read(topic, payload)
    assert said in str(caught.value)


@given(topic=st.text(max_size=200), payload=st.binary(max_size=64))
def test_nothing_that_comes_breaks_it(topic: str, payload: bytes) -> None:
    try:
        command = TOPICS.read(topic, payload)
    except UsageError:
        return
    assert TOPICS.of(command.camera, f"{command.what}/set") == topic
