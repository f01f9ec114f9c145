"""What a lossy line does to the picture, and how soon it is whole again, beside the browser calling itself.

In a network namespace of its own, iptables drops a share of all packets between our port for viewers and a
real Chromium, in both directions. Needs the right to make namespaces. Usage: python bench/bench_loss.py [SECONDS]
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import verdict
from playwright.sync_api import Page, sync_playwright

GOAL = 2.0  # seconds until the picture is whole again
SHARES = (0.01, 0.05, 0.20)
PORT = 5004
LATE = 250  # milliseconds between two pictures that a person sees as a halt, at 15 a second
AFTER = 6  # seconds that are watched after the loss
RINGLIGHT = Path(sys.executable).with_name("ringlight")
# Chromium opens no WebRTC where loopback is the only address, so the namespace has one more.
ADDRESS = ["ip link add near type veth peer name far", "ip addr add 10.77.0.1/24 dev near", "ip link set near up",
           "ip link set far up", "ip link set lo up",
           "ip route add default via 10.77.0.2"]  # fmt: skip
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-features=WebRtcHideLocalIpsWithMdns"]  # fmt: skip

NOTE_PICTURES = """() => {
  const video = window.watched ?? document.querySelector("camera-view video");
  window.pictures = [];
  const note = () => { window.pictures.push(performance.now()); video.requestVideoFrameCallback(note); };
  video.requestVideoFrameCallback(note);
}"""

CALL_ITSELF = """async () => {
  const canvas = document.createElement("canvas");
  canvas.width = 640; canvas.height = 360;
  const draw = canvas.getContext("2d");
  setInterval(() => { draw.fillStyle = `hsl(${performance.now() % 360} 50% 50%)`;
    draw.fillRect(0, 0, 640, 360); }, 1000 / 15);
  const out = new RTCPeerConnection(), back = new RTCPeerConnection();
  out.onicecandidate = ({candidate}) => candidate && back.addIceCandidate(candidate);
  back.onicecandidate = ({candidate}) => candidate && out.addIceCandidate(candidate);
  const video = window.watched = document.createElement("video");
  video.muted = true;
  const seen = new Promise((resolve) => { back.ontrack = ({streams}) => {
    video.srcObject = streams[0]; video.play(); video.requestVideoFrameCallback(resolve); }; });
  const stream = canvas.captureStream(15);
  out.addTrack(stream.getTracks()[0], stream);
  await out.setLocalDescription(); await back.setRemoteDescription(out.localDescription);
  await back.setLocalDescription(); await out.setRemoteDescription(back.localDescription);
  await seen;
}"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What loss did: the share of pictures shown, and in seconds the longest halt and the time to be whole again."""

    shown: float
    longest: float
    whole: float


def drop(share: float, *, on: bool, ports: bool) -> None:
    """Begin or end the loss."""
    sides: list[list[str]] = [["--sport", str(PORT)], ["--dport", str(PORT)]] if ports else [[]]
    for side in sides:
        rule = ["OUTPUT", "-p", "udp", *side, "-m", "statistic", "--mode", "random", "--probability", str(share)]
        subprocess.run(["iptables", "-w", "-A" if on else "-D", *rule, "-j", "DROP"], check=True)


def lossy(page: Page, share: float, seconds: float, *, ports: bool) -> Outcome:
    """Watch through a stretch of loss and some seconds more."""
    page.evaluate(NOTE_PICTURES)
    page.wait_for_timeout(3000)
    began = float(page.evaluate("performance.now()"))
    drop(share, on=True, ports=ports)
    page.wait_for_timeout(seconds * 1000)
    drop(share, on=False, ports=ports)
    ended = float(page.evaluate("performance.now()"))
    page.wait_for_timeout(AFTER * 1000)
    times = [float(time) for time in page.evaluate("window.pictures")]
    clean = [time for time in times if time < began]
    rate = (len(clean) - 1) / (clean[-1] - clean[0])
    during = [time for time in times if began <= time < ended]
    halts = [(start, stop) for start, stop in pairwise(times) if stop - start > LATE]
    if times[-1] < ended + AFTER * 1000 - LATE:
        halts.append((times[-1], ended + AFTER * 1000))
    after = [stop for _, stop in halts if stop > ended]
    longest = max((stop - start for start, stop in halts if stop > began), default=0.0)
    whole = max(after, default=ended) - ended
    return Outcome(len(during) / (rate * (ended - began)), longest / 1000, whole / 1000)


def inside(seconds: float) -> None:
    """Measure, in the namespace."""
    for step in ADDRESS:
        subprocess.run(step.split(), check=True)
    settings = {**os.environ, "RINGLIGHT_MEDIA__PORT": str(PORT), "RINGLIGHT_MEDIA__TCP": "false"}
    command = [str(RINGLIGHT), "demo", "--port", "0"]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=settings)
    assert demo.stdout is not None
    try:
        url = demo.stdout.readline().split()[1]
        print(f"{seconds:.0f} s of loss in both directions, 15 pictures a second, {AFTER} s watched after it")
        print(f"{'lost':>5}  {'':34} {'shown':>7} {'longest halt':>13} {'whole after':>12}")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            for share in SHARES:
                page = browser.new_page()
                page.goto(url)
                page.click('[data-camera="front-door"]')
                page.wait_for_selector('camera-view[state="playing"]')
                ours = lossy(page, share, seconds, ports=True)
                page.close()
                page = browser.new_page()
                page.goto(url)
                page.evaluate(CALL_ITSELF)
                peer = lossy(page, share, seconds, ports=False)
                page.close()
                for name, outcome in (("Ringlight", ours), ("peer: the browser calling itself", peer)):
                    print(
                        f"{share:5.0%}  {name:34} {outcome.shown:7.1%} {outcome.longest:12.2f}s {outcome.whole:11.2f}s"
                    )
                verdict.goal(f"{share:.0%} lost in both directions: whole again after", ours.whole, GOAL, "s")
            browser.close()
    finally:
        demo.terminate()
        demo.wait(10)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    if os.environ.get("RINGLIGHT_BENCH_INSIDE"):
        inside(seconds)
        return
    again = ["unshare", "--net", sys.executable, __file__, str(seconds)]
    if (
        os.geteuid() != 0
        or subprocess.run(["unshare", "--net", "iptables", "-L"], check=False, capture_output=True).returncode
    ):
        print("left out: needs the right to make network namespaces, and iptables")
        return
    subprocess.run(again, check=True, env={**os.environ, "RINGLIGHT_BENCH_INSIDE": "1"})


if __name__ == "__main__":
    main()
