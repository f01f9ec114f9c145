"""What is written down where there are several servers: each note once, by the one that wrote its entry. Pure.

Should that one die, its notes are asked for by all others: of all who write one down, one does.
"""

from collections import deque
from collections.abc import Collection

from msgspec.structs import replace

from ringlight.rooms.events import Action, Late, Note
from ringlight.rooms.ledger import Entry
from ringlight.rooms.room import TIME_IS_OVER

__all__ = ["SharedNotes"]

WRITTEN_WITHIN = 120  # looks in which a node has written down what it did, or is known to be gone
OLDEST_NOTE = 3600.0  # seconds after which nobody asks any more whether something was written down
MOST_NOTES = 20_000  # of other nodes that are kept for that; some 10 MB


class SharedNotes:
    """The notes of one node, and for a while those of the others.

    Args:
        node: Its number.
    """

    def __init__(self, node: int) -> None:
        self._node = node
        self._looks = 0
        # What other nodes did of late, with the look at which it was read: who dies may not have written it down.
        self._others: deque[tuple[int, int, Note]] = deque(maxlen=MOST_NOTES)

    @property
    def awaited(self) -> set[int]:
        """The nodes of which notes are kept."""
        return {node for node, _, _ in self._others}

    def named(self, actions: list[Action], entry: Entry) -> list[Action]:
        """Give the notes of an entry the names that they have on every node; keep back those of other nodes."""
        found: list[Action] = []
        count = 0
        for action in actions:
            if type(action) is not Note:
                found.append(action)
                continue
            note = replace(action, id=_over_id(action) or f"{entry.epoch}.{entry.number}.{count}", at=entry.at)
            count += 1
            if entry.node == self._node:
                found.append(note)
            else:
                self._others.append((entry.node, self._looks, note))
        return found

    def alone(self, actions: list[Action]) -> list[Action]:
        """Leave out what befell people of other nodes: those know better whether they are gone."""
        return [
            replace(action, id=_over_id(action)) if type(action) is Note else action
            for action in actions
            if type(action) is not Note or action.home in (0, self._node)
        ]

    def late(self, gone: Collection[int], now: float) -> list[Action]:
        """Return the notes of nodes that are gone; asked once at each look."""
        self._looks += 1
        notes = self._others
        while notes and notes[0][1] < self._looks - WRITTEN_WITHIN:
            notes.popleft()
        late = [(node, note) for node, _, note in notes if node in gone]
        if late:
            self._others = deque((one for one in notes if one[0] not in gone), maxlen=MOST_NOTES)
        return [Late(note) for _, note in late if note.at is not None and note.at >= now - OLDEST_NOTE]


def _over_id(note: Note) -> str:
    """Return the name of a note that each node may come to by itself: the end of a room whose time is over."""
    return f"{note.room}:{note.detail}" if note.what == "ended" and note.detail == TIME_IS_OVER else ""
