"""An app that is killed between any two steps of linking is linked after a restart."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import httpx2
import pytest
from linking_people import PASSWORD, AppProcess, People, state_of

from ringlight.store.database import Database
from ringlight.store.link_rows import LinkRows
from ringlight.store.links import LinkState
from ringlight.testing import SimulatedRing

POINTS = range(1, 24, 2)  # after each of the eleven steps of one link; the last is never reached
EXCHANGED = 3  # after Ring's answer, before it is written down


@pytest.fixture
def app(ring: SimulatedRing, tmp_path: Path) -> Iterator[AppProcess]:
    started = AppProcess(f"sqlite:///{tmp_path / 'app.db'}", ring)
    yield started
    started.close()


@pytest.mark.program
def test_killed_after_every_step_the_account_is_linked_after_a_restart(
    ring: SimulatedRing, app: AppProcess, tmp_path: Path
) -> None:
    """Only between Ring's answer with the tokens and our disk nobody can help; then the app is installed once more."""
    empty = tmp_path / "empty.db"
    made = Database(f"sqlite:///{empty}")
    assert LinkRows(made).links() == []
    made.close()
    again: list[int] = []
    with People(ring) as people:
        people.enter(app.url)
        for point in POINTS:
            app.kill()
            app.database = f"sqlite:///{shutil.copy(empty, tmp_path / f'app-{point}.db')}"
            app.start(point)
            number = app.number
            if link_up(app, people) > 1:
                again.append(point)
            assert (app.number == number) == (point == POINTS[-1]), point
            assert people.status() == "completed"
            database = Database(app.database)
            (link,) = LinkRows(database).links()
            database.close()
            assert (link.state, link.identifier) == (LinkState.COMPLETED, "m***a@shop.example")
            people.press("remove")
    assert EXCHANGED in again
    assert len(again) <= 3, "a slow machine may lose a code before it is on the disk, too"


def link_up(app: AppProcess, people: People) -> int:
    """Do what a person does who sees a browser's error: try again. Return how often the app had to be installed."""
    for installs in (1, 2, 3):
        with ThreadPoolExecutor(1) as ring:
            pressed = ring.submit(people.press, "install")
            while not pressed.done():
                revive(app)
                wait([pressed], timeout=0.02)
        redirect = pressed.result()["redirect"]
        if redirect is None:
            continue  # Ring's code was lost with the process before it was on the disk
        for _ in range(6):
            try:
                page = people.sign_in(redirect)
            except httpx2.HTTPError:
                revive(app)
                continue
            if state_of(page) == "completed":
                return installs
            redirect = people.press("redirect")["redirect"]
    raise AssertionError("never linked")


def revive(app: AppProcess) -> None:
    if not app.is_alive:
        app.start()


@pytest.mark.program
def test_killed_after_every_step_a_link_that_the_app_began_is_completed_after_a_restart(
    ring: SimulatedRing, app: AppProcess, tmp_path: Path
) -> None:
    """The second way: whoever sees their browser's error begins once more at most, and nothing is left half done."""
    empty, point = tmp_path / "empty.db", 1
    made = Database(f"sqlite:///{empty}")
    assert LinkRows(made).links() == []
    made.close()
    with People(ring) as people:
        people.enter(app.url, one_way=False)
        while True:
            app.kill()
            app.database = f"sqlite:///{shutil.copy(empty, tmp_path / f'app-{point}.db')}"
            app.start(point)
            number = app.number
            assert begin_at_the_app(app, people) <= 2, point
            if app.number == number:
                break  # it came to its end before the step before which it was to die
            people.press("remove")
            point += 2
    assert point > 12, "each of its steps was tried"


def begin_at_the_app(app: AppProcess, people: People) -> int:
    """Link as a person does who begins in the app; return how often they had to begin."""
    for begun in (1, 2, 3):
        try:
            people.web.cookies.clear()
            leading = people.web.post(f"{app.url}/start", data={"name": "maria@shop.example", "password": PASSWORD})
            back = people.web.post(leading.headers["location"], data={"account": "ada"})
            assert state_of(people.web.get(back.headers["location"])) == "completed"
        except httpx2.HTTPError:
            app.kill()  # all of it: a process that dies answers nobody first
            app.start()
        for _ in range(50):
            if is_linked(app, people):
                return begun
            people.web.get(f"{app.url}/home")  # meanwhile it goes on with what was left in the middle
    raise AssertionError("never linked")


def is_linked(app: AppProcess, people: People) -> bool:
    database = Database(app.database)
    links = LinkRows(database).links()
    database.close()
    return people.status() == "completed" and [link.state for link in links] == [LinkState.COMPLETED]
