"""A secret shows itself to whoever asks for it by name, and to nobody else."""

import copy
import json
import logging
import pickle
import traceback
from dataclasses import dataclass

import msgspec
import pytest

from ringlight.secrets import Secret

CANARY = "canary-4002"
SECRET = Secret(CANARY)


@dataclass
class Holder:
    name: str
    token: Secret


@pytest.mark.parametrize(
    "text",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>30}",
        "%s %r" % (SECRET, SECRET),  # noqa: UP031 - as old code and logging do
        "{}".format(SECRET),  # noqa: UP032
        str([SECRET, {"token": SECRET}, (SECRET,)]),
        repr(Holder("ada", SECRET)),
        ascii(SECRET),
        pytest.param(str(hash(SECRET)), id="hash"),  # another number in every process
    ],
)
def test_no_way_of_writing_it_shows_it(text: str) -> None:
    assert CANARY not in text
    assert text


def test_it_is_shown_to_whoever_asks_for_it() -> None:
    assert Secret(CANARY).reveal() == CANARY


@pytest.mark.parametrize(
    "leak",
    [
        json.dumps,
        msgspec.json.encode,
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        vars,
        list,
        len,
        lambda secret: "" + secret,
        lambda secret: "".join([secret]),
        lambda secret: secret + "",
        lambda secret: secret.encode(),
        lambda secret: format(secret, ">30"),
    ],
)
def test_what_could_carry_it_away_is_refused_and_says_nothing(leak: object) -> None:
    assert callable(leak)
    with pytest.raises((TypeError, AttributeError)) as caught:
        leak(SECRET)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_logging_it_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("ringlight.test").debug("token %s of %r", SECRET, Holder("ada", SECRET))
    assert "Secret(...)" in caplog.text
    assert CANARY not in caplog.text


def test_secrets_are_compared_by_their_text_and_with_nothing_else() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("ä") == Secret("ä")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert not isinstance(SECRET, str)


def test_a_secret_may_hold_bytes_that_are_no_text() -> None:
    """So does an environment variable that is not UTF-8, by the surrogates that Python puts in their place."""
    assert Secret("a\udcff") == Secret("a\udcff")
    assert Secret("a\udcff") != Secret("a\udcfe")


def test_an_empty_secret_is_none() -> None:
    assert not Secret("")
    assert Secret(" ")
