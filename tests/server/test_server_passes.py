"""Signed passes: what was signed comes back, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.errors import UsageError
from ringlight.secrets import Secret
from ringlight.server.passes import Pass, Passes

PASSES = Passes(Secret("a secret for these tests"))
LINK = Pass("3f2a", 2000.0, "front-door")


@given(st.text(max_size=20), st.integers(1001, 10**10), st.none() | st.text(max_size=20), st.booleans())
def test_what_was_signed_comes_back(name: str, ends: int, camera: str | None, talk: bool) -> None:
    said = Pass(name, float(ends), camera, talk)
    assert PASSES.check("session", PASSES.sign("session", said).reveal(), 1000.0) == said


@given(st.data())
def test_a_changed_one_is_refused(data: st.DataObject) -> None:
    text = PASSES.sign("link", LINK).reveal()
    at = data.draw(st.integers(0, len(text) - 2))  # the last letter has bits that stand for nothing
    other = data.draw(st.sampled_from("ABCabc012-_.").filter(lambda letter: letter != text[at]))
    with pytest.raises(UsageError, match="KEY-LINK"):
        PASSES.check("link", text[:at] + other + text[at + 1 :], 1000.0)


@given(st.text(max_size=300))
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="KEY-LINK"):
        PASSES.check("link", text, 1000.0)


def test_it_ends_is_of_one_kind_and_of_one_server() -> None:
    text = PASSES.sign("link", LINK).reveal()
    assert PASSES.check("link", text, 1999.0) == LINK
    with pytest.raises(UsageError, match="KEY-LINK-EXPIRED"):
        PASSES.check("link", text, 2000.0)
    with pytest.raises(UsageError, match="KEY-LINK"):
        PASSES.check("session", text, 1000.0)
    with pytest.raises(UsageError, match="KEY-LINK"):
        Passes(Secret("another")).check("link", text, 1000.0)


def test_a_link_is_good_for_looking_and_for_talking_where_that_was_said() -> None:
    assert LINK.scopes == {"view"}
    assert Pass("3f2a", 2000.0, "front-door", talk=True).scopes == {"view", "talk"}
