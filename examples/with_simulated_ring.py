"""Run any Ring client against the simulator, as it is: in a network of its own in which Ring's hosts are this machine.

    python examples/with_simulated_ring.py COMMAND [ARGUMENT ...]

For clients that know Ring's addresses by heart and take no other. Linux only; needs `unshare` (util-linux) and `ip`
(iproute2). Without root it needs user namespaces. Nothing outside changes: the network, the hosts file in it and the
simulator are gone when the command ends. Its exit code is the command's.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ringlight.simulator.certificate import HOSTS

RINGLIGHT = Path(sys.executable).with_name("ringlight")
# From a range for documentation (RFC 5737): WebRTC clients leave 127.0.0.1 out of their candidates.
ADDRESS = "192.0.2.1/32"
INSIDE = "--inside"


def own_network(command: list[str]) -> int:
    """Start this program again, in a network and with mounts of its own."""
    apart = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--net", "--mount"]
    if subprocess.call([*apart, "true"]) != 0:
        print("This machine allows nobody but root a network of his own: try as root.", file=sys.stderr)
        return 1
    return subprocess.call([*apart, sys.executable, __file__, INSIDE, *command])


def with_ring(command: list[str]) -> int:
    """Give Ring's names to this machine, start the simulator, run the command."""
    with tempfile.TemporaryDirectory(prefix="ringlight-") as made:
        hosts, identity = Path(made) / "hosts", Path(made) / "tls"
        hosts.write_text(f"127.0.0.1 localhost {' '.join(HOSTS)}\n")
        for prepare in (
            ["ip", "link", "set", "lo", "up"],
            ["ip", "address", "add", ADDRESS, "dev", "lo"],
            ["mount", "--bind", str(hosts), "/etc/hosts"],
        ):
            subprocess.check_call(prepare)
        ring = [str(RINGLIGHT), "simulate", "--port", "443", "--tls", str(identity)]
        with subprocess.Popen(ring, stdout=subprocess.PIPE, text=True) as simulator:
            try:
                ready = simulator.stdout.readline() if simulator.stdout else ""
                if not ready.startswith("ready"):
                    return 1
                return subprocess.call(command, env=trusting(identity / "ca.pem"))
            finally:
                simulator.terminate()


def trusting(authority: Path) -> dict[str, str]:
    """Return the environment of a program that takes the simulator's certificate for Ring's, and asks no proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return kept | dict.fromkeys(
        ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"), str(authority)
    )


def main() -> int:
    first, *rest = sys.argv[1:] or [""]
    try:
        if first == INSIDE:
            return with_ring(rest)
        if first:
            return own_network([first, *rest])
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"this machine cannot do it: {error}", file=sys.stderr)
        return 1
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
