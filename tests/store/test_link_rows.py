"""Links as rows, in SQLite and PostgreSQL: what has to be true together is written together."""

from dataclasses import replace

from pair_stores import pair

from ringlight.secrets import Secret
from ringlight.store.database import Database
from ringlight.store.link_rows import LinkRows
from ringlight.store.links import AccountLink, Beginning, LinkState
from ringlight.store.pair_database import DatabasePairStore


def test_a_beginning_becomes_a_link_with_its_tokens_in_one_step(database: Database) -> None:
    rows, pairs = LinkRows(database), DatabasePairStore(database)
    one = Beginning("1", 5.0, Secret("code"), Secret("verifier"), "7", "m***a", pair(1))
    assert rows.begin(one)
    assert not rows.begin(replace(one, code=None)), "the same code again changes nothing"
    assert rows.beginnings() == [one]
    rows.add_device("A", "door", 1.0)
    rows.adopt("1", pair(1), AccountLink("A", LinkState.UNCLAIMED, 6.0))
    assert rows.beginning("1") == Beginning("1", 5.0, person="7", identifier="m***a", account="A")
    kept = pairs.read("A")
    assert kept is not None
    assert (kept.refresh, kept.generation) == (pair(1).refresh, 1)
    assert rows.devices("A") == ["door"], "it was added before the account was known"
    rows.adopt("1", pair(2), AccountLink("A", LinkState.UNCLAIMED, 7.0))
    again = pairs.read("A")
    assert again is not None
    assert (again.refresh, again.generation) == (pair(2).refresh, 2)


def test_who_changes_a_link_that_somebody_else_has_changed_changes_nothing(database: Database) -> None:
    rows = LinkRows(database)
    rows.adopt("1", pair(1), AccountLink("A", LinkState.UNCLAIMED, 6.0))
    (link,) = rows.links(LinkState.UNCLAIMED)
    first = rows.change(replace(link, person="7", nonce=Secret("n")))
    assert first is not None
    assert (first.person, first.version) == ("7", link.version + 1)
    assert rows.change(replace(link, person="8")) is None
    assert rows.links_of("7") == [first]
    rows.adopt("2", pair(2), AccountLink("A", LinkState.UNCLAIMED, 8.0))
    (anew,) = rows.links()
    assert (anew.spent, anew.person, anew.nonce) == (Secret("n"), None, None)
    assert rows.change(replace(first, person="9")) is None, "the link was made anew meanwhile"


def test_a_lost_link_has_no_tokens_and_no_devices(database: Database) -> None:
    rows, pairs = LinkRows(database), DatabasePairStore(database)
    rows.adopt("1", pair(1), AccountLink("A", LinkState.COMPLETED, 6.0, "7"))
    rows.add_device("A", "door", 1.0)
    rows.add_device("A", "door", 2.0)
    rows.add_device("A", "yard", 3.0)
    rows.remove_device("A", "door")
    assert rows.devices("A") == ["yard"]
    rows.lose("A", 9.0)
    (link,) = rows.links(LinkState.LOST)
    assert (link.since, pairs.read("A"), rows.devices("A")) == (9.0, None, [])
    rows.forget("A")
    assert rows.links() == []
