"""A recording on its way into a file: whole or not there, and taken up again where the line was cut."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ringlight.cameras import download
from ringlight.cameras.download import Download
from ringlight.errors import RingError, fault_error
from ringlight.http.flow import Headers, Streamed
from ringlight.secrets import Secret

pytestmark = pytest.mark.anyio
FILM = bytes(range(256)) * 40


class Storage:
    """A storage whose line is cut after so many bytes of each answer; `None` sends all of it."""

    def __init__(self, *cuts: int | None, ranges: bool = True, etag: str | None = '"a"') -> None:
        self.cuts, self.ranges, self.etag = list(cuts), ranges, etag
        self.content = FILM
        self.addresses: list[str] = []
        self.asked: list[dict[str, str]] = []

    async def address(self) -> Secret:
        self.addresses.append(f"https://storage.example/{len(self.addresses)}")
        return Secret(self.addresses[-1])

    @asynccontextmanager
    async def stream(self, url: Secret, headers: dict[str, str]) -> AsyncIterator[Streamed]:
        assert url.reveal() == self.addresses[-1], "an address is fetched just before it is used"
        self.asked.append(headers)
        status, first = 200, 0
        if self.ranges and headers.get("If-Range", self.etag) == self.etag and "Range" in headers:
            status, first = 206, int(headers["Range"].removeprefix("bytes=").removesuffix("-"))
        body, total = self.content[first:], len(self.content)
        fields = {"content-length": str(len(body)), **({"etag": self.etag} if self.etag else {})}
        if status == 206:
            fields["content-range"] = f"bytes {first}-{total - 1}/{total}"
        yield Streamed(status, Headers(fields), self._pieces(body, self.cuts.pop(0)))

    async def _pieces(self, body: bytes, cut: int | None) -> AsyncIterator[bytes]:
        for at in range(0, len(body) if cut is None else cut, 1000):
            yield body[at : at + 1000]
        if cut is not None:
            raise fault_error("NET-UNREACHABLE", "the connection was cut")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE", 0.0)


async def test_it_is_fetched_whole_and_told_of(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    storage, out = Storage(None), tmp_path / "out.mp4"

    def progress(done: int, total: int | None) -> None:
        told.append((done, total))
        assert not out.exists(), "until it is whole it is beside its place"
        assert (tmp_path / "out.mp4.part").exists()

    assert await Download(storage.address, storage.stream, out, progress).run() == len(FILM)
    assert out.read_bytes() == FILM
    assert told[-1] == (len(FILM), len(FILM))
    assert [one.name for one in tmp_path.iterdir()] == ["out.mp4"]


async def test_where_it_was_cut_it_goes_on_with_a_fresh_address(tmp_path: Path) -> None:
    storage, out = Storage(3000, 2000, None), tmp_path / "out.mp4"
    await Download(storage.address, storage.stream, out).run()
    assert out.read_bytes() == FILM
    assert len(storage.addresses) == 3
    assert storage.asked == [
        {},
        {"Range": "bytes=3000-", "If-Range": '"a"'},
        {"Range": "bytes=5000-", "If-Range": '"a"'},
    ]


async def test_another_file_under_the_address_is_fetched_from_its_beginning(tmp_path: Path) -> None:
    storage, out = Storage(3000, None), tmp_path / "out.mp4"

    def progress(done: int, total: int | None) -> None:
        if done == 3000:
            storage.etag, storage.content = '"b"', FILM[::-1]

    await Download(storage.address, storage.stream, out, progress).run()
    assert out.read_bytes() == FILM[::-1]


@pytest.mark.parametrize("storage", [Storage(3000, None, ranges=False), Storage(3000, None, etag=None)])
async def test_a_storage_without_ranges_or_marks_sends_it_anew(tmp_path: Path, storage: Storage) -> None:
    out = tmp_path / "out.mp4"
    await Download(storage.address, storage.stream, out).run()
    assert out.read_bytes() == FILM


async def test_an_answer_that_ends_too_early_counts_as_cut(tmp_path: Path) -> None:
    class Short(Storage):
        async def _pieces(self, body: bytes, cut: int | None) -> AsyncIterator[bytes]:
            yield body[:cut]

    storage, out = Short(100, None), tmp_path / "out.mp4"
    await Download(storage.address, storage.stream, out).run()
    assert out.read_bytes() == FILM


@pytest.mark.parametrize("cuts", [[0], [1000] * 9])
async def test_a_line_that_is_down_or_cut_too_often_is_a_fault_and_leaves_nothing(
    tmp_path: Path, cuts: list[int]
) -> None:
    storage = Storage(*cuts)
    with pytest.raises(RingError, match="NET-UNREACHABLE"):
        await Download(storage.address, storage.stream, tmp_path / "out.mp4").run()
    assert list(tmp_path.iterdir()) == []
    assert len(storage.asked) <= download.MOST_CUTS + 1


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (403, {}),
        (302, {}),
        (206, {}),
        (206, {"content-range": "bytes 7-8/9"}),
        (206, {"content-range": f"bytes {'7' * 5000}-8/9"}),
        (206, {"content-range": "bytes \u0661-8/9"}),
    ],
)
async def test_anything_but_the_file_is_no_recording(tmp_path: Path, status: int, fields: dict[str, str]) -> None:
    @asynccontextmanager
    async def stream(url: Secret, headers: dict[str, str]) -> AsyncIterator[Streamed]:
        async def nothing() -> AsyncIterator[bytes]:
            yield b"<html>"

        yield Streamed(status, Headers(fields), nothing())

    out = tmp_path / "out.mp4"
    out.write_bytes(b"the former one")
    with pytest.raises(RingError, match="CAM-RECORDING"):
        await Download(Storage().address, stream, out).run()
    assert out.read_bytes() == b"the former one"


async def test_a_folder_that_is_not_there_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    storage = Storage(None)
    with pytest.raises(RingError, match="FILE-WRITE"):
        await Download(storage.address, storage.stream, tmp_path / "no" / "out.mp4").run()
    assert storage.addresses == []
