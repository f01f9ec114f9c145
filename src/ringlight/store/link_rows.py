"""Links as rows of the database. What has to be true together is written in one transaction."""

from typing import Any

import sqlalchemy as sa

from ringlight.secrets import Secret
from ringlight.store.database import Database
from ringlight.store.links import AccountLink, Beginning, LinkState
from ringlight.store.pairs import TokenPair
from ringlight.store.tables import LINK_BEGINNINGS, LINKED_DEVICES, LINKS, TOKEN_PAIRS

__all__ = ["LinkRows"]


class LinkRows:
    """The links of an app. Its methods block; call them in a thread.

    Every method raises `StoreError`: STORE-UNREACHABLE or STORE-NEWER.

    Args:
        database: Where they are, beside the tokens.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # ---- those that have only begun ----

    def begin(self, beginning: Beginning) -> bool:
        """Keep a new one; `False` where it is known already, which stays as it is."""
        with self._database.writing() as connection:
            known = sa.select(LINK_BEGINNINGS.c.id).where(LINK_BEGINNINGS.c.id == beginning.id)
            if connection.execute(known).first() is not None:
                return False
            connection.execute(sa.insert(LINK_BEGINNINGS).values(_beginning_row(beginning)))
            return True

    def beginning(self, name: str) -> Beginning | None:
        """Return one by its name."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(LINK_BEGINNINGS).where(LINK_BEGINNINGS.c.id == name)).one_or_none()
        return None if found is None else _beginning(found._mapping)

    def beginnings(self) -> list[Beginning]:
        """Return all of them, the oldest first."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(LINK_BEGINNINGS).order_by(LINK_BEGINNINGS.c.began_at)).all()
        return [_beginning(row._mapping) for row in found]

    def keep(self, beginning: Beginning) -> None:
        """Change one."""
        with self._database.writing() as connection:
            changed = sa.update(LINK_BEGINNINGS).where(LINK_BEGINNINGS.c.id == beginning.id)
            connection.execute(changed.values(_beginning_row(beginning)))

    def drop(self, name: str) -> None:
        """Forget one."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(LINK_BEGINNINGS).where(LINK_BEGINNINGS.c.id == name))

    def adopt(self, name: str, pair: TokenPair, link: AccountLink) -> None:
        """Give the tokens of a beginning to the account that they belong to; an older link of it is replaced."""
        with self._database.writing() as connection:
            where = TOKEN_PAIRS.c.account == link.account
            former = connection.execute(sa.select(TOKEN_PAIRS.c.generation).where(where)).scalar() or 0
            connection.execute(sa.delete(TOKEN_PAIRS).where(where))
            connection.execute(
                sa.insert(TOKEN_PAIRS).values(
                    account=link.account, access=pair.access.reveal(), refresh=pair.refresh.reveal(),
                    obtained_at=pair.obtained_at, expires_at=pair.expires_at, generation=former + 1,
                )
            )  # fmt: skip
            older = connection.execute(sa.select(LINKS).where(LINKS.c.account == link.account)).one_or_none()
            connection.execute(sa.delete(LINKS).where(LINKS.c.account == link.account))
            row = _link_row(link)
            if older is not None:
                row |= {"spent": older.nonce or older.spent, "version": older.version + 1}
            connection.execute(sa.insert(LINKS).values(row))
            done = sa.update(LINK_BEGINNINGS).where(LINK_BEGINNINGS.c.id == name)
            nothing = dict.fromkeys(("code", "verifier", "access", "refresh"))
            connection.execute(done.values(account=link.account, **nothing))

    # ---- links ----

    def link(self, account: str) -> AccountLink | None:
        """Return the link of an account."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(LINKS).where(LINKS.c.account == account)).one_or_none()
        return None if found is None else _link(found._mapping)

    def links(self, *states: LinkState) -> list[AccountLink]:
        """Return the links in these states, or all; sorted by account."""
        chosen = sa.select(LINKS).order_by(LINKS.c.account)
        if states:
            chosen = chosen.where(LINKS.c.state.in_([state.value for state in states]))
        with self._database.reading() as connection:
            return [_link(row._mapping) for row in connection.execute(chosen)]

    def links_of(self, person: str) -> list[AccountLink]:
        """Return the links that somebody has claimed or is claiming; sorted by account."""
        chosen = sa.select(LINKS).where(LINKS.c.person == person).order_by(LINKS.c.account)
        with self._database.reading() as connection:
            return [_link(row._mapping) for row in connection.execute(chosen)]

    def change(self, link: AccountLink) -> AccountLink | None:
        """Change a link, if nobody has since it was read.

        Returns:
            The link with its new version; `None` where somebody was quicker, and nothing was changed.
        """
        row = _link_row(link) | {"version": link.version + 1}
        here = sa.and_(LINKS.c.account == link.account, LINKS.c.version == link.version)
        with self._database.writing() as connection:
            changed = connection.execute(sa.update(LINKS).where(here).values(row)).rowcount
        return self.link(link.account) if changed else None

    def lose(self, account: str, now: float) -> None:
        """Note that a link is lost, and wipe its tokens and devices."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(TOKEN_PAIRS).where(TOKEN_PAIRS.c.account == account))
            connection.execute(sa.delete(LINKED_DEVICES).where(LINKED_DEVICES.c.account == account))
            lost = {"state": LinkState.LOST.value, "since": now, "nonce": None, "version": LINKS.c.version + 1}
            connection.execute(sa.update(LINKS).where(LINKS.c.account == account).values(lost))

    def forget(self, account: str) -> None:
        """Forget a link with all that belongs to it."""
        with self._database.writing() as connection:
            for table in (TOKEN_PAIRS, LINKED_DEVICES, LINKS):
                connection.execute(sa.delete(table).where(table.c.account == account))

    # ---- devices ----

    def add_device(self, account: str, device: str, now: float) -> None:
        """Note that an account shares a device; also before the link is claimed, or is known at all."""
        here = sa.and_(LINKED_DEVICES.c.account == account, LINKED_DEVICES.c.device == device)
        with self._database.writing() as connection:
            if connection.execute(sa.select(LINKED_DEVICES.c.since).where(here)).first() is None:
                connection.execute(sa.insert(LINKED_DEVICES).values(account=account, device=device, since=now))

    def remove_device(self, account: str, device: str) -> None:
        """Note that an account does not share a device any more."""
        here = sa.and_(LINKED_DEVICES.c.account == account, LINKED_DEVICES.c.device == device)
        with self._database.writing() as connection:
            connection.execute(sa.delete(LINKED_DEVICES).where(here))

    def devices(self, account: str) -> list[str]:
        """Return the devices that an account shares, in the order in which they were added."""
        table = LINKED_DEVICES
        chosen = sa.select(table.c.device).where(table.c.account == account).order_by(table.c.since, table.c.device)
        with self._database.reading() as connection:
            return list(connection.execute(chosen).scalars())


