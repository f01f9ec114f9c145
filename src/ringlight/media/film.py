"""Pictures and sound into MP4 files, without decoding the pictures. Runs in the recorder's thread.

One file has one description of its pictures. Where a camera changes it (another resolution after a renewal, say),
most players show garbage or stop, so another file begins: `door.mp4`, `door-2.mp4`.
"""

import contextlib
import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet as AvPacket
from av.video.stream import VideoStream

from ringlight.media import sound
from ringlight.media.fragments import FragmentFile
from ringlight.media.h264 import PPS, SPS, AccessUnit
from ringlight.media.sdp import Codec
from ringlight.media.sound import OpusTrack, Piece, SampleTrack, SoundTrack
from ringlight.media.space import Space
from ringlight.media.timing import PICTURE_CLOCK

# No index at the end: it would grow in memory, and `--faststart` makes a better one.
_FLAGS = "frag_keyframe+empty_moov+default_base_moof+skip_trailer"
FRAGMENT = 1_000_000  # microseconds at most in one fragment, where key frames are rarer: what kill -9 may cost
SILENT_AFTER = 0.5  # seconds that sound may stay behind the picture before silence is put in its place


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame, and when it is shown, in units of `PICTURE_CLOCK`; it stays until the next one."""

    unit: AccessUnit
    at: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A packet of sound and when it is heard, in seconds."""

    payload: bytes
    at: float


class Film:
    """All files of one recording.

    Args:
        path: The first file.
        codec: The sound's; `None` leaves sound out.
        space: What may be used.

    Attributes:
        files: What was begun, in order.
        end: How much video there is, in units of `PICTURE_CLOCK`.
        unreadable: Frames that ffmpeg could make nothing of.
    """

    def __init__(self, path: Path, codec: Codec | None, space: Space) -> None:
        self.files: list[FragmentFile] = []
        self.end = 0
        self.unreadable = 0
        self._path, self._codec, self._space = path, codec, space
        self._part: Part[FragmentFile] | None = None
        self._sets: tuple[bytes, ...] = ()
        self._broken = False

    @property
    def size(self) -> int:
        """Bytes in all files."""
        return sum(file.size for file in self.files)

    def write(self, item: Picture | Heard) -> None:
        """Put something into the file, and on the disk what is whole.

        Raises:
            OSError: It cannot be written.
            MediaError: FILE-FULL, where the reserve of the disk is reached.
        """
        try:
            if isinstance(item, Picture):
                self._show(item)
            elif self._part is not None:
                self._part.hear(item)
        except av.FFmpegError:
            # Never the disk, that is not ffmpeg's here: bytes that are no video.
            self.unreadable += 1
            self._broken = True
        if self._part is not None and self._part.file.keep():
            self._space.check()

    def close(self, until: int | None = None) -> None:
        """Finish the last file.

        Args:
            until: How long the last picture stays: more followed it that were lost. `None` is as long as the
                one before.

        Raises:
            OSError: Its end could not be written; what is there is whole.
        """
        part, self._part = self._part, None
        if part is None:
            return
        try:
            self.end = part.close(until)
        except av.FFmpegError:  # nothing in it could be read
            self.unreadable += 1
        finally:
            part.file.close()

    def _show(self, picture: Picture) -> None:
        if picture.unit.key_frame:
            self._broken = False
            sets = tuple(unit for unit in picture.unit.units if unit[0] & 0x1F in (SPS, PPS))
            if self._part is None or (sets and sets != self._sets):
                self._begin(picture, sets)
        if self._part is not None and not self._broken:
            self._part.show(picture)
            self.end = picture.at

    def _begin(self, picture: Picture, sets: tuple[bytes, ...]) -> None:
        self.close(picture.at)
        number = len(self.files) + 1
        path = self._path if number == 1 else self._path.with_stem(f"{self._path.stem}-{number}")
        self._part = Part(FragmentFile(path), picture, self._codec)
        self.files.append(self._part.file)
        self._sets = sets


class Output(Protocol):
    """Takes what the muxer writes."""

    def write(self, data: bytes) -> int:
        """Take bytes; never fails."""


Kept = TypeVar("Kept", bound=Output)


