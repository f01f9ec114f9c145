"""The pages: plain ES modules that a browser loads as they are, without a build step."""

from pathlib import Path

PAGE = Path(__file__).parent / "page"
ROOMS_PAGE = Path(__file__).parent / "rooms"