def _text(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)


def _link_row(link: AccountLink) -> dict[str, Any]:
    return {
        "account": link.account, "state": link.state.value, "since": link.since, "person": link.person,
        "identifier": link.identifier, "nonce": _text(link.nonce), "spent": _text(link.spent), "tries": link.tries,
        "version": link.version,
    }  # fmt: skip


def _link(row: sa.RowMapping) -> AccountLink:
    return AccountLink(
        row["account"], LinkState(row["state"]), row["since"], row["person"], row["identifier"],
        _secret(row["nonce"]), _secret(row["spent"]), row["tries"], row["version"],
    )  # fmt: skip


def _beginning_row(one: Beginning) -> dict[str, Any]:
    pair = one.pair
    return {
        "id": one.id, "began_at": one.began_at, "code": _text(one.code), "verifier": _text(one.verifier),
        "person": one.person, "identifier": one.identifier, "account": one.account,
        "access": pair.access.reveal() if pair else None, "refresh": pair.refresh.reveal() if pair else None,
        "obtained_at": pair.obtained_at if pair else None, "expires_at": pair.expires_at if pair else None,
    }  # fmt: skip


def _beginning(row: sa.RowMapping) -> Beginning:
    pair = None
    if row["access"] is not None:
        pair = TokenPair(Secret(row["access"]), Secret(row["refresh"]), row["obtained_at"], row["expires_at"])
    return Beginning(
        row["id"], row["began_at"], _secret(row["code"]), _secret(row["verifier"]), row["person"], row["identifier"],
        pair, row["account"],
    )  # fmt: skip
