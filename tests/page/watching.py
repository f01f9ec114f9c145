"""What the tests of the page ask of it."""

import re
from typing import TypedDict, cast

from playwright.sync_api import Page, Response

_VIDEO_STATS = """async () => {
  const found = {};
  (await document.querySelector("camera-view").stats()).forEach((entry) => {
    if (entry.type === "inbound-rtp" && entry.kind === "video") Object.assign(found, {
      frames: entry.framesDecoded, lost: entry.packetsLost, freezes: entry.freezeCount,
      frozen: entry.totalFreezesDuration, width: entry.frameWidth});
    if (entry.type === "transport") found.cipher = entry.srtpCipher;
  });
  return found;
}"""


_PROTOCOLS = """async () => {
  const found = new Map(), pairs = [];
  (await document.querySelector("camera-view").stats()).forEach((entry) => {
    found.set(entry.id, entry);
    if (entry.type === "candidate-pair" && entry.nominated) pairs.push(entry);
  });
  return [found.get(pairs[0].localCandidateId).protocol, found.get(pairs[0].remoteCandidateId).protocol];
}"""


_UFRAG = """async () => {
  const stats = await document.querySelector("camera-view").stats();
  const transport = [...stats.values()].find((entry) => entry.type === "transport");
  return stats.get(stats.get(transport.selectedCandidatePairId).remoteCandidateId).usernameFragment;
}"""


_OWN_UFRAG = """async () => {
  const stats = await document.querySelector("camera-view").stats();
  const transport = [...stats.values()].find((entry) => entry.type === "transport");
  return stats.get(stats.get(transport.selectedCandidatePairId).localCandidateId).usernameFragment;
}"""


class VideoStats(TypedDict):
    """What `getStats` says of the picture."""

    frames: int
    lost: int
    freezes: int
    frozen: float
    width: int
    cipher: str


def watch(page: Page, camera: str = "front-door") -> None:
    """Press the camera's button and wait for the first picture."""
    page.click(f'[data-camera="{camera}"]')
    wait_for_picture(page)


def wait_for_picture(page: Page) -> None:
    page.wait_for_selector('camera-view[state="playing"]', timeout=20_000)


def video_stats(page: Page) -> VideoStats:
    return cast(VideoStats, page.evaluate(_VIDEO_STATS))


def wait_until_it_moves(page: Page, *, by: int = 10, seconds: float = 20) -> None:
    """Wait until so many more pictures were decoded than now; a new player begins at none."""
    before = video_stats(page)["frames"]
    for _ in range(int(seconds * 10)):
        now = video_stats(page).get("frames", 0)
        if now >= before + by:
            return
        before = min(before, now)
        page.wait_for_timeout(100)
    raise AssertionError(f"{now - before} pictures in {seconds} s")


def choose_fault(page: Page, name: str) -> None:
    """Set the switchboard; an empty name is "None"."""
    with page.expect_response("**/_sim/faults") as answer:
        page.check(f'input[name="sim-fault"][value="{name}"]')
    assert answer.value.ok


def server_ufrag(page: Page) -> str:
    """Return the user fragment of the server's end of the path in use; another ICE session has another."""
    return str(page.evaluate(_UFRAG))


def wait_for_new_path(page: Page, patched: Response) -> None:
    """Wait until the path in use is of the ICE restart that the server has agreed to.

    Told by the browser's end: Chromium may keep the name of the server's old end at its address, also on the new path.
    """
    asked = re.search(r"^a=ice-ufrag:(\S+)", patched.request.post_data or "", re.MULTILINE)
    assert asked is not None
    for _ in range(100):  # the browser takes the answer up when it finds the time
        if page.evaluate(_OWN_UFRAG) == asked[1]:
            return
        page.wait_for_timeout(100)
    raise AssertionError("the browser stays on its old path")


def chosen_protocols(page: Page) -> tuple[str, str]:
    """Return the protocols of both ends of the pair that the browser has chosen."""
    local, remote = page.evaluate(_PROTOCOLS)
    return str(local), str(remote)
