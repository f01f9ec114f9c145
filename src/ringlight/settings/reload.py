"""Which settings take effect while a program runs, and which only when it starts anew. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ringlight.settings.whole import Settings

__all__ = ["Changes", "changes_between", "is_changeable", "merged"]

# Areas in which everything is read when it is used, and single settings that are.
_AREAS = ("live_view", "cameras", "log")
_SINGLE = frozenset({
    "allowed_origins", "partner.hmac_keys", "recordings.keep_free", "recordings.bit_rate", "recordings.longest",
    "recordings.total", "server.drain",
    *(f"rooms.{name}" for name in (
        "capacity", "waiting", "grace", "host_grace", "hello_timeout", "ping_every", "silent_after", "rate", "burst",
        "replay_messages", "replay_bytes", "offer_kept", "empty_after", "sockets",
    )),
})  # fmt: skip
# In those areas, what is read at the start all the same.
_NOT = frozenset({"live_view.http_timeout"})


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different between two settings, by name, sorted.

    Attributes:
        now: Takes effect at once: in views, rooms and recordings that begin from now on, unless the docs say more.
        at_restart: Takes effect when the program starts anew.
    """

    now: tuple[str, ...] = ()
    at_restart: tuple[str, ...] = ()


def changes_between(old: Settings, new: Settings) -> Changes:
    """Say what is different. Values are not in it: they may be secrets."""
    before, after = dict(_walk(old)), dict(_walk(new))
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    # Whether webhooks are taken at all is decided at the start.
    whether = bool(old.partner.hmac_keys) != bool(new.partner.hmac_keys)
    now = [name for name in changed if is_changeable(name) and not (whether and name == "partner.hmac_keys")]
    return Changes(tuple(now), tuple(name for name in changed if name not in now))


def is_changeable(name: str) -> bool:
    """Whether a setting (`live_view.retries`) takes effect while a program runs."""
    area, _, rest = name.partition(".")
    if name in _NOT or (area == "cameras" and rest.endswith(".partner_device")):
        return False
    return area in _AREAS or name in _SINGLE


def merged(old: Settings, new: Settings, changes: Changes) -> dict[str, Any]:
    """Return what is to be put in the place of areas and settings of `old`, by their names: only what changes now."""
    found: dict[str, Any] = {}
    for name in changes.now:
        area, _, rest = name.partition(".")
        value = getattr(new, area)
        if not rest or area == "cameras":  # cameras have tables of their own, and there may be new ones
            found[area] = value
        else:
            kept = found.get(area, getattr(old, area))
            found[area] = kept.model_copy(update={rest: getattr(value, rest)})
    return found


def _walk(area: BaseModel, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    fields = {name: getattr(area, name) for name in type(area).model_fields}
    for name, value in {**fields, **(area.__pydantic_extra__ or {})}.items():
        if isinstance(value, BaseModel):
            yield from _walk(value, (*path, name))
        else:
            yield ".".join((*path, name)), value
