"""One of the processes that share a gate: makes calls as fast as it may until a time, then prints what happened.

Usage: python gate_process.py SOCKET. It says that it is ready, and is told until when on its standard input, in
monotonic seconds, which all processes of a machine share.
"""

import json
import random
import sys
import time

from ringlight.errors import RingError
from ringlight.http.calling import Caller
from ringlight.http.flow import Request, Response
from ringlight.http.shared_gate import SharedGate
from ringlight.partner.call import Call
from ringlight.resilience.actions import Failed, NoPlace, Place
from ringlight.resilience.events import Event, GateDivided, GateShared, Notice
from ringlight.resilience.operation import Lane, Operation
from ringlight.resilience.shared import Shared
from ringlight.secrets import Secret
from ringlight.settings import ResilienceSettings

SETTINGS = ResilienceSettings()
CALL = Call(Operation("devices.list"), Request("GET", "http://127.0.0.1/"), Response.json, bearer=False)


class Memory:
    def attempt(self, request: Request) -> Response | Failed:
        return Response(200, {}, b"{}")


class Watched(SharedGate):
    """Notes between which moments each turn was given."""

    def __init__(self, url: Secret) -> None:
        super().__init__(url, "client", SETTINGS)
        self.given: list[tuple[float, float, int]] = []

    def reserve(self, lane: Lane, within: float, place: int | None = None) -> Place | NoPlace:
        asked = time.monotonic()
        said = super().reserve(lane, within, place)
        answered = time.monotonic()
        if isinstance(said, Place) and not said.wait:
            self.given.append((asked, answered, said.alone))
        return said


def main() -> None:
    heard: list[list[object]] = []
    failed = 0

    def hear(event: Event) -> None:
        if isinstance(event, GateDivided | GateShared):
            heard.append([type(event).__name__, event.at])
        elif isinstance(event, Notice):
            heard.append([event.code, event.over])

    gate = Watched(Secret(f"unix://{sys.argv[1]}"))
    with gate:
        client = Caller(Memory(), Shared(SETTINGS, random.random), gate=gate)
        client.bus.listen(hear)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        until = float(input())
        while time.monotonic() < until:
            try:
                client.call(CALL)
            except RingError:
                failed += 1
    sys.stdout.write(json.dumps({"given": gate.given, "heard": heard, "failed": failed}))


if __name__ == "__main__":
    main()
