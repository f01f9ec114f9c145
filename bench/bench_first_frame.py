"""From the click to the first decoded picture, in a real Chromium, beside the browser's own least time.

The limit is measured in the same run: a call from the page to itself, which has no camera, no Ring and
no server in between. Usage: python bench/bench_first_frame.py [RUNS]
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

import verdict
from playwright.sync_api import Page, sync_playwright

GOAL = 700  # milliseconds
RINGLIGHT = Path(sys.executable).with_name("ringlight")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

CALL_ITSELF = """async () => {
  const canvas = document.createElement("canvas");
  canvas.width = 640; canvas.height = 360;
  const draw = canvas.getContext("2d");
  const timer = setInterval(() => { draw.fillStyle = `hsl(${performance.now() % 360} 50% 50%)`;
    draw.fillRect(0, 0, 640, 360); }, 30);
  const began = performance.now();
  const out = new RTCPeerConnection(), back = new RTCPeerConnection();
  out.onicecandidate = ({candidate}) => candidate && back.addIceCandidate(candidate);
  back.onicecandidate = ({candidate}) => candidate && out.addIceCandidate(candidate);
  const video = document.createElement("video");
  video.muted = true;
  const seen = new Promise((resolve) => { back.ontrack = ({streams}) => {
    video.srcObject = streams[0]; video.play();
    video.requestVideoFrameCallback(() => resolve(performance.now() - began)); }; });
  const stream = canvas.captureStream(30);
  out.addTrack(stream.getTracks()[0], stream);
  await out.setLocalDescription(); await back.setRemoteDescription(out.localDescription);
  await back.setLocalDescription(); await out.setRemoteDescription(back.localDescription);
  const milliseconds = await seen;
  clearInterval(timer); out.close(); back.close();
  return milliseconds;
}"""


def watch_once(page: Page) -> float:
    page.click('[data-camera="front-door"]')
    page.wait_for_selector('camera-view[state="playing"]')
    milliseconds = page.evaluate("document.querySelector('camera-view').firstFrameMs")
    page.click("button#stop")
    page.wait_for_selector('camera-view[state="stopped"]')
    # The next run opens the camera anew: linger is 0 here.
    page.wait_for_function("fetch('/api/cameras/front-door').then(r => r.json()).then(c => c.view === 'closed')")
    return float(milliseconds)


def row(name: str, values: list[float]) -> str:
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return f"{name:34} {min(values):7.0f} {statistics.median(values):7.0f} {p95:7.0f}"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    settings = {**os.environ, "RINGLIGHT_CAMERAS__LINGER": "0"}
    command = [str(RINGLIGHT), "demo", "--port", "0"]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=settings)
    assert demo.stdout is not None
    try:
        url = demo.stdout.readline().split()[1]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            page = browser.new_page()
            page.goto(url)
            watch_once(page)  # the first one loads the browser's media code
            ours, limit = [], []
            for _ in range(runs):
                ours.append(watch_once(page))
                limit.append(float(page.evaluate(CALL_ITSELF)))
            browser.close()
    finally:
        demo.terminate()
        demo.wait(10)
    print(f"{runs} runs against the simulator without delays")
    print(f"{'click to first picture, ms':34} {'min':>7} {'median':>7} {'p95':>7}")
    print(row("Ringlight", ours))
    print(row("limit: the browser calling itself", limit))
    ratio = statistics.median(ours) / statistics.median(limit)
    print(f"ratio of medians {ratio:.2f}")
    verdict.goal("click to first picture in a browser, median", statistics.median(ours), GOAL, "ms")


if __name__ == "__main__":
    main()
