"""What systemd is told of a service of the type `notify` (sd_notify(3)); nothing where it does not ask."""

import contextlib
import os
import socket

__all__ = ["notify"]


def notify(state: str) -> None:
    """Tell systemd something, such as `READY=1`.

    What cannot be told stops no program: systemd waits for it in vain then, and says so.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return
    name = f"\0{address[1:]}" if address.startswith("@") else address  # @: a name without a file
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.sendto(state.encode(), name)
