"""The words of the rooms' page: the same in every language, all of them used, none of them missing."""

import json
import re
from pathlib import Path

import pytest

from ringlight.faults import FAULTS
from ringlight.rooms.messages import CLOSE_CODES
from ringlight.rooms.people import ROLES
from ringlight.web import ROOMS_PAGE

EN = "en"
WORDS: dict[str, dict[str, str]] = {
    file.stem: json.loads(file.read_text("utf-8")) for file in (ROOMS_PAGE / "i18n").glob("*.json")
}
OTHERS = sorted(WORDS.keys() - {EN})
SCRIPTS = "\n".join(file.read_text("utf-8") for file in ROOMS_PAGE.glob("*.js"))
ROLES_JS = (ROOMS_PAGE / "roles.js").read_text("utf-8")
# What a page of the rooms meets; the English headline is the catalogue's own.
CLIENT = "\n".join(file.read_text("utf-8") for file in (ROOMS_PAGE / "client").glob("*.js") if file.stem != "faults")
MET = {code for code in FAULTS if f'"{code}"' in CLIENT} | CLOSE_CODES.keys() | {"MEDIA-NO-KEY-FRAME"}


def _own(words: dict[str, str]) -> dict[str, str]:
    return {key: text for key, text in words.items() if not key.startswith("fault.")}


def test_six_languages_are_offered() -> None:
    """What the picker offers is what there is."""
    offered = re.search(r"LANGUAGES = \{(.*?)\}", SCRIPTS)
    assert offered is not None
    assert set(re.findall(r"(\w+):", offered[1])) == set(WORDS) == {"en", "de", "es", "fr", "hi", "ar"}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_says_everything(language: str) -> None:
    """No key is missing, none is left over, and each text has the places for values that English has."""
    words, english = _own(WORDS[language]), WORDS[EN]
    assert words.keys() == english.keys()
    assert all(words.values())
    for key, text in words.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english[key])), key


@pytest.mark.parametrize("language", OTHERS)
def test_every_fault_has_a_headline_in_every_language(language: str) -> None:
    """Of what the page meets by itself at least the headline is in the language of whoever reads it."""
    headlines = {key.removeprefix("fault."): text for key, text in WORDS[language].items() if key.startswith("fault.")}
    assert headlines.keys() >= MET
    assert all(headlines.values())


def test_every_key_that_the_page_names_is_there() -> None:
    """A key without a text would be shown as it is."""
    named = set(re.findall(r'(?:\bsay|\bt|\bresay\(\w+,|\bspoken\([^)]*\),|\bannounce)\(?\s*"([a-z][\w.-]+)"', SCRIPTS))
    assert len(named) > 80
    assert named <= WORDS[EN].keys()


def test_every_role_has_a_word_and_the_page_knows_who_admits() -> None:
    """A role is shown at the door, in the list of people and where somebody knocks; who admits is not sent to wait."""
    assert {f"role.{role}" for role in ROLES} <= WORDS[EN].keys()
    lists = {name: set(re.findall(r'"(\w+)"', inside)) for name, inside in re.findall(r"(\w+) = \[(.*?)\]", ROLES_JS)}
    assert lists["HOSTS"] == {role for role, may in ROLES.items() if "admit" in may}
    assert lists["OFFERED"] == ROLES.keys() - {"admin", "camera"}


def test_no_text_is_left_that_nobody_says() -> None:
    """A key stands in a script as it is, or its beginning does before a `${`."""
    beginnings = tuple(re.findall(r"`([a-z][\w.-]*)\$\{", SCRIPTS))
    silent = [key for key in WORDS[EN] if f'"{key}"' not in SCRIPTS and f" {key}:" not in SCRIPTS]
    unused = [key for key in silent if not key.startswith(beginnings)]
    assert unused == []


def test_help_is_for_faults_that_there_are() -> None:
    """The plain sentences for guests name codes of the catalogue."""
    codes = {key.removeprefix("help.") for key in WORDS[EN] if key.startswith("help.")} - {"others"}
    assert codes <= MET


def test_scripts_have_no_styles_and_no_markup_in_them() -> None:
    """The content policy forbids inline styles and scripts, and foreign text must never become markup."""
    assert not re.search(r"innerHTML|insertAdjacentHTML|\.style\b|eval\(", SCRIPTS)
    assert "<style" not in (Path(ROOMS_PAGE) / "index.html").read_text("utf-8")
