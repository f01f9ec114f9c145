"""How many files and sockets the program may have open at once."""

import contextlib
import sys

__all__ = ["open_many"]

MOST = 65_536  # as deploy/systemd asks for; more is of no use, and some systems say "as many as there are numbers"


def open_many() -> None:
    """Take as many as the system allows without asking, up to `MOST`.

    Most systems begin with 1,024, from times in which programs looked through all of them; 10,000 sockets of rooms need
    one each. What stands in the way is the hard limit: `LimitNOFILE` of a service, `ulimit -Hn` of a shell.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(MOST, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # macOS has a lower one than it names
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
