"""Footage arrives whole or not at all: over lines that break, from addresses that expire, and from nobody else."""

import hashlib
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from talking_to_the_api import refusal
from tricky_storage import NOW, SIGNED, Shell, Storage

from ringlight.errors import MediaError, MediaNotReadyError, NetworkError, RingError, fault_error
from ringlight.http.flow import Response
from ringlight.partner.api import Api
from ringlight.partner.call import Call
from ringlight.partner.download import (
    MOST_FRUITLESS,
    MOST_REDIRECTS,
    MOST_RENEWED,
    NOT_READY_FOR,
    Open,
    Saved,
    download,
)
from ringlight.partner.media import Head, Media, Wish
from ringlight.partner.part_file import Memory

API = Api()
CLIP = b"\0\0\0\x18ftypisom" + random.Random(5).randbytes(3_000_000)
STILL = b"\xff\xd8\xff\xe0" + random.Random(6).randbytes(70_000)
BEGIN = int(NOW * 1000) - 60_000


def clip(seconds: float = 20.0) -> Wish:
    return Media(API).clip("D", BEGIN, seconds)


def fetched(storage: Storage, wish: Wish | None = None) -> tuple[Saved, bytes, Shell]:
    shell, memory = Shell(storage), Memory()
    saved = shell.run(download(wish or clip()), memory)
    return saved, bytes(memory.data), shell


def refused(storage: Storage, wish: Wish | None = None) -> tuple[RingError, Shell]:
    shell, memory = Shell(storage), Memory()
    with pytest.raises(RingError) as caught:
        shell.run(download(wish or clip()), memory)
    assert memory.data == b""
    return caught.value, shell


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_to_the_file_and_the_token_stays_at_home(status: int) -> None:
    """Only 307 and 308 repeat the POST; the storage gets no token from either."""
    storage = Storage(CLIP, status=status)
    saved, data, _ = fetched(storage)
    assert data == CLIP
    assert (saved.size, saved.resumed, saved.restarted) == (len(CLIP), 0, 0)
    first, second = storage.calls
    assert (first.bearer, second.bearer) == (True, False)
    assert second.request.method == ("POST" if status >= 307 else "GET")
    assert (second.request.json is None) == (status < 307)
    assert "canary" not in repr(storage.calls)


@pytest.mark.parametrize("status", [307, 303])
def test_only_the_api_itself_is_asked_again_with_the_token(status: int) -> None:
    storage = Storage(CLIP, status=status)
    steps = download(clip())
    opened: Any = next(steps)
    redirect = Response(status, {"Location": "/v1/devices/D/media/video/download?again"})
    again: Any = steps.send((NOW, opened.call.decode(redirect)))
    assert again.call.request.url == "https://api.amazonvision.com/v1/devices/D/media/video/download?again"
    assert again.call.bearer is (status == 307)
    assert storage.calls == []


@pytest.mark.parametrize(
    "location",
    ["http://download-eu.media.example/v1", "ftp://media.example/", "https://media.example\\@api.example/", "https://user:canary@media.example/",
     "https://[::1", "file:///etc/passwd", "data:video/mp4;base64,AAAA"],
)  # fmt: skip
def test_an_address_that_is_not_to_be_trusted_is_not_asked(location: str) -> None:
    steps = download(clip())
    opened: Any = next(steps)
    with pytest.raises(RingError) as caught:
        steps.send((NOW, opened.call.decode(Response(303, {"Location": location}))))
    assert caught.value.code == "PARTNER-ORIGIN"
    assert "canary" not in str(caught.value)


def test_redirects_in_a_circle_end() -> None:
    steps = download(clip())
    step: Any = next(steps)
    again = (NOW, step.call.decode(Response(302, {"Location": f"{SIGNED}1"})))
    for _ in range(MOST_REDIRECTS):
        steps.send(again)
    with pytest.raises(RingError) as caught:
        steps.send(again)
    assert caught.value.code == "PARTNER-ORIGIN"


def test_an_answer_with_the_file_in_it_is_taken_at_once() -> None:
    storage = Storage(CLIP, status=200, fields={"X-Media-Timestamp": "1790000040500", "Content-Type": "video/mp4"})
    saved, data, shell = fetched(storage)
    assert (data, len(storage.calls)) == (CLIP, 1)
    assert (saved.head.timestamp, saved.is_partial, saved.head.media_type) == (1_790_000_040_500, False, "video/mp4")
    assert shell.progress[-1] == (len(CLIP), len(CLIP))
    assert [done for done, _ in shell.progress] == sorted({done for done, _ in shell.progress})


