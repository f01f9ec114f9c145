"""What a client is made from: the app, the account and its tokens, the numbers. Reads settings, opens the store."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ringlight.errors import fault_error
from ringlight.http.address import base_of
from ringlight.http.reach import Patience
from ringlight.partner.api import API, Api
from ringlight.partner.choices import Off, Switch, chosen
from ringlight.partner.token_calls import App
from ringlight.resilience.options import Options
from ringlight.secrets import Secret
from ringlight.store.opening import open_pairs
from ringlight.store.pairs import MemoryPairStore, PairStore, TokenPair
from ringlight.store.sealing import seal_of

if TYPE_CHECKING:
    from ringlight.settings import ResilienceSettings, Settings

G = TypeVar("G")

__all__ = ["Setup", "Stored", "Tokens", "account_shown", "set_up", "store_address", "store_of"]

_LIFETIME = 14_400.0  # seconds of an access token; one that is older than it seems is refused, and then renewed
_ALONE = "this account"  # the name of an account whose id nobody has said


@dataclass(frozen=True, slots=True)
class Stored:
    """A linked account whose tokens are in a store.

    Attributes:
        store: The store, or its address: a file, `sqlite:///…`, `postgresql://…`, `keyring:`.
        account: Ring's id of the account; `None` is the only one in the store.
    """

    store: PairStore | str | Path = field(repr=False)
    account: str | None = None


Tokens: TypeAlias = Stored | TokenPair | tuple[Secret | str, Secret | str] | Secret | str


@dataclass(frozen=True, slots=True)
class Setup:
    """A client's parts that are the same with and without an event loop.

    Attributes:
        api: Where the API is.
        ring_url: What stands in for Ring; `None` asks Ring itself.
        app: The app; `None` where one token needs none.
        token: The access token alone; `None` for a linked account.
        store: Where a linked account's tokens are.
        is_own_store: Whether it was opened here, and so is closed with the client.
        account: The account's id.
        resilience: The numbers.
        patience: Limits for the parts of an exchange.
        options: What the client wishes for all its calls.
        redis_url: Where all processes of the app keep to the limit together; `None` lets each keep to it alone.
    """

    api: Api
    ring_url: str | None
    app: App | None
    token: Secret | None
    store: PairStore
    is_own_store: bool
    account: str
    resilience: "ResilienceSettings"
    patience: Patience
    options: Options
    redis_url: Secret | None = None

    def shared_gate(self, kind: "Callable[[Secret, str, ResilienceSettings], G]") -> "G | None":
        """Make the gate of all processes of the app; `None` where no Redis is set, or no app is named."""
        if self.redis_url is None or self.app is None:
            return None
        return kind(self.redis_url, self.app.client_id, self.resilience)

    @property
    def one_token(self) -> Secret:
        """The access token alone.

        Raises:
            AuthError: LINK-NONE, there is none.
        """
        if self.token is None:
            raise fault_error("LINK-NONE")
        return self.token


def set_up(
    client_id: str | None,
    client_secret: Secret | str | None,
    tokens: Tokens | None,
    ring_url: str | None,
    settings: "Settings | None",
    resilience: "ResilienceSettings | Switch | None",
) -> Setup:
    """Put together what was given and, for what was not, what the settings say.

    Raises:
        SetupError: CFG-INVALID, something is missing or cannot be used.
        AuthError: LINK-NONE, the store has no account, or several and none was chosen.
        StoreError: The store cannot be opened.
    """
    from ringlight.settings import load_settings  # noqa: PLC0415 - it takes longer than all the rest

    known = settings or load_settings()
    ours = known.partner
    base = ring_url or known.ring_url
    if base is not None:
        base_of("ring_url", base)
    token, store, own, account = _tokens(tokens, known)
    name, secret = client_id or ours.client_id, _secret(client_secret) or ours.client_secret
    app = App(name, secret) if name and secret else None
    if token is None and app is None:
        raise fault_error("CFG-INVALID", "partner.client_id and partner.client_secret are needed to renew tokens")
    numbers = known.resilience if resilience is None or isinstance(resilience, Switch) else resilience
    return Setup(
        Api(API if base is None else base.rstrip("/")), base, app, token, store, own, account, numbers,
        Patience(ours.connect_timeout, ours.read_timeout, ours.write_timeout, ours.pool_timeout, ours.connections),
        chosen(Options(), resilience=Off if resilience is Off else None), known.redis_url,
    )  # fmt: skip


def _tokens(tokens: Tokens | None, settings: "Settings") -> tuple[Secret | None, PairStore, bool, str]:
    ours = settings.partner
    if tokens is None:
        tokens = ours.access_token or Stored(store_address(settings), ours.account)
    if isinstance(tokens, (str, Secret)):
        return _secret(tokens), MemoryPairStore(), True, _ALONE
    if isinstance(tokens, Stored):
        own = isinstance(tokens.store, (str, Path))
        if isinstance(tokens.store, (str, Path)):
            store = open_pairs(tokens.store, state_dir=settings.state_dir, seal=seal_of(settings))
        else:
            store = tokens.store
        return None, store, own, tokens.account or _only(store)
    pair = tokens if isinstance(tokens, TokenPair) else _pair(tokens)
    memory = MemoryPairStore()
    memory.write(_ALONE, pair, over=None)
    return None, memory, True, _ALONE


def _only(store: PairStore) -> str:
    accounts = store.accounts()
    if len(accounts) != 1:
        seen = "the store has none" if not accounts else f"the store has {len(accounts)} accounts: name one"
        raise fault_error("LINK-NONE", seen)
    return accounts[0]


def _pair(given: tuple[Secret | str, Secret | str]) -> TokenPair:
    access, refresh = (_secret(one) for one in given)
    if access is None or refresh is None:
        raise fault_error("CFG-INVALID", "a pair is an access token and a refresh token")
    now = time.time()
    return TokenPair(access, refresh, now, now + _LIFETIME)


def _secret(value: Secret | str | None) -> Secret | None:
    secret = Secret(value) if isinstance(value, str) else value
    return secret or None


def store_of(settings: "Settings") -> PairStore:
    """Open the store of linked accounts that the settings name.

    Raises:
        SetupError: STORE-ADDRESS.
        StoreError: It cannot be opened.
    """
    return open_pairs(store_address(settings), state_dir=settings.state_dir, seal=seal_of(settings))


def store_address(settings: "Settings") -> str | Path:
    """Return where the settings say that tokens of linked accounts are kept."""
    return settings.partner.tokens or settings.state_dir / "partner-tokens.json"


def account_shown(setup: Setup) -> str:
    """Return how a client names its account: by the last letters, as the whole id tells of a home."""
    if setup.token is not None:
        return "an access token alone"
    return setup.account if setup.account == _ALONE else f"account …{setup.account[-6:]}"
