"""axe-core judges what a page shows: WCAG and good practice, in the dark and in the light."""

from typing import Any, cast

from playwright.sync_api import Page

from own_node import PACKAGES, install_npm_packages


class Axe:
    """Judges what a page shows by axe-core, all of its rules."""

    def __init__(self) -> None:
        install_npm_packages()
        self._source = (PACKAGES / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")

    def judge(self, page: Page) -> None:
        """Assert that nothing is wrong, in the dark and in the light."""
        page.evaluate(self._source)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=cast(Any, scheme), reduced_motion="reduce")
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            wrong = [
                f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
                for rule in found["violations"]
                for node in rule["nodes"]
            ]
            assert not wrong, f"{page.url} in the {scheme}:\n" + "\n".join(wrong)