@pytest.mark.parametrize("name", ["X-Media-Length", "X-Media-Duration"])
def test_part_of_the_time_comes_as_206_without_a_range(name: str) -> None:
    """The length has two names in Ring's documents."""
    saved, data, _ = fetched(Storage(CLIP, status=206, fields={name: "12500"}))
    assert (data, saved.is_partial, saved.head.duration) == (CLIP, True, 12_500)


def test_a_clip_that_is_cut_at_every_64_kib_arrives_whole_without_waste() -> None:
    storage = Storage(CLIP, cut=64 * 1024)
    saved, data, shell = fetched(storage)
    assert hashlib.sha256(data).digest() == hashlib.sha256(CLIP).digest()
    assert storage.sent <= 1.05 * len(CLIP)
    assert (saved.resumed, saved.restarted) == (len(CLIP) // (64 * 1024), 0)
    assert shell.waits == []  # each try brought something
    assert storage.addresses == 1


def test_an_address_that_expires_is_renewed_and_the_clip_goes_on() -> None:
    storage = Storage(CLIP, cut=64 * 1024, good_for=7)
    _, data, _ = fetched(storage)
    assert data == CLIP
    assert storage.sent <= 1.05 * len(CLIP)
    assert storage.addresses > 5


def test_addresses_that_never_work_are_not_asked_for_for_ever() -> None:
    storage = Storage(CLIP, good_for=0)
    error, _ = refused(storage)
    assert error.code == "PARTNER-FORBIDDEN"
    assert storage.addresses == 1 + MOST_RENEWED


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_storages_say_in_different_ways_that_an_address_is_over(status: int) -> None:
    class Other(Storage):
        def answer(self, call: Call[Any]) -> tuple[Response, bytes] | RingError:
            found = super().answer(call)
            over = isinstance(found, RingError) and self.addresses == 1
            return refusal(status) if over else found

    storage = Other(CLIP, cut=1_000_000, good_for=2)
    saved, data, _ = fetched(storage)
    assert (data, saved.resumed, storage.addresses) == (CLIP, 3, 2)


def test_a_line_that_stays_down_is_told_by_its_own_error() -> None:
    """Once there is something to keep the plan tries on; what it raises at last says what was wrong."""
    storage = Storage(CLIP, cut=100_000)

    def cut(one: Storage) -> None:
        one.refuses = [fault_error("NET-DNS", "media.example") for _ in range(MOST_FRUITLESS + 2)]

    storage.change = cut
    error, shell = refused(storage)
    assert (error.code, error.detail) == ("NET-DNS", "media.example")
    assert len(shell.waits) == MOST_FRUITLESS


@pytest.mark.parametrize("step", [-86_400.0, 86_400.0])
def test_a_clock_that_is_set_while_footage_is_being_made_costs_no_day(step: float) -> None:
    storage = Storage(CLIP, refuses=[refusal(425) for _ in range(2000)])

    class Set(Shell):
        def _open(self, asked: Open) -> tuple[Head | RingError, Iterator[bytes]]:
            if len(storage.calls) == 3:
                self.now += step
            return super()._open(asked)

    shell, memory = Set(storage), Memory()
    with pytest.raises(MediaNotReadyError):
        shell.run(download(clip()), memory)
    assert sum(shell.waits) <= NOT_READY_FOR


def test_a_file_that_changes_begins_anew() -> None:
    def change(storage: Storage) -> None:
        if storage.opened == 4:
            storage.content, storage.etag = CLIP[:20] + CLIP[:1_000_000], '"two"'

    storage = Storage(CLIP, cut=400_000, change=change)
    saved, data, _ = fetched(storage)
    assert data == CLIP[:20] + CLIP[:1_000_000]
    assert (saved.restarted, saved.head.etag) == (1, '"two"')


@pytest.mark.parametrize("etag", [None, 'W/"one"'])
def test_without_a_strong_mark_nothing_is_put_together(etag: str | None) -> None:
    """Nobody knows whether the rest would belong to what is here."""

    def mend(storage: Storage) -> None:
        if storage.opened == 3:
            storage.cut = None

    storage = Storage(CLIP, cut=1_000_000, etag=etag, change=mend)
    saved, data, _ = fetched(storage)
    assert (data, saved.resumed, saved.restarted) == (CLIP, 0, 2)
    assert not any("Range" in call.request.headers for call in storage.calls)


def test_a_storage_that_knows_no_ranges_sends_the_whole_again() -> None:
    storage = Storage(
        CLIP, cut=2_000_000, ranges=False, change=lambda s: setattr(s, "cut", None if s.opened > 1 else s.cut)
    )
    saved, data, _ = fetched(storage)
    assert (data, saved.resumed, saved.restarted) == (CLIP, 0, 1)


def test_a_line_that_brings_nothing_further_is_given_up() -> None:
    """Judged by what a try brings, not by how many there were."""
    storage = Storage(CLIP, cut=100_000, etag=None)
    error, shell = refused(storage)
    assert isinstance(error, NetworkError)
    assert error.code == "PARTNER-CUT"
    assert len(shell.waits) == MOST_FRUITLESS
    assert "canary" not in str(error)


@pytest.mark.parametrize("answer", ["bytes 0-9/3000024", "bytes 70000-1/99", "bytes */5", "lines 1-2/3"])
def test_a_rest_that_does_not_fit_is_not_added(answer: str) -> None:
    """The whole is asked for instead."""

    class Liar(Storage):
        def _file(self, asked: dict[str, str]) -> tuple[Response, bytes] | RingError:
            if self.opened == 2:
                return Response(206, {"Content-Range": answer, "ETag": '"one"'}), b"x" * 100
            return super()._file(asked)

    storage = Liar(CLIP, cut=70_000)
    _, data, _ = fetched(storage)
    assert data == CLIP


def test_a_rest_of_another_file_is_not_added_even_where_the_server_says_it_is() -> None:
    """`If-Range` was not heeded: the place fits, the mark does not."""

    class Heedless(Storage):
        def _file(self, asked: dict[str, str]) -> tuple[Response, bytes] | RingError:
            if self.opened == 2:
                first, whole = 70_000, b"\0\0\0\x18ftyp" + b"x" * (len(CLIP) - 8)
                self.content, self.etag = whole, '"two"'
                fields = {"Content-Range": f"bytes {first}-{len(whole) - 1}/{len(whole)}", "ETag": '"two"'}
                return Response(206, fields), whole[first:]
            return super()._file(asked)

    storage = Heedless(CLIP, cut=70_000)
    storage.change = lambda s: setattr(s, "cut", 70_000 if s.opened < 3 else None)
    saved, data, _ = fetched(storage)
    assert data == storage.content
    assert saved.restarted == 1


def test_a_body_that_ends_early_without_a_sign_is_not_taken_for_whole() -> None:
    class Quiet(Storage):
        def pieces(self, body: bytes) -> Iterator[bytes]:
            return super().pieces(body[:500_000])

    saved, data, _ = fetched(Quiet(CLIP))
    assert (data, saved.resumed) == (CLIP, 6)


def test_a_line_that_is_down_for_a_moment_is_tried_again_once_there_is_something_to_keep() -> None:
    def down(storage: Storage) -> None:
        if storage.opened == 3:
            storage.refuses = [fault_error("NET-TIMEOUT")]

    saved, data, shell = fetched(Storage(CLIP, cut=1_000_000, change=down))
    assert (data, saved.restarted) == (CLIP, 0)
    assert shell.waits == [1.0]
    error, _ = refused(Storage(CLIP, refuses=[fault_error("NET-TIMEOUT")]))
    assert error.code == "NET-TIMEOUT"


def test_a_file_that_has_no_such_rest_begins_anew() -> None:
    """Its length was not known, and it has become shorter."""

    def shrink(storage: Storage) -> None:
        if storage.opened == 2:
            storage.content = CLIP[:50_000]

    saved, data, shell = fetched(Storage(CLIP, cut=70_000, change=shrink, knows_length=False))
    assert (data, saved.restarted) == (CLIP[:50_000], 1)
    assert shell.now < NOW + 10


def test_a_part_that_nobody_asked_for_is_no_beginning() -> None:
    class Middle(Storage):
        def _file(self, asked: dict[str, str]) -> tuple[Response, bytes] | RingError:
            if self.opened == 1:
                return Response(206, {"Content-Range": f"bytes 9-99/{len(CLIP)}"}), CLIP[:91]
            return super()._file(asked)

    assert fetched(Middle(CLIP))[1] == CLIP


def test_part_of_the_time_may_say_which_bytes_it_has() -> None:
    fields = {"X-Media-Length": "12500", "Content-Range": f"bytes 0-{len(CLIP) - 1}/{len(CLIP)}"}
    assert fetched(Storage(CLIP, status=206, fields=fields))[0].is_partial
    del fields["X-Media-Length"]
    assert not fetched(Storage(CLIP, status=206, fields=fields))[0].is_partial


def test_what_ends_a_call_for_good_ends_the_download() -> None:
    """Only a line that broke is taken up again; a deadline is not overrun by trying on."""

    class Late(Storage):
        def pieces(self, body: bytes) -> Iterator[bytes]:
            yield body[:100]
            raise fault_error("PARTNER-STATUS", "the time is over")

    error, _ = refused(Late(CLIP))
    assert error.code == "PARTNER-STATUS"


def test_what_is_not_ready_is_asked_for_again_until_two_minutes_after_its_end() -> None:
    """The clip ends twenty seconds from now."""
    wish = Media(API).clip("D", int(NOW * 1000), 20)
    storage = Storage(CLIP, refuses=[refusal(425), refusal(416), refusal(425)])
    _, data, shell = fetched(storage, wish)
    assert data == CLIP
    assert shell.waits == [1.0, 2.0, 3.0]
    error, never = refused(Storage(CLIP, refuses=[refusal(425)] * 99), wish)
    assert isinstance(error, MediaNotReadyError)
    assert 130 < never.now - NOW <= 140


def test_what_is_long_past_and_not_there_is_not_asked_for_again() -> None:
    wish = Media(API).still("D", at=int(NOW * 1000) - 3_600_000)
    error, shell = refused(Storage(STILL, refuses=[refusal(416)]), wish)
    assert (error.code, shell.waits) == ("PARTNER-NO-FOOTAGE", [])


def test_a_416_of_the_storage_asks_the_api_anew_with_the_same_request() -> None:
    wish = Media(API).still("D", since=int(NOW * 1000) - 5_000)
    storage = Storage(STILL)
    answer = storage.answer
    refusals = iter([refusal(416)])

    def second_step(call: Any) -> Any:
        found = answer(call)
        return next(refusals, found) if call.request.method == "GET" else found

    storage.answer = second_step  # type: ignore[method-assign]
    _, data, shell = fetched(storage, wish)
    assert (data, shell.waits, storage.addresses) == (STILL, [1.0], 2)
    posts = [call.request for call in storage.calls if call.request.method == "POST"]
    assert posts[0] == posts[1]


def test_a_wait_that_the_answer_names_is_kept() -> None:
    early = refusal(425)
    early.retry_after = 30.0
    _, _, shell = fetched(Storage(CLIP, refuses=[early]), Media(API).clip("D", int(NOW * 1000), 20))
    assert shell.waits == [30.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500, 503])
