"""A still picture of the last key frame."""

import io

import av
import pytest
from media_kit import IDR, PPS, SLICE, SPS, clip_frames

from ringlight.errors import RingError
from ringlight.media import stills
from ringlight.media.h264 import AccessUnit, Assembler
from ringlight.media.stills import to_jpeg
from ringlight.simulator.clip import HEIGHT, WIDTH


def _units(count: int) -> list[AccessUnit]:
    assembler = Assembler()
    return [unit for packets in clip_frames(count=count) for one in packets for unit in assembler.push(one)]


def test_a_key_frame_becomes_a_jpeg_of_its_size_and_shows_the_same() -> None:
    key = _units(1)[0]
    data = to_jpeg(key)
    assert data.startswith(b"\xff\xd8\xff")
    assert data.endswith(b"\xff\xd9")
    with av.open(io.BytesIO(data), "r", format="mjpeg") as file:
        (picture,) = file.decode(video=0)
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    (original, *_) = [*decoder.decode(av.Packet(key.annex_b)), *decoder.decode(None)]
    seen = (bytes(frame.reformat(format="gray").planes[0])[:: WIDTH * 8 + 16] for frame in (picture, original))
    assert all(abs(one - other) < 24 for one, other in zip(*seen, strict=True))


@pytest.mark.parametrize(
    "units",
    [
        (),
        (b"\0",),
        (SPS, PPS, IDR + b"broken"),
        tuple(unit for unit in _units(1)[0].units if unit[0] & 0x1F == 5),
        _units(1)[0].units[:2],
        (SLICE,),
        _units(2)[1].units,
        (b"\x0a",),
    ],
    ids=[
        "empty",
        "no unit",
        "garbage",
        "no parameter sets",
        "parameter sets alone",
        "slice",
        "no key frame",
        "end of sequence",
    ],
)
def test_what_cannot_be_decoded_is_media_no_key_frame(units: tuple[bytes, ...]) -> None:
    with pytest.raises(RingError) as caught:
        to_jpeg(AccessUnit(0, units))
    assert caught.value.code == "MEDIA-NO-KEY-FRAME"


def test_a_picture_that_names_more_pixels_than_any_camera_has_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    key = _units(1)[0]
    monkeypatch.setattr(stills, "MOST_PIXELS", WIDTH * HEIGHT - 1)
    with pytest.raises(RingError) as caught:
        to_jpeg(key)
    assert caught.value.code == "MEDIA-NO-KEY-FRAME"
