"""What a simulated camera hears of who talks to it: decoded and measured. A closed speaker leaves sound unheard."""

import cmath
import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import av

from ringlight.errors import RingError
from ringlight.media import rtp
from ringlight.media.sdp import Codec

RATE = 8_000  # Hz to which all sound is brought: speech, and tones up to 4 kHz
WINDOW = 4096  # samples that are measured: half a second, so a tone is known to 2 Hz
QUIET = 30.0  # of 32,768: what is softer has no tone


@dataclass(slots=True)
class Ear:
    """All that one camera was sent.

    Attributes:
        open_to: The dialogs that have its speaker open.
        heard: Seconds of sound while it was open.
        unheard: Seconds of sound that came while it was closed.
        noise: Packets that could not be decoded.
    """

    open_to: set[str] = field(default_factory=set)
    heard: float = 0.0
    unheard: float = 0.0
    noise: int = 0
    _samples: deque[int] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def take(self, samples: list[int], *, is_open: bool) -> None:
        """Hear some sound."""
        seconds = len(samples) / RATE
        if is_open:
            self.heard += seconds
            self._samples.extend(samples)
        else:
            self.unheard += seconds

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, with the loudest tone of the last half second that was heard."""
        return {
            "hz": loudest(list(self._samples)),
            "seconds": round(self.heard, 2),
            "unheard": round(self.unheard, 2),
            "noise": self.noise,
            "speaker": "open" if self.open_to else "closed",
        }


class Listening:
    """One dialog's side of it: whether its client has opened the speaker, and what it sends.

    The speaker is open after `camera_options` with `stealth_mode` false; but where a client has said
    `mic_enable` false, as the app does, its sound is heard only after `mic_enable` true.
    """

    def __init__(self, ear: Ear, dialog_id: str) -> None:
        self._ear = ear
        self._dialog_id = dialog_id
        self._stealth, self._muted = True, False
        self._decoder: av.AudioCodecContext | None = None
        self._resampler = av.AudioResampler("s16", "mono", RATE)

    def options(self, *, stealth: bool | None) -> None:
        """Take `camera_options`; `None` changes nothing."""
        self._stealth = self._stealth if stealth is None else stealth
        self._follow()

    def microphone(self, *, enabled: bool) -> None:
        """Take `mic_enable`."""
        self._muted = not enabled
        self._follow()

    def close(self) -> None:
        """End: a view that is over keeps no speaker open."""
        self._ear.open_to.discard(self._dialog_id)

    def packet(self, data: bytes, codec: Codec) -> None:
        """Hear an RTP packet of the client's."""
        try:
            packet = rtp.parse(data)
            known = packet.payload_type == codec.payload_type and packet.payload  # an empty one would end the decoder
            samples = self._decoded(packet.payload, codec) if known else None
        except (RingError, av.FFmpegError):
            samples = None
        if samples is None:
            self._ear.noise += 1
        else:
            self._ear.take(samples, is_open=self._dialog_id in self._ear.open_to)

    def _follow(self) -> None:
        if self._stealth or self._muted:
            self.close()
        else:
            self._ear.open_to.add(self._dialog_id)

    def _decoded(self, payload: bytes, codec: Codec) -> list[int]:
        if self._decoder is None:
            made = av.CodecContext.create("libopus" if codec.is_called("opus") else "pcm_mulaw", "r")
            assert isinstance(made, av.AudioCodecContext)  # noqa: S101 - tells the type checker what they are
            made.sample_rate, made.layout = codec.clock_rate, "stereo" if codec.channels == 2 else "mono"
            self._decoder = made
        samples: list[int] = []
        for frame in self._decoder.decode(av.Packet(payload)):
            for part in self._resampler.resample(frame):
                samples += memoryview(bytes(part.planes[0])[: part.samples * 2]).cast("h").tolist()
        return samples


def loudest(samples: list[int]) -> int | None:
    """Return the loudest tone in Hz, to 2 Hz; `None` where there is not yet enough sound, or silence."""
    if len(samples) < WINDOW:
        return None
    # A window that fades in and out keeps a tone in one place of the spectrum (Hann).
    faded = [value * (0.5 - 0.5 * math.cos(2 * math.pi * at / WINDOW)) for at, value in enumerate(samples[-WINDOW:])]
    spectrum = [abs(value) for value in _fourier([complex(value) for value in faded])[1 : WINDOW // 2]]
    peak = max(range(len(spectrum)), key=spectrum.__getitem__)
    if spectrum[peak] < QUIET * WINDOW / 4:
        return None
    return round((peak + 1) * RATE / WINDOW)


def _fourier(values: list[complex]) -> list[complex]:
    """The discrete Fourier transform of a power of two of values (Cooley and Tukey)."""
    size = len(values)
    if size == 1:
        return values
    even, odd = _fourier(values[::2]), _fourier(values[1::2])
    turned = [cmath.exp(-2j * math.pi * at / size) * value for at, value in enumerate(odd)]
    return [a + b for a, b in zip(even, turned, strict=True)] + [a - b for a, b in zip(even, turned, strict=True)]
