"""Runs the fault lab: every fault that can be brought about, met by everybody whom it can meet. `make reliability`.

Usage: fault_lab.py [GROUP…] [--only WORD]. The page is written anew from all that was ever kept.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from account_cells import account_cells
from browser_cells import browser_cells
from cells import Cell, Lab, Result, run_cell
from command_cells import command_cells
from connection_cells import connection_cells
from doctor_cells import doctor_cells
from explain_cells import explain_cells
from gate_cells import gate_cells
from link_cells import link_cells
from link_check_cells import link_check_cells
from linked_page_cells import linked_page_cells
from live_view_cells import api_cells, client_cells
from login_cells import login_cells
from look_cells import look_cells
from media_cells import media_cells
from network_fault_cells import network_fault_cells
from nodes_page_cells import nodes_page_cells
from own_cells import own_cells
from page_cells import page_cells
from partner_answer_cells import partner_answer_cells
from partner_cells import partner_cells
from playwright.async_api import async_playwright
from provider_cells import provider_cells
from reach_cells import reach_cells
from receiver_cells import receiver_cells
from record import Row, keep, kept, row_of
from reliability_page import write_pages
from renewal_cells import renewal_cells
from room_cells import room_cells
from server_cells import server_cells
from setup_cells import setup_cells
from sign_in_cells import sign_in_cells
from slow_disk_cells import slow_disk_cells
from store_cells import store_cells
from viewer_cells import viewer_cells
from viewer_line_cells import viewer_line_cells
from viewer_page_cells import viewer_page_cells
from virtual_cells import virtual_cells
from visit_cells import visit_cells
from webhook_cells import webhook_cells

from conftest import CHROMIUM_FLAGS
from own_coturn import PROGRAM, OwnCoturn

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
    coturn = OwnCoturn() if PROGRAM is not None else None
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
        if coturn is not None:
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
