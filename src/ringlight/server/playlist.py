"""HLS as data: fragments gathered into segments, and the window of them that a playlist lists. Pure (RFC 8216)."""

import math
from collections import deque
from dataclasses import dataclass, field

from ringlight.media.reel import Fragment

LONGEST = 4.0  # seconds of a segment where key frames are rarer; players wait for about as long between two looks
ROUNDED = 0.49  # seconds that a segment may last beyond the longest that is announced (section 4.3.3.1)
ALONE = 12  # fragments of sound in a row that are kept without a picture; a camera that shows none goes on for hours
KEPT = 3  # segments kept behind the window: a slow player still asks for them (section 6.2.2)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment.

    Attributes:
        number: Counted from 0, over all descriptions.
        description: The number of the description before it, from 1.
        seconds: How long its pictures are.
        data: The bytes.
    """

    number: int
    description: int
    seconds: float
    data: bytes = field(repr=False)


class Window:
    """The newest segments of a view that runs.

    Args:
        name: Before the names of all files; another one for each time that the view is shown.
        shortest: Seconds of a segment at least; it ends at the next key frame.
        length: How many segments are listed.

    Attributes:
        segments: Those that can be had, oldest first.
    """

    def __init__(self, name: str, shortest: float, length: int) -> None:
        self._name, self._shortest, self._length = name, shortest, length
        self._target = math.ceil(max(LONGEST, 2 * shortest))
        self.segments: deque[Segment] = deque(maxlen=length + KEPT)
        self._descriptions: dict[int, bytes] = {}
        self._pieces: list[bytes] = []
        self._began = self._newest = self._step = 0.0
        self._number = self._alone = 0
        self._described = 0
        self._ended = False

    def describe(self, data: bytes) -> None:
        """Take the description of what follows."""
        self._cut(self._newest + self._step)
        self._described += 1
        self._descriptions[self._described] = data
        self._began = self._newest = 0.0

    def add(self, fragment: Fragment) -> bool:
        """Take a fragment; return whether a segment has become whole by it."""
        cut = False
        if fragment.at is None:
            self._alone += 1
            if self._alone > ALONE:
                return False
        else:
            self._alone, long = 0, fragment.at - self._began
            # Without a key frame it ends where one fragment more would make it too long.
            too_long = long + self._step > self._target + ROUNDED
            if self._pieces and (long >= self._shortest if fragment.key_frame else too_long):
                cut = self._cut(fragment.at)
                self._began = fragment.at
            self._step, self._newest = fragment.at - self._newest, fragment.at
        self._pieces.append(fragment.data)
        return cut

    def end(self) -> None:
        """List what is left; nothing more comes."""
        self._cut(self._newest + self._step)
        self._ended = True

    def write(self) -> str:
        """Write the playlist."""
        listed = list(self.segments)[-self._length :]
        first = listed[0] if listed else None
        # Changes of description that have left the list (section 6.2.2); the first one listed is none itself.
        gone = (first.description if first else 1) - 1
        lines = [
            "#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{self._target}",
            f"#EXT-X-MEDIA-SEQUENCE:{first.number if first else self._number}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{gone}",
        ]  # fmt: skip
        described = None
        for segment in listed:
            if segment.description != described:
                if described is not None:
                    lines.append("#EXT-X-DISCONTINUITY")
                lines.append(f'#EXT-X-MAP:URI="{self._name}-{segment.description}.mp4"')
                described = segment.description
            lines += [f"#EXTINF:{segment.seconds:.5f},", f"{self._name}-{segment.number}.m4s"]
        if self._ended:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"

    def find(self, name: str) -> bytes | None:
        """Return a file by its name; `None` where there is none any more."""
        for number, data in self._descriptions.items():
            if name == f"{self._name}-{number}.mp4":
                return data
        return next((one.data for one in self.segments if name == f"{self._name}-{one.number}.m4s"), None)

    def _cut(self, until: float) -> bool:
        if not self._pieces:
            return False
        data = b"".join(self._pieces)
        seconds = min(max(until - self._began, 0.001), self._target + ROUNDED)  # shorter where a gap is in it
        self.segments.append(Segment(self._number, self._described, seconds, data))
        self._number += 1
        self._pieces.clear()
        oldest = self.segments[0].description
        self._descriptions = {number: kept for number, kept in self._descriptions.items() if number >= oldest}
        return True
