"""Keys as rows, in SQLite and PostgreSQL: named once, found by their hash, gone when revoked."""

import sqlalchemy as sa

from ringlight.secrets import Secret
from ringlight.store.database import Database
from ringlight.store.key_rows import KeptKey, KeyRows, hash_of_key
from ringlight.store.tables import ACCESS_KEYS

KEY = Secret("rlk_" + "k" * 43)
KEPT = KeptKey("a1", "nan", hash_of_key(KEY), ("view", "talk"), ("front-door", "back-yard"), 100.0, 900.0)


def test_a_key_is_found_by_its_hash_and_id_until_it_is_revoked(database: Database) -> None:
    rows = KeyRows(database)
    assert rows.add(KEPT)
    assert rows.by_hash(hash_of_key(KEY)) == rows.by_id("a1") == KEPT
    rows.used("a1", 160.0)
    assert [key.used_at for key in rows.all()] == [160.0]
    assert rows.revoke("nan")
    assert not rows.revoke("nan")
    assert rows.by_hash(hash_of_key(KEY)) is None


def test_a_name_is_given_once(database: Database) -> None:
    rows = KeyRows(database)
    assert rows.add(KEPT)
    assert not rows.add(KeptKey("b2", "nan", "another", ("admin",), None, 200.0))
    assert rows.by_id("a1") == KEPT
    assert rows.by_id("b2") is None


def test_the_key_itself_is_nowhere(database: Database) -> None:
    KeyRows(database).add(KEPT)
    with database.reading() as connection:
        assert KEY.reveal() not in repr(connection.execute(sa.select(ACCESS_KEYS)).all())
    assert KEPT.hash not in repr(KEPT)
