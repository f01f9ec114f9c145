"""How many players may watch at once, whichever way they come."""

import contextlib
from collections.abc import Iterator

from ringlight.errors import fault_error


class Places:
    """The places of players; each is taken for as long as somebody watches from it.

    Attributes:
        most: How many there are.
        taken: How many are taken.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    @contextlib.contextmanager
    def take(self) -> Iterator[None]:
        """Take one, until this is left.

        Raises:
            MediaError: VIEWER-MANY.
        """
        if self.taken >= self.most:
            raise fault_error("VIEWER-MANY", f"{self.most} watch already")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
