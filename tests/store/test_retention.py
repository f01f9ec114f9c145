"""What is removed as too old or too much: the decision, the clock that it must not trust, rows on both databases."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from ringlight.errors import StoreError
from ringlight.rooms.audit import AuditKey, judge
from ringlight.secrets import Secret
from ringlight.store.audit_rows import CUT_AT_ONCE, AuditHead, AuditRows
from ringlight.store.database import Database
from ringlight.store.inbox import Claim, Inbox, Put, Settle, State
from ringlight.store.retention import AWAY, HOLD, ClockGuard, Limit, Row, expired
from ringlight.store.room_rows import RoomRows
from ringlight.store.room_tables import AUDIT, AUDIT_HEAD
from ringlight.store.rooms import NewAuditRow

DAY = 86_400.0
KEY = AuditKey(Secret("for tests, and for nothing else"))
ROWS = st.lists(
    st.builds(Row, st.uuids().map(str), st.floats(0, 1000), st.floats(0, 100), st.booleans()), max_size=30
).map(lambda rows: sorted(rows, key=lambda row: row.at))
LIMITS = st.builds(Limit, st.none() | st.floats(0, 1000), st.none() | st.floats(0, 1000))


@given(ROWS, LIMITS, st.floats(0, 2000), st.booleans())
def test_what_goes_is_what_the_limits_ask_for(rows: list[Row], limit: Limit, now: float, by_age: bool) -> None:
    kept = sum(row.size for row in rows)
    gone = expired(rows, limit, now=now, kept=kept, by_age=by_age)
    stays = [row for row in rows if row not in gone]
    assert not any(row.is_busy for row in gone), "never what is being written"
    assert [row for row in rows if row in gone] == gone, "the oldest first"
    old = [row for row in rows if by_age and limit.age is not None and row.at < now - limit.age and not row.is_busy]
    assert all(row in gone for row in old), "everything that is old enough"
    if limit.total is None:
        assert gone == old
    else:
        left = sum(row.size for row in stays)
        assert left <= limit.total + 1e-6 or all(row.is_busy for row in stays), "no more than may be"
        young = [row for row in gone if row not in old]
        if young:  # the last that went was needed
            assert left + young[-1].size + 1e-6 >= limit.total


def test_nothing_goes_without_limits() -> None:
    assert expired([Row("a", 0.0)], Limit(), now=1e9, kept=1e9) == []
    assert not Limit().is_any


def test_a_clock_that_jumps_decides_nothing_until_it_has_gone_on_for_long() -> None:
    guard = ClockGuard()
    assert guard.see(1000.0, 0.0)
    assert guard.see(1300.0, 300.0)
    assert not guard.see(1600.0 + DAY, 600.0), "a day ahead"
    assert not guard.see(1900.0 + DAY, 900.0)
    assert not guard.see(2200.0, 1200.0), "put right again: that is a jump too"
    assert guard.see(1000.0 + 1200.0 + HOLD, 1200.0 + HOLD)
    assert not guard.see(1300.0 + HOLD - 3600.0, 1500.0 + HOLD), "an hour back, as a wrong winter time"


def test_a_clock_that_is_slewed_is_no_jump() -> None:
    guard = ClockGuard()
    assert all(guard.see(look * 301.0, look * 300.0) for look in range(2000))


def test_a_machine_that_starts_with_a_wrong_clock_is_found_by_when_it_was_last_believed() -> None:
    assert ClockGuard().see(1e9, 5.0, None), "the first start of all"
    assert ClockGuard().see(1e9, 5.0, 1e9 - AWAY + 1)
    for last in (1e9 - 400 * DAY, 1e9 + 2 * DAY):
        guard = ClockGuard()
        assert not guard.see(1e9, 5.0, last)
        assert guard.see(1e9 + HOLD, 5.0 + HOLD), "then it was off for that long"


@given(st.lists(st.tuples(st.floats(0, 3600), st.sampled_from([0.0] * 6 + [DAY, -3600.0, 400 * DAY])), max_size=40))
def test_no_jump_is_believed_sooner_than_it_has_lasted(looks: list[tuple[float, float]]) -> None:
    guard, wall, steady, jumped_at = ClockGuard(), 1e9, 0.0, -2 * HOLD
    guard.see(wall, steady)
    for passed, jump in looks:
        steady += passed
        wall += passed + jump
        jumped_at = steady if jump else jumped_at
        assert guard.see(wall, steady) == (steady - jumped_at >= HOLD)


def handled(inbox: Inbox, count: int, state: State) -> None:
    """Put webhooks there that arrived a second apart, and let them end."""
    inbox.write([Put(f"{state} {at}", "a", "s", "t", b"{}", float(at)) for at in range(count)])
    numbers = [kept.number for kept in inbox.waiting(limit=5000)]
    inbox.write([Claim(number, "w") for number in numbers])
    inbox.write([Settle(number, "w", state, 1) for number in numbers])


def swept(inbox: Inbox, state: State, limit: Limit, now: float) -> int:
    total = 0
    while some := inbox.sweep(state, limit, now):
        total += some
    return total


def test_webhooks_go_by_age_and_by_number_and_what_waits_stays(database: Database) -> None:
    inbox = Inbox(database)
    handled(inbox, 1200, "done")
    handled(inbox, 20, "dead")
    inbox.write([Put("waits", "a", "s", "t", b"{}", 0.0)])
    assert swept(inbox, "done", Limit(100.0), 1000.0) == 900
    assert inbox.counts() == {"done": 300, "dead": 20, "waiting": 1}
    assert swept(inbox, "done", Limit(None, 250), 1e9) == 50
    assert swept(inbox, "dead", Limit(None, 100), 1e9) == 0
    assert inbox.sweep("done", Limit(1.0), 1e9, by_age=False) == 0, "the clock is doubted"
    assert inbox.counts() == {"done": 250, "dead": 20, "waiting": 1}
    assert min(kept.received_at for kept in inbox.latest(2000) if kept.state == "done") == 950.0, "the newest stay"


def audit_of(database: Database, count: int) -> AuditRows:
    audit = AuditRows(database, KEY.hashed, KEY.seal, KEY.cut)
    RoomRows(database, audit).record([NewAuditRow(float(at), "camera.watched", detail=str(at)) for at in range(count)])
    return audit


def verdict(audit: AuditRows, seen: tuple[int, str] | None = None) -> tuple[int, str | None]:
    judged = judge(KEY, audit.read(), audit.head(), start=audit.start(), seen=seen)
    return judged.rows, judged.problem


def test_the_audit_can_be_verified_after_its_beginning_was_cut_off(database: Database) -> None:
    count = CUT_AT_ONCE + 300
    audit = audit_of(database, count)
    whole = list(audit.read())
    limit = Limit(100.0)
    assert [audit.sweep(limit, float(count)) for _ in range(3)] == [CUT_AT_ONCE, 200, 0]
    assert [row.number for row in audit.read()] == list(range(701, count + 1))
    assert verdict(audit) == (count, None)
    for noted in (whole[5], whole[699], whole[750]):  # before the anchor, at it, behind it
        assert verdict(audit, (noted.number, noted.hash)) == (count, None)
    assert verdict(audit, (700, "0" * 64))[1] is not None
    RoomRows(database, audit).record([NewAuditRow(1e4, "room.locked")])
    assert verdict(audit) == (count + 1, None), "it goes on"
    assert audit.sweep(Limit(None, 50), 1e4) == 51
    assert verdict(audit) == (count + 1, None)
    assert audit.sweep(Limit(1.0), 1e9) == 49, "the newest always stays"
    assert verdict(audit) == (count + 1, None)


def test_who_cuts_rows_without_the_key_is_found(database: Database) -> None:
    """Neither an anchor of their own nor the seal of an older end will do."""
    audit = audit_of(database, 20)
    old_end = audit.head()
    RoomRows(database, audit).record([NewAuditRow(30.0, "room.locked")] * 5)
    with database.writing() as connection:
        connection.execute(sa.delete(AUDIT).where(AUDIT.c.number <= 20))
        connection.execute(
            sa.insert(AUDIT_HEAD).values(id=2, number=20, hash=old_end.hash, seal=old_end.seal)
        )  # fmt: skip
    assert verdict(audit) == (0, "the rows up to 20 were cut off, and not by the server")
    rows, end = list(audit.read()), audit.head()
    assert judge(KEY, rows, end, start=AuditHead(20, old_end.hash, KEY.cut(20, old_end.hash))).problem is None
    assert judge(KEY, rows[1:], end, start=AuditHead(20, old_end.hash, KEY.cut(20, old_end.hash))).problem is not None


def test_rows_that_somebody_has_changed_are_evidence_and_are_not_removed(database: Database) -> None:
    audit = audit_of(database, 20)
    with database.writing() as connection:
        connection.execute(sa.update(AUDIT).where(AUDIT.c.number == 7).values(detail="somebody else"))
    with pytest.raises(StoreError, match="row 7 is not as it was written; nothing is removed") as caught:
        audit.sweep(Limit(1.0), 1e9)
    assert caught.value.code == "AUDIT-BROKEN"
    assert len(list(audit.read())) == 20
    assert audit.start() == AuditHead(0, "", "")


def test_where_the_clock_went_back_only_a_beginning_is_cut(database: Database) -> None:
    audit = AuditRows(database, KEY.hashed, KEY.seal, KEY.cut)
    row = NewAuditRow(0.0, "room.locked")
    RoomRows(database, audit).record([replace(row, at=at) for at in (10.0, 11.0, 500.0, 12.0, 501.0)])
    assert audit.sweep(Limit(100.0), 200.0) == 2
    assert audit.sweep(Limit(100.0), 200.0) == 0
    assert verdict(audit) == (5, None)
