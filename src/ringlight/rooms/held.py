"""What is not sent yet: answers to something that is being written to the disk, and what comes after them. Pure."""

from collections import deque

from ringlight.rooms.events import Close, Send

__all__ = ["Held"]


class Held:
    """Keeps what goes to each socket in its order, while some of it waits.

    Attributes:
        queues: What waits, by socket, each with the number that it waits for.
    """

    def __init__(self) -> None:
        self.queues: dict[int, deque[tuple[int, Send | Close]]] = {}

    def hold(self, action: Send | Close, number: int | None) -> None:
        """Keep an action until `number` is written; `None` waits for what this socket waits for already."""
        queue = self.queues.setdefault(action.socket, deque())
        before = queue[-1][0] if queue else 0
        queue.append((before if number is None else max(before, number), action))

    def released(self, number: int) -> list[Send | Close]:
        """Return what need not wait any more, once this number is written and all before it."""
        free: list[Send | Close] = []
        for socket, queue in list(self.queues.items()):
            while queue and queue[0][0] <= number:
                free.append(queue.popleft()[1])
            if not queue:
                del self.queues[socket]
        return free
