"""Runs the doctor in a network namespace of its own, behind one rule of iptables. Started by a test."""

import asyncio
import json
import subprocess
import sys

from ringlight.doctor.checkup import examine
from ringlight.settings import load_settings
from ringlight.testing import simulator


async def main(rule: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    async with simulator() as ring:
        port = ring.url.rpartition(":")[2]
        subprocess.run(["iptables", "-w", *rule.format(port=port).split()], check=True, stdout=subprocess.DEVNULL)
        report = await examine(load_settings(ring_url=ring.url, server={"port": 0}), ("network",), budget=60.0)
    sys.stdout.write(json.dumps(report.as_dict()))


asyncio.run(main(sys.argv[1]))
