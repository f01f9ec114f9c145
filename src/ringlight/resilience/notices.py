"""Notices for people: what stopped working, since when, for whom; one per episode. Pure."""

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

from ringlight.resilience.classify import Crowd
from ringlight.resilience.events import Notice

__all__ = ["Notices", "Topic"]

_CONFIRM_WITHIN = 30.0  # seconds in which a second sign makes an episode
_RARELY = 60.0  # seconds between two notices of a beginning about the same thing
_MOST = 2000  # subjects that are kept; the oldest goes


class Topic(Enum):
    """What a notice can be about, and how many signs make it one."""

    UNREACHABLE = "unreachable", 2  # a part of Ring cannot be reached
    OFFLINE = "offline", 1  # no part of Ring can: it is our own network
    SERVICE = "service", 1  # a breaker has opened
    RATE = "rate", 1  # a long pause was asked for
    GATE = "gate", 1  # the gate for many processes cannot be reached
    DEVICE = "device", 1  # a device has no connection
    CONSENT = "consent", 1  # a person has not allowed it
    LINK = "link", 1  # a link is lost
    REMOVED = "removed", 1  # a device that was known is gone

    def __init__(self, text: str, signs: int) -> None:
        self.text = text
        self.signs = signs


@dataclass(slots=True)
class _Episode:
    number: int
    code: str
    since: float
    seen: float
    signs: int = 0
    told: bool = False


@dataclass(slots=True)
class _Subject:
    episode: _Episode | None = None
    last: float = float("-inf")  # when the last beginning was told
    suppressed: int = 0


class Notices:
    """Turns signs of trouble and of health into notices.

    An episode begins when its signs are confirmed and ends with the first success. A thing that comes and goes is told
    of once a minute at most; the episodes in between are counted.

    Args:
        parts: The parts of Ring which, all unreachable at once, mean that our own network is.
    """

    def __init__(self, parts: frozenset[str] = frozenset({"api", "oauth", "media"})) -> None:
        self._parts = parts
        self._subjects: OrderedDict[tuple[Topic, str], _Subject] = OrderedDict()
        self._unreachable: set[str] = set()
        self._crowd = Crowd()
        self._crowded: set[str] = set()  # devices that stand behind the one notice about the service
        self._episodes = 0

    def __len__(self) -> int:
        return len(self._subjects)

    def trouble(self, topic: Topic, subject: str, code: str, now: float) -> list[Notice]:
        """Take a sign of trouble; return the notices to be given, mostly none.

        Args:
            topic: What it is about.
            subject: Which service, device or account.
            code: The fault.
            now: Monotonic seconds.
        """
        if topic is Topic.DEVICE and self._crowd.add(subject, now):
            # So many devices at once are the service, and one notice for all.
            self._crowded.add(subject)
            return self._begin(Topic.SERVICE, "devices", code, now)
        if topic is not Topic.UNREACHABLE:
            return self._begin(topic, subject, code, now)
        told = self._begin(topic, subject, code, now)
        if self._confirmed(topic, subject):
            self._unreachable.add(subject)
        return self._begin(Topic.OFFLINE, "network", code, now) if self._unreachable >= self._parts else told

    def well(self, topic: Topic, subject: str, now: float) -> list[Notice]:
        """Take a sign that it works again; return the notices to be given, mostly none."""
        told = self._end(topic, subject, now)
        if topic is Topic.DEVICE:
            self._crowd.remove(subject)
            if subject in self._crowded:
                self._crowded.discard(subject)
                told += self._end(Topic.SERVICE, "devices", now)
        elif topic is Topic.UNREACHABLE and subject in self._unreachable:
            self._unreachable.discard(subject)
            told = self._end(Topic.OFFLINE, "network", now) + told
        return told

    def _confirmed(self, topic: Topic, subject: str) -> bool:
        found = self._subjects.get((topic, subject))
        return found is not None and found.episode is not None and found.episode.signs >= topic.signs

    def _begin(self, topic: Topic, subject: str, code: str, now: float) -> list[Notice]:
        kept = self._subjects.setdefault((topic, subject), _Subject())
        self._subjects.move_to_end((topic, subject))
        if len(self._subjects) > _MOST:
            self._subjects.popitem(last=False)
        episode = kept.episode
        if episode is None or (episode.signs < topic.signs and now - episode.seen > _CONFIRM_WITHIN):
            self._episodes += 1
            episode = kept.episode = _Episode(self._episodes, code, now, now)
        episode.signs += 1
        episode.seen = now
        if episode.told or episode.signs < topic.signs or now - kept.last < _RARELY:
            return []
        episode.told = True
        kept.last = now
        suppressed, kept.suppressed = kept.suppressed, 0
        return [self._notice(topic, subject, episode, now, suppressed, over=False)]

    def _end(self, topic: Topic, subject: str, now: float) -> list[Notice]:
        kept = self._subjects.get((topic, subject))
        if kept is None or kept.episode is None:
            return []
        episode, kept.episode = kept.episode, None
        if episode.told:
            return [self._notice(topic, subject, episode, now, 0, over=True)]
        if episode.signs >= topic.signs:
            kept.suppressed += 1
        return []

    @staticmethod
    def _notice(topic: Topic, subject: str, episode: _Episode, now: float, suppressed: int, *, over: bool) -> Notice:
        return Notice(now, episode.number, topic.text, subject, episode.code, over, episode.since, suppressed)