class Part(Generic[Kept]):
    """One stretch of film, like its first key frame, for as long as that describes the pictures.

    Args:
        file: Where it goes.
        first: The key frame that it begins with; it still has to be shown.
        codec: The sound's; `None` leaves sound out.
        fragment: Microseconds at most in one fragment.

    Raises:
        av.FFmpegError: The key frame is none.
    """

    def __init__(self, file: Kept, first: Picture, codec: Codec | None, *, fragment: int = FRAGMENT) -> None:
        self.file = file
        self._start = first.at
        self._template: InputContainer = av.open(io.BytesIO(first.unit.annex_b), "r", format="h264")
        self._container: OutputContainer = av.open(
            self.file, "w", format="mp4", options={"movflags": _FLAGS, "frag_duration": str(fragment)}
        )
        self._video: VideoStream = self._container.add_stream_from_template(self._template.streams.video[0])
        self._video.time_base = Fraction(1, PICTURE_CLOCK)
        self._sound: AudioStream | None = None
        self._track: SoundTrack | None = None
        self._held: Picture | None = None  # until the next one tells how long it stays
        self._duration = PICTURE_CLOCK // 15
        if codec is not None:
            self._add_sound(codec)

    def _add_sound(self, codec: Codec) -> None:
        # For Opus the encoder only writes the header that players want (RFC 7845 section 5.1).
        transcoded = codec.name.upper() in sound.TRANSCODED
        stream = self._container.add_stream("libopus", rate=sound.CLOCK, layout="mono" if transcoded else "stereo")
        stream.time_base = Fraction(1, sound.CLOCK)
        stream.codec_context.time_base = Fraction(1, sound.CLOCK)
        self._container.start_encoding()
        self._sound = stream
        self._track = SampleTrack(codec.name.upper(), stream) if transcoded else OpusTrack()

    def show(self, picture: Picture) -> None:
        """Show a picture until the next one."""
        at = picture.at - self._start
        if self._track is not None:
            # The muxer waits for both; silence keeps it going.
            for piece in self._track.fill(at / PICTURE_CLOCK - SILENT_AFTER):
                self._mux(piece)
        held, self._held = self._held, picture
        if held is not None:
            self._duration = picture.at - held.at
            self._show_until(held, picture.at)

    def _show_until(self, picture: Picture, end: int) -> None:
        packet = AvPacket(picture.unit.annex_b)
        packet.stream = self._video
        packet.time_base = Fraction(1, PICTURE_CLOCK)
        packet.pts = packet.dts = picture.at - self._start
        packet.duration = end - picture.at
        packet.is_keyframe = picture.unit.key_frame
        self._container.mux(packet)

    def hear(self, heard: Heard) -> None:
        """Put in a packet of sound."""
        if self._track is not None:
            for piece in self._track.put(heard.payload, heard.at - self._start / PICTURE_CLOCK):
                self._mux(piece)

    def _mux(self, piece: Piece) -> None:
        packet = AvPacket(piece.payload)
        assert self._sound is not None  # noqa: S101 - who has pieces has the stream
        packet.stream = self._sound
        packet.time_base = Fraction(1, sound.CLOCK)
        packet.pts = packet.dts = piece.at
        packet.duration = piece.duration
        packet.is_keyframe = True
        self._container.mux(packet)

    def close(self, until: int | None) -> int:
        """Finish it; return when its last picture ends. What it was written to stays open."""
        end = self._start
        with contextlib.ExitStack() as stack:
            stack.callback(self._template.close)
            stack.callback(self._container.close)
            if self._held is not None:
                end = max(until or 0, self._held.at + (self._duration if until is None else 1))
                self._show_until(self._held, end)
        return end


def index(path: Path, space: Space) -> str | None:
    """Rewrite a finished file so that its index comes first; return why it could not be, `None` if it was.

    The file is replaced in one go by the new one; until then, and where it fails, it stays as it is.
    """
    target = path.resolve()
    if not target.is_file():
        return "it is no regular file"
    beside = target.with_name(f".{target.name}.index.part")
    try:
        size = target.stat().st_size
        if space.left() < size:
            return f"there is no room for a second copy of {size / 1e6:.0f} MB"
        _copy(target, beside)
        beside.replace(target)
    except OSError as error:  # ffmpeg's errors of the disk are of this class too
        return error.strerror or str(error)
    except av.FFmpegError as error:
        return f"ffmpeg: {error.strerror}"
    finally:
        beside.unlink(missing_ok=True)
    return None


def _copy(source: Path, target: Path) -> None:
    with (
        av.open(str(source)) as old,
        av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as new,
    ):
        streams = {
            stream.index: new.add_stream_from_template(stream) for stream in (*old.streams.video, *old.streams.audio)
        }
        for packet in old.demux(*old.streams.video, *old.streams.audio):
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)


def measure(path: Path) -> float:
    """Return how many seconds of video are in a file that nobody finished; 0 where it cannot be read."""
    try:
        with av.open(str(path)) as file:
            ends = [
                (packet.pts + (packet.duration or 0)) * packet.time_base
                for packet in file.demux(video=0)
                if packet.pts is not None
            ]
    except (av.FFmpegError, OSError, IndexError):
        return 0.0
    return float(max(ends, default=0.0))
