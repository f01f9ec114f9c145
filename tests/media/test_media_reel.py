"""A running view as fragments in memory: they play as they are, begin with a key frame, leave out what is broken."""

import random
import subprocess
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_kit import clip_frames, packet

from ringlight.media import fragments
from ringlight.media.forward import Track
from ringlight.media.reel import Fragment, Reel
from ringlight.media.rtp import Packet
from ringlight.media.sdp import Codec
from ringlight.simulator.clip import RATE
from ringlight.simulator.sound import make_sound

OPUS, PCMU = Codec(111, "opus", 48_000, 2), Codec(0, "PCMU", 8_000, 1)


class Room:
    """A camera's tracks, a reel that takes them, and what it has made."""

    def __init__(self, sound: Codec | None = None, fragment: float = 0.2) -> None:
        self.now = 50.0
        self.tracks = {"video": Track(True, 5, 90_000)}
        if sound is not None:
            self.tracks["audio"] = Track(False, 6, sound.clock_rate)
        self.descriptions: list[bytes] = []
        self.fragments: list[Fragment] = []
        self.asked = 0
        self.reel = Reel(
            self.tracks, sound, fragment, on_description=self.descriptions.append, on_fragment=self.fragments.append,
            on_broken=self._ask, clock=lambda: self.now,
        )  # fmt: skip

    def _ask(self) -> None:
        self.asked += 1

    def show(self, packets: list[Packet]) -> None:
        """One frame goes out."""
        for one in packets:
            batch = self.tracks["video"].push(one, self.now)
            if batch is not None:
                self.reel.packets("video", batch)
        self.now += 1 / RATE

    def hear(self, one: Packet) -> None:
        batch = self.tracks["audio"].push(one, self.now)
        if batch is not None:
            self.reel.packets("audio", batch)

    def checked(self, path: Path) -> tuple[list[float], list[float]]:
        """Let another ffmpeg decode everything; return when pictures are shown and sounds are heard."""
        path.write_bytes(b"".join([*self.descriptions, *(one.data for one in self.fragments)]))
        decoding = subprocess.run(
            ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (decoding.returncode, decoding.stderr) == (0, "")
        pictures, sounds = [], []
        with av.open(str(path)) as file:
            for decoded in file.decode(*file.streams.video, *file.streams.audio):
                if isinstance(decoded, av.VideoFrame):
                    pictures.append(decoded.time or 0.0)
                elif isinstance(decoded, av.AudioFrame):
                    sounds.append(decoded.time or 0.0)
        return pictures, sounds


def test_fragments_are_short_and_each_key_frame_begins_one(tmp_path: Path) -> None:
    room = Room()
    for packets in clip_frames(count=60):
        room.show(packets)
    room.reel.close()
    begins = [one.at for one in room.fragments if one.at is not None]
    assert begins[0] == 0
    assert all(0 < later - earlier <= 0.21 for earlier, later in pairwise(begins))
    assert [one.at for one in room.fragments if one.key_frame] == pytest.approx([0, 1, 2, 3])
    pictures, _ = room.checked(tmp_path / "film.mp4")
    assert len(pictures) == 60
    assert len(room.descriptions) == 1


def test_a_young_group_is_taken_as_it_was(tmp_path: Path) -> None:
    room = Room()
    frames = list(clip_frames(count=25))
    for one in (one for packets in frames[:20] for one in packets):  # six frames of the second group
        room.tracks["video"].push(one, room.now)
    room.reel.join("video")
    for packets in frames[20:]:
        room.show(packets)
    room.reel.close()
    pictures, _ = room.checked(tmp_path / "film.mp4")
    assert pictures == pytest.approx([at / RATE for at in range(10)], abs=0.001)
    assert room.asked == 1, "for the source that was new"


def test_an_old_group_is_left_out_and_the_next_asked_for(tmp_path: Path) -> None:
    """A player would stay behind by its age, or a recorder keep a second of haste."""
    room = Room()
    frames = list(clip_frames(count=45))
    for one in (one for packets in frames[:27] for one in packets):
        room.tracks["video"].push(one, room.now)
    room.reel.join("video")
    assert room.asked == 1
    for packets in frames[27:]:
        room.show(packets)
    room.reel.close()
    pictures, _ = room.checked(tmp_path / "film.mp4")
    assert pictures == pytest.approx([at / RATE for at in range(15)], abs=0.001)


def test_lost_packets_leave_groups_out_and_nothing_garbled(tmp_path: Path) -> None:
    dice, room = random.Random(3), Room()
    for number, packets in enumerate(clip_frames(count=150)):
        room.show([one for one in packets if number < 15 or dice.random() >= 0.01])
    room.reel.close()
    pictures, _ = room.checked(tmp_path / "film.mp4")
    assert 15 < len(pictures) < 150
    assert room.asked >= room.reel.lost > 0


@pytest.mark.parametrize("codec", [OPUS, PCMU], ids=["opus", "g711"])
def test_sound_comes_along_as_opus(tmp_path: Path, codec: Codec) -> None:
    room = Room(codec)
    sounds, step = make_sound("opus" if codec is OPUS else "pcmu"), codec.clock_rate // 50
    heard = 0
    for number, packets in enumerate(clip_frames(count=45)):
        room.show(packets)
        while heard * 0.02 <= number / RATE:
            room.hear(packet(heard, heard * step, sounds[heard % len(sounds)], ssrc=9, payload_type=codec.payload_type))
            heard += 1
    room.reel.close()
    pictures, sound = room.checked(tmp_path / "film.mp4")
    assert len(pictures) == 45
    assert sound[-1] == pytest.approx(3.0, abs=0.2)


def test_after_the_end_nothing_is_taken() -> None:
    room = Room()
    frames = list(clip_frames(count=20))
    for packets in frames[:10]:
        room.show(packets)
    room.reel.close()
    made = len(room.fragments)
    for packets in frames[10:]:
        room.show(packets)
    room.reel.close()
    assert len(room.fragments) == made


@given(st.binary(max_size=200))
def test_boxes_of_anything_are_walked_without_an_exception(data: bytes) -> None:
    assert all(0 <= start <= end <= len(data) for _, start, end in fragments.boxes(data))
    description, pieces = fragments.split(data)
    assert description + b"".join(pieces) == data
    assert fragments.begins_at(data) is None or b"tfdt" in data
