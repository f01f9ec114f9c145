"""A small internet on one machine: homes behind routers, each by a link of its own to a world with the servers.

    home A - router A === link === world === link === router B - home B

The world has the server at 10.66.0.1, where it listens on loopback, and a way in from each home by TCP.
"""

import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from networks.bad_link import BadLink

Nat = Literal["none", "full cone", "port-restricted", "symmetric"]
SERVER = "10.66.0.1"


def may_make_namespaces() -> bool:
    """Whether this process may, and whether the tools and devices are there."""
    if os.geteuid() != 0 or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return False
    name = f"rl{os.getpid()}try"
    try:
        subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    tried = subprocess.run(
        ["ip", "netns", "exec", name, "iptables", "-t", "nat", "-L"], check=False, capture_output=True
    )
    subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    return tried.returncode == 0


class Namespace:
    """One network namespace."""

    def __init__(self, name: str) -> None:
        self.name = f"rl{os.getpid()}{name}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.does("ip link set lo up")
        self.does("sysctl -qw net.ipv4.ip_forward=1")

    def does(self, command: str, *, env: dict[str, str] | None = None, said: str | None = None) -> None:
        """Run a command in it; `said` is what it reads."""
        subprocess.run(
            ["ip", "netns", "exec", self.name, *command.split()], check=True, stdout=subprocess.DEVNULL, env=env,
            input=said, text=True,
        )  # fmt: skip

    def starts(self, *command: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a program in it."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=env,
        )  # fmt: skip

    def wraps(self, program: str, folder: Path) -> str:
        """Return a script that runs a program in it, for those who start it by its path."""
        script = folder / f"{self.name}-{Path(program).name}"
        script.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {program} "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return str(script)

    def close(self) -> None:
        """Take it away."""
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)


@dataclass
class Home:
    """Somebody at home: their machine, their router, and the link from there."""

    machine: Namespace
    router: Namespace
    link: BadLink
    number: int

    def blocks_udp(self) -> None:
        """From now on no UDP goes through the router, either way."""
        self.router.does("iptables -w -I FORWARD -p udp -j DROP")

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Let nothing through meanwhile."""
        self.link.is_up = False
        yield
        self.link.is_up = True


class World:
    """All of it. Use it with `with`."""

    def __init__(self, *nats: Nat) -> None:
        self._stack = contextlib.ExitStack()
        self.inside = Namespace("w")
        self._stack.callback(self.inside.close)
        self.inside.does(f"ip addr add {SERVER}/32 dev lo")
        for command in _ELSEWHERE:
            self.inside.does(command)
        try:
            self.homes = [self._home(number + 1, nat) for number, nat in enumerate(nats)]
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _home(self, number: int, nat: Nat) -> Home:
        machine, router = Namespace(f"h{number}"), Namespace(f"r{number}")
        self._stack.callback(machine.close)
        self._stack.callback(router.close)
        link = BadLink((router.name, "wan"), (self.inside.name, f"wan{number}"), seed=number)
        self._stack.callback(link.close)
        machine.does(f"ip link add lan type veth peer name lan netns {router.name}")
        lan, wan = f"192.168.{number}", f"10.66.{number}"
        for command in (f"ip addr add {lan}.2/24 dev lan", "ip link set lan up", f"ip route add default via {lan}.1"):
            machine.does(command)
        for command in (f"ip addr add {lan}.1/24 dev lan", "ip link set lan up",
                        f"ip addr add {wan}.2 peer {wan}.1 dev wan", "ip link set wan up",
                        "ip route add default dev wan"):  # fmt: skip
            router.does(command)
        for command in (f"ip addr add {wan}.1 peer {wan}.2 dev wan{number}", f"ip link set wan{number} up"):
            self.inside.does(command)
        for command in _RULES[nat]:
            router.does(command.format(lan=lan))
        if nat == "none":
            self.inside.does(f"ip route add {lan}.0/24 via {wan}.2")
        return Home(machine, router, link, number)

    def opens_door(self, home: Home, port: int) -> str:
        """Let a home reach a port of the server's loopback address; return where, as pages of that home write it.

        Whatever is said goes by TCP over the home's link. A page there is then of a loopback origin, as a browser
        wants it for camera and microphone, and the server sees somebody of its own machine.
        """
        far = self._forward(self.inside, SERVER, 0, "127.0.0.1", port)
        near = self._forward(home.machine, "127.0.0.1", port, SERVER, far)
        return f"http://127.0.0.1:{near}/"

    def _forward(self, place: Namespace, host: str, port: int, to_host: str, to_port: int) -> int:
        script = str(Path(__file__).with_name("forward.py"))
        process = place.starts(sys.executable, script, host, str(port), to_host, str(to_port))
        self._stack.callback(ended, process)
        assert process.stdout is not None
        return int(process.stdout.readline())


def ended(process: "subprocess.Popen[str]") -> None:
    """End a program that was started here."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    if process.poll() is None:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


# The rest of the internet takes packets for any address and says nothing. Without it the kernel would refuse those for
# the private addresses of the homes, and coturn 4.6 ends a session of which one packet was refused.
_ELSEWHERE = ("ip link add void type veth peer name nobody", "ip link set void arp off", "ip link set nobody up",
              "ip link set void up", "ip route add default dev void")  # fmt: skip
_NAT = "iptables -w -t nat -A POSTROUTING -o wan -s {lan}.0/24 -j MASQUERADE"
# As routers do: what nobody has asked for is dropped, not refused. A packet that was refused leaves an entry behind,
# for which the next one from inside would get another port: then two of these routers could never find to each other.
_SHUT = "iptables -w -A INPUT -i wan -p udp -j DROP"
_ASKED_FOR = ("iptables -w -A FORWARD -i wan -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
              "iptables -w -A FORWARD -i wan -j DROP")  # fmt: skip
_RULES: dict[Nat, tuple[str, ...]] = {
    "none": (),
    # The port of the inside, for everybody; and whoever writes to it gets through.
    "full cone": (_NAT, "iptables -w -t nat -A PREROUTING -i wan -p udp -j DNAT --to-destination {lan}.2"),
    # The port of the inside too, and only who was written to gets through.
    "port-restricted": (_NAT, _SHUT, *_ASKED_FOR),
    # Another port for each destination.
    "symmetric": (f"{_NAT} --random-fully", _SHUT, *_ASKED_FOR),
}  # fmt: skip