def test_what_the_api_refuses_is_told_at_once(status: int) -> None:
    """Other tries of the same call are the client's business, not the plan's."""
    error, shell = refused(Storage(CLIP, refuses=[refusal(status)]))
    assert isinstance(error, RingError)
    assert getattr(error, "status", None) == status
    assert shell.waits == []


@pytest.mark.parametrize("content", [b"ENCRYPTED" * 100, STILL, b"\0"])
def test_footage_that_only_its_owner_can_read_is_told_by_its_first_bytes(content: bytes) -> None:
    error, _ = refused(Storage(content))
    assert isinstance(error, MediaError)
    assert error.code == "PARTNER-ENCRYPTED"


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json"])
def test_a_page_in_the_place_of_footage_is_no_footage(kind: str) -> None:
    error, _ = refused(Storage(b"<html>", fields={"Content-Type": kind}))
    assert error.code == "PARTNER-ANSWER"


def test_an_empty_file_is_no_footage() -> None:
    error, _ = refused(Storage(b""))
    assert error.code == "PARTNER-ANSWER"


def test_more_than_was_announced_or_allowed_is_not_taken() -> None:
    class Gushing(Storage):
        def _file(self, asked: dict[str, str]) -> tuple[Response, bytes] | RingError:
            found = super()._file(asked)
            return found if isinstance(found, RingError) else (Response(200, {"Content-Length": "50000"}), found[1])

    assert refused(Gushing(CLIP))[0].code == "PARTNER-ANSWER"
    big = Storage(CLIP, fields={"Content-Range": f"bytes 0-9/{10**14}"})
    assert refused(big)[0].code == "PARTNER-ANSWER"


def test_a_body_of_unknown_length_ends_where_it_ends() -> None:
    saved, data, shell = fetched(Storage(CLIP, knows_length=False))
    assert (data, saved.size, shell.progress[-1]) == (CLIP, len(CLIP), (len(CLIP), None))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(20, 200_000),
    st.lists(st.integers(1, 90_000), min_size=1, max_size=30),
    st.integers(1, 5),
    st.booleans(),
)
def test_wherever_the_line_breaks_the_file_is_the_same(size: int, cuts: list[int], good_for: int, knows: bool) -> None:
    turns = iter(cuts * 2000)

    def change(storage: Storage) -> None:
        storage.cut = max(next(turns), 4096)

    storage = Storage(CLIP[:size], change=change, good_for=good_for, knows_length=knows)
    saved, data, _ = fetched(storage)
    assert data == CLIP[:size]
    assert saved.size == size
    assert storage.sent <= 1.05 * size
