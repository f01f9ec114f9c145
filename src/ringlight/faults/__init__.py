"""The catalogue of faults: each way in which live video fails, with its cause and its fix.

Written once here; the exceptions, the server's problem bodies, the page, the command line and the
doctor all read these rows. What explains foreign texts is loaded when one is asked about.
"""

from typing import TYPE_CHECKING

from ringlight.faults.catalogue import AREAS, FAULTS, find
from ringlight.faults.fault import Fault, Retry, Seen
from ringlight.lazy import from_homes

if TYPE_CHECKING:
    from ringlight.faults.explaining import Explanation, Match, explain, look_up

__all__ = ["AREAS", "FAULTS", "Explanation", "Fault", "Match", "Retry", "Seen", "explain", "find", "look_up"]

_HOMES = dict.fromkeys(("Explanation", "Match", "explain", "look_up"), "ringlight.faults.explaining")

__getattr__ = from_homes(__name__, _HOMES)
