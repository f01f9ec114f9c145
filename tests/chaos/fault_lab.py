"""Runs the fault lab: every fault that can be brought about, met by everybody whom it can meet. `make reliability`.

Usage: fault_lab.py [GROUP…] [--only WORD]. The page is written anew from all that was ever kept.

`cells/` says what a cell is and has a module for each group of them. They play in `scenes/`, and bring about what is in
`troubles/`. `networks/` is of the other lab, `network_lab.py`. What either finds goes into `results/`.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cells import Cell, Lab, Result, run_cell
from cells.account import account_cells
from cells.browser import browser_cells
from cells.command import command_cells
from cells.connection import connection_cells
from cells.doctor import doctor_cells
from cells.explain import explain_cells
from cells.gate import gate_cells
from cells.link import link_cells
from cells.link_check import link_check_cells
from cells.linked_page import linked_page_cells
from cells.live_view import api_cells, client_cells
from cells.login import login_cells
from cells.look import look_cells
from cells.media import media_cells
from cells.network_fault import network_fault_cells
from cells.nodes_page import nodes_page_cells
from cells.own import own_cells
from cells.page import page_cells
from cells.partner import partner_cells
from cells.partner_answer import partner_answer_cells
from cells.provider import provider_cells
from cells.reach import reach_cells
from cells.receiver import receiver_cells
from cells.renewal import renewal_cells
from cells.room import room_cells
from cells.server import server_cells
from cells.setup import setup_cells
from cells.sign_in import sign_in_cells
from cells.slow_disk import slow_disk_cells
from cells.store import store_cells
from cells.viewer import viewer_cells
from cells.viewer_line import viewer_line_cells
from cells.viewer_page import viewer_page_cells
from cells.virtual import virtual_cells
from cells.visit import visit_cells
from cells.webhook import webhook_cells
from playwright.async_api import async_playwright
from record import Row, keep, kept, row_of
from reliability_page import write_pages

from conftest import CHROMIUM_FLAGS
from own_coturn import SharedCoturn

GROUPS: dict[str, Callable[[], Iterator[Cell]]] = {
    "virtual": virtual_cells, "server": server_cells, "room": room_cells, "partner": partner_cells,
    "api": api_cells, "client": client_cells, "page": page_cells, "doctor": doctor_cells, "setup": setup_cells,
    "command": command_cells, "partner-answers": partner_answer_cells,
    "renewals": renewal_cells, "links": link_cells, "link-checks": link_check_cells,
    "account": account_cells, "sign-in": sign_in_cells, "net": network_fault_cells,
    "connection": connection_cells,
    "media": media_cells, "viewer": viewer_cells,
    "visit": visit_cells,
    "webhooks": webhook_cells, "linked-page": linked_page_cells, "gate": gate_cells, "receivers": receiver_cells,
    "reach": reach_cells, "browser": browser_cells,
    "look": look_cells, "explain": explain_cells,
    "stores": store_cells, "logins": login_cells, "providers": provider_cells,
    "own": own_cells,
    "viewer-page": viewer_page_cells, "slow-disk": slow_disk_cells,
    "viewer-line": viewer_line_cells, "nodes-page": nodes_page_cells,
}  # fmt: skip


def all_cells() -> Iterator[Cell]:
    """Yield every cell there is."""
    for group in GROUPS.values():
        yield from group()


async def run_group(name: str, only: str = "") -> list[Row]:
    """Run a group; of cells that are not run anew, what was found before is kept."""
    there = {(cell.fault, cell.met.value, cell.how) for cell in GROUPS[name]()}
    former = {(row["fault"], row["met"], row["how"]): Row(**row) for row in kept(name)["rows"]} if only else {}
    rows = {key: row for key, row in former.items() if key in there}
    coturn = SharedCoturn()
    try:
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
            for cell in GROUPS[name]():
                if only and only not in f"{cell.fault} {cell.met.value} {cell.how}":
                    continue
                with (
                    tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
                    pytest.MonkeyPatch.context() as patch,
                ):
                    result = await run_cell(cell, Lab(Path(folder), patch, coturn, chromium))
                _tell(result)
                rows[cell.fault, cell.met.value, cell.how] = row_of(result)
                keep(name, rows.values(), in_part=bool(only))
            await chromium.close()
    finally:
        coturn.close()
    return list(rows.values())


def _tell(result: Result) -> None:
    cell, outcome = result.cell, result.outcome
    back = "" if outcome.back_after is None else f"{outcome.back} {outcome.back_after:.1f} s"
    sys.stdout.write(
        f"{'WRONG' if result.wrong else 'right':5} {cell.fault:22} {cell.met.value:20} {cell.how:50} "
        f"{outcome.named_after:5.1f} s  {back} {result.wrong}\n"
    )
    sys.stdout.flush()


def asked_for(arguments: list[str]) -> tuple[list[str], str]:
    """Return which groups to run, and the word that limits them to some of their cells."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*GROUPS, "none"]  # not `choices`: with these, Python 3.11 refuses that there is no word at all
    parser.add_argument("groups", nargs="*", help=", ".join(known))
    parser.add_argument("--only", default="", help="only cells with this in their fault, who meets it, or how")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.groups if name not in known]:
        parser.error(f"no such group: {', '.join(unknown)}; there are {', '.join(known)}")
    return asked.groups or list(GROUPS), asked.only


def main() -> int:
    """Run what was asked for; 1 where something is wrong."""
    groups, only = asked_for(sys.argv[1:])
    logging.disable(logging.CRITICAL)
    wrong = 0
    for name in groups:
        if name != "none":
            wrong += sum(bool(row.wrong) for row in asyncio.run(run_group(name, only)))
    write_pages()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
