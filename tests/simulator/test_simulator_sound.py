"""What a simulated camera lets one hear: a bell stroke each second, as Opus or as telephone sound."""

from array import array

import av

from ringlight.simulator.sound import FRAME, RATES, make_sound

PCMU_RATE = RATES["pcmu"]
PCMU_FRAME = round(PCMU_RATE * FRAME)


def _loudness(packets: tuple[bytes, ...]) -> list[int]:
    """The loudest sample of each packet of PCMU."""
    decoder = av.CodecContext.create("pcm_mulaw", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate, decoder.layout = PCMU_RATE, "mono"
    loud = []
    for packet in packets:
        (frame,) = decoder.decode(av.Packet(packet))
        assert frame.samples == PCMU_FRAME
        loud.append(max(abs(sample) for sample in array("h", bytes(frame.planes[0])[: 2 * PCMU_FRAME])))
    return loud


def test_telephone_sound_is_a_stroke_each_second_in_packets_of_20_ms() -> None:
    packets = make_sound("pcmu")
    assert len(packets) == 100, "two seconds"
    assert {len(packet) for packet in packets} == {PCMU_FRAME}, "one byte a sample"
    loud = _loudness(packets)
    assert min(loud[0], loud[50]) > 5_000
    assert max(loud[20:50]) < 100, "silence in between"


def test_both_kinds_of_sound_are_equally_long() -> None:
    assert abs(len(make_sound()) - len(make_sound("pcmu"))) <= 1
