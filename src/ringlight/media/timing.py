"""When each picture is shown and each sound is heard in a file, whatever the camera's clocks do. Pure.

A camera stamps pictures and sound with two clocks that begin anywhere, and begin anew with each session.
What ties them together is when packets arrive: the least delayed ones of some seconds tell where one clock
stands beside the other.
"""

from dataclasses import dataclass, field

from ringlight.media.rtp import TIMESTAMPS, distance

PICTURE_CLOCK = 90_000  # Hz
LONGEST_STEP = 10.0  # seconds between two stamps; beyond, it is another clock
WINDOW = 5.0  # seconds over which arrivals are compared
TOLERANCE = 0.03  # seconds that picture and sound may differ; people notice from 0.045 on (ITU-R BT.1359)


@dataclass(slots=True)
class Track:
    """The time of one track, in units of its clock.

    Attributes:
        clock: In Hz.
        step: From one stamp to the next, as it was last; the first is a guess.
        at: Where the newest stands; `None` before the first.
    """

    clock: int
    step: int
    at: int | None = None
    _stamp: int = 0
    _ssrc: int = 0
    _arrived: float = 0.0

    def runs_on(self, timestamp: int, ssrc: int) -> bool:
        """Whether a stamp is of the clock that runs: of the same session, and soon after the last."""
        step = distance(timestamp, self._stamp, TIMESTAMPS)
        return self.at is not None and ssrc == self._ssrc and 0 < step < LONGEST_STEP * self.clock

    def move(self, timestamp: int, ssrc: int, now: float, start: int = 0) -> int:
        """Go on to the next stamp, seen at `now` seconds; return where it stands.

        Another clock goes on after the time that has really passed, at least one step. The first one
        stands at `start`.
        """
        if self.at is None:
            self.at = start
        elif self.runs_on(timestamp, ssrc):
            self.step = distance(timestamp, self._stamp, TIMESTAMPS)
            self.at += self.step
        else:
            self.at += max(self.step, round((now - self._arrived) * self.clock))
        self._stamp, self._ssrc, self._arrived = timestamp, ssrc, now
        return self.at

    @property
    def delay(self) -> float:
        """Seconds from where the newest stands to when it arrived."""
        return self._arrived - (self.at or 0) / self.clock


@dataclass(slots=True)
class Timing:
    """Picture and sound side by side. The picture's time leads; the sound is put where it belongs.

    Attributes:
        sound_clock: In Hz, the clock of the sound's stamps.
    """

    sound_clock: int = 48_000
    picture: Track = field(default_factory=lambda: Track(PICTURE_CLOCK, PICTURE_CLOCK // 15))
    _sound: Track = field(init=False)
    _delays: dict[str, float] = field(default_factory=dict)
    _compared: float | None = None

    def __post_init__(self) -> None:
        self._sound = Track(self.sound_clock, self.sound_clock // 50)

    def see(self, timestamp: int, ssrc: int, now: float) -> int:
        """Take a picture; return when it is shown, in units of `PICTURE_CLOCK`."""
        if not self.picture.runs_on(timestamp, ssrc):
            self._delays.clear()
        at = self.picture.move(timestamp, ssrc, now)
        self._note("picture", self.picture.delay)
        return at

    def hear(self, timestamp: int, ssrc: int, now: float) -> float | None:
        """Take a packet of sound; return when it is heard, in seconds; `None` before the first picture."""
        if self.picture.at is None:
            return None
        if not self._sound.runs_on(timestamp, ssrc):
            # Another clock: it is heard when it comes, beside the picture of that moment.
            self._delays.pop("sound", None)
            beside = now - self._delays.get("picture", self.picture.delay)
            self._sound.at = None
            self._sound.move(timestamp, ssrc, now, round(beside * self.sound_clock))
        else:
            self._sound.move(timestamp, ssrc, now)
        self._note("sound", self._sound.delay)
        self._compare(now)
        assert self._sound.at is not None  # noqa: S101 - it has moved
        return self._sound.at / self.sound_clock

    def _note(self, name: str, delay: float) -> None:
        self._delays[name] = min(delay, self._delays.get(name, delay))

    def _compare(self, now: float) -> None:
        """Move the sound where its clock and the picture's have come apart."""
        if self._compared is None:
            self._compared = now
        if now - self._compared < WINDOW:
            return
        self._compared = now
        apart = self._delays.get("sound", 0.0) - self._delays.get("picture", 0.0)
        if len(self._delays) == 2 and abs(apart) > TOLERANCE and self._sound.at is not None:
            self._sound.at += round(apart * self.sound_clock)
        # Each window has its own least delays; the newest begin it.
        self._delays = {"picture": self.picture.delay, "sound": self._sound.delay}
