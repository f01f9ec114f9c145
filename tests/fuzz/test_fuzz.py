"""Every reader of foreign bytes keeps its word, whatever comes: the short half of fuzzing, the same in every run."""

import itertools
import json
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from fuzz_table import TARGETS
from fuzz_target import CORPUS, Target

LONG = 64 * 1024  # bytes
SOON = 2.0  # seconds of CPU: a hundred times of what the slowest reader takes for so much
# What is said again and again, so that a reader that goes back at each step, or down at each, is found out.
FILLERS = (
    b"[",
    b'{"a":',
    b"a",
    b"0",
    b" ",
    b"\n",
    b"\\",
    b'"',
    b"a=",
    b"<a;",
    b"; a",
    b",",
    b"://",
    b"\0",
    b"\xff",
    b"$\0\0\1",
)
WEIRD: tuple[Any, ...] = (
    None, True, -1, 0.5, 10**30, 10**400, 1e308, "", "9" * 5000, "\x1b[2J\r\n", "x" * 300, "😀\u202e",
    [], {}, [[]], [None], {"": None},
)  # fmt: skip

each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


def test_each_target_has_its_corpus_and_each_corpus_its_target() -> None:
    assert sorted(target.name for target in TARGETS) == sorted(folder.name for folder in CORPUS.iterdir())
    assert all(any(target.corpus()) for target in TARGETS)


@each_target
def test_what_is_kept_is_read(target: Target) -> None:
    """Inputs as they come in life, and those by which something was found once."""
    for name, data in target.corpus():
        _judge(target, data, name)


@each_target
def test_no_small_damage_breaks_it(target: Target) -> None:
    """Cut anywhere, any byte another one, parts twice or in other places."""
    _judge_some(target, _damaged)


@each_target
def test_no_odd_value_breaks_it(target: Target) -> None:
    """In JSON, any value in the place of any other."""
    _judge_some(target, lambda whole, _: _with_odd_values(whole))


@each_target
def test_no_long_number_breaks_it(target: Target) -> None:
    """More digits than fit a float, and than `int` reads (4,300), in the place of any number."""
    _judge_some(target, lambda whole, _: _with_long_numbers(whole))


@each_target
def test_much_of_anything_is_read_soon(target: Target) -> None:
    begins = [data[:40] for _, data in target.corpus()][:1]
    for begin, filler in itertools.product((b"", *begins), FILLERS):
        data = begin + filler * ((target.longest or LONG) // len(filler))
        before = time.thread_time()
        _judge(target, data, f"{begin!r} and then {filler!r}")
        taken = time.thread_time() - before
        assert taken < SOON, f"{taken:.1f} s for {len(data)} bytes: {begin!r} and then {filler!r}"


def _judge_some(target: Target, change: Callable[[bytes, random.Random], Iterable[bytes]]) -> None:
    """Judge some of all changes of the corpus, the same ones each time."""
    chance = random.Random(target.name)
    changed = [data for _, whole in target.corpus() for data in change(whole, chance)]
    for data in chance.sample(changed, min(target.short, len(changed))):
        _judge(target, data)


def _judge(target: Target, data: bytes, name: str = "") -> None:
    try:
        target.run(data)
    except Exception as error:
        raise AssertionError(f"{target.name} {name}: {data[:300]!r}: {type(error).__name__}: {error}") from error


def _damaged(whole: bytes, chance: random.Random) -> Iterator[bytes]:
    for at in range(0, len(whole), max(1, len(whole) // 100)):
        yield whole[:at]
        yield whole[at:]
        for byte in (0, 0xFF, whole[at] ^ 0x80, whole[at] ^ 1, 0x0A, 0x22):
            yield whole[:at] + bytes((byte,)) + whole[at + 1 :]
        first, second = sorted(chance.randrange(len(whole) + 1) for _ in range(2))
        yield whole[:at] + whole[first:second] + whole[at:]
        yield whole[:first] + whole[second:]


def _with_long_numbers(whole: bytes) -> Iterator[bytes]:
    for number in re.finditer(rb"[0-9]+", whole):
        for digits in (400, 5000):
            yield whole[: number.start()] + b"9" * digits + whole[number.end() :]


def _with_odd_values(whole: bytes) -> Iterator[bytes]:
    head, gap, body = whole.rpartition(b"\n\n")  # an answer of HTTP has fields before it
    lines = body.split(b"\n")
    for at, line in enumerate(lines):
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            continue
        for changed in _changed(document):
            text = json.dumps(changed).encode()
            yield head + gap + b"\n".join([*lines[:at], text, *lines[at + 1 :]])


def _changed(value: Any) -> Iterator[Any]:
    """Yield a document with one of its values changed, for each of them and each odd one; and without it."""
    yield from WEIRD
    if isinstance(value, dict):
        for name, item in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            yield from ({**value, name: changed} for changed in _changed(item))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from ([*value[:at], changed, *value[at + 1 :]] for changed in _changed(item))
        yield value * 30
