"""Sound files for tests: a tone of one pitch, as any player would play it."""

import math
import wave
from array import array
from pathlib import Path


def tone(path: Path, hz: float, seconds: float = 1.5, rate: int = 44_100) -> Path:
    """Write a WAV file, one channel of 16 bits."""
    samples = array("h", (int(9_000 * math.sin(2 * math.pi * hz * at / rate)) for at in range(int(seconds * rate))))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path
