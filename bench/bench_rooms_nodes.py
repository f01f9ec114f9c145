"""What a second server over Redis adds to the time of a signaling message: the same load with one server and with two.

Redis is one of our own, on a socket. What matters here is the time of one message, and not how many there may be.
Usage: python bench/bench_rooms_nodes.py [--quick]
"""

import argparse
import contextlib
import os
import statistics
import sys
from collections.abc import Iterator

from bench_rooms import HERE, hear, program, tell

from media import kernel

sys.path.insert(0, str(HERE.parent / "tests"))
import verdict

from own_redis import OwnRedis

GOAL_MS = 2.0  # that two servers over Redis add to the median
SOCKETS, RATE = 100, 200


@contextlib.contextmanager
def servers(count: int, url: str | None) -> Iterator[str]:
    """Start servers; give their ports, as the crowd takes them."""
    core, _ = kernel.cores()
    os.environ.pop("RINGLIGHT_REDIS_URL", None)
    if url is not None:
        os.environ["RINGLIGHT_REDIS_URL"] = url
    ports = []
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            serving = stack.enter_context(program([sys.executable, str(HERE / "relay" / "serve.py"), "fast"], core))
            assert serving.stdout is not None
            ports.append(serving.stdout.readline().split()[1])
        yield ",".join(ports)


def measured(count: int, url: str | None, seconds: float) -> tuple[float, float, int]:
    """Return median and 99th percentile in milliseconds, and how many messages did not come."""
    _, other = kernel.cores()
    with (
        servers(count, url) as ports,
        program([sys.executable, str(HERE / "relay" / "crowd.py"), "v2", ports], other) as crowd,
    ):
        tell(crowd, {"do": "join", "sockets": SOCKETS, "at_once": 4})
        hear(crowd)
        tell(crowd, {"do": "opened", "size": 200, "rate": RATE, "seconds": seconds})
        hear(crowd)
        found = hear(crowd)
        return found["p50_ms"], found["p99_ms"], found["lost"]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="one round of two seconds")
    rounds, seconds = (1, 2.0) if arguments.parse_args().quick else (5, 5.0)
    redis = OwnRedis()
    shared = redis.url.reveal()
    ways = {"one server": (1, None), "one, over Redis": (1, shared), "two, over Redis": (2, shared)}
    medians: dict[str, list[float]] = {name: [] for name in ways}
    lost = 0
    try:
        for _ in range(rounds):
            for name, (count, url) in ways.items():
                p50, p99, missing = measured(count, url, seconds)
                medians[name].append(p50)
                lost += missing
                print(f"{name:16} | p50 {p50:6.2f} ms | p99 {p99:7.2f} ms | lost {missing}", flush=True)
    finally:
        redis.close()
    added = statistics.median(medians["two, over Redis"]) - statistics.median(medians["one server"])
    print(f"\nload of the machine now: {os.getloadavg()[0]:.1f}; above 2.5 others were at work")
    verdict.goal("two servers over Redis add to a message, p50", added, GOAL_MS, "ms")
    verdict.goal("messages lost between two servers", lost, 0)


if __name__ == "__main__":
    main()
