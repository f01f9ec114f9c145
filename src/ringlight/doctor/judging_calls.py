"""What the evidence of the Partner API means. Pure: tested without a network."""

import base64
import binascii
from collections.abc import Sequence

from ringlight.doctor.evidence import Called, Delivered, Kept
from ringlight.doctor.findings import Seen, failed, fault, good, note, skipped
from ringlight.errors import RingError
from ringlight.settings import PartnerSettings

ANSWER_WITHIN = 5.0  # seconds that Ring waits for a receiver (partner-api.md#webhooks)
UNUSED_LIMIT = 30 * 86_400.0  # seconds after which Ring drops a refresh token that nobody used (partner-api.md#tokens)
MUCH = 0.5  # part of the limit; a doctor that asks twice in a second leaves nearly all of it


def judge_app(partner: PartnerSettings) -> Seen:
    """Judge whether there is anything to call with."""
    if partner.access_token is not None:
        return good("an access token alone, which nothing renews")
    missing = [name for name in ("client_id", "client_secret") if not getattr(partner, name)]
    if missing:
        return fault("CFG-INVALID", f"{' and '.join(f'partner.{name}' for name in missing)} not set")
    return good("client id and secret are set")


def judge_keys(keys: Sequence[str]) -> Seen:
    """Judge the form of the HMAC keys: Base64 as the portal shows it, and not the bytes that it stands for."""
    if not keys:
        return skipped("no key is set (partner.hmac_keys), so no webhooks are taken")
    for number, key in enumerate(keys, 1):
        try:
            size = len(base64.b64decode(key, validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if size < 16:
            kind = "hexadecimal" if len(key) == 64 and set(key.lower()) <= set("0123456789abcdef") else "no Base64"
            return fault("LINK-KEY", f"key {number} is {kind}, of {len(key)} characters")
        if len(key) == 64 and set(key.lower()) <= set("0123456789abcdef"):
            return fault("LINK-KEY", f"key {number} is hexadecimal, of {len(key)} characters")
    return good("the text that the portal shows")


def judge_kept(kept: Kept, partner: PartnerSettings, *, needed: bool = True) -> Seen:
    """Judge what the store has. `needed`: that nobody has linked an account yet is a fault."""
    if kept.error is not None:
        return failed(kept.error)
    if kept.is_refresh:
        return fault("PARTNER-WRONG-TOKEN", "partner.access_token is a refresh token of the store")
    if partner.access_token is not None:
        return good("an access token from the settings")
    if not kept.accounts:
        return fault("LINK-NONE", "no account is kept") if needed else skipped("nobody has linked an account yet")
    which = f"the first of {kept.accounts}: " if kept.accounts > 1 and partner.account is None else ""
    if kept.unused is not None and kept.unused > UNUSED_LIMIT:
        return note(f"{which}not used for {kept.unused / 86_400:.0f} days; Ring may have dropped it")
    left = kept.expires_in or 0.0
    seen = f"good for {left / 60:.0f} minutes more" if left > 0 else "it has ended, and is renewed by the next call"
    return good(which + seen)


def judge_call(called: Called) -> Seen:
    """Judge what came of the call."""
    error = called.error
    if error is None:
        return good(f"{len(called.devices)} devices")
    if error.code == "PARTNER-AUTH" and called.alone:
        return fault(error.code, "an access token alone, and its time is over: nothing renews it")
    if error.code == "PARTNER-RATE":
        return fault(error.code, f"{error.detail or 'HTTP 429'}{_others(called)}")
    return failed(error)


def judge_limit(called: Called) -> Seen:
    """Judge who else uses the limit."""
    if called.limit is None or called.remaining is None:
        return good(f"the answer does not say{_others(called)}")
    used = called.limit - called.remaining
    if called.remaining < called.limit * MUCH:
        return fault("PARTNER-RATE", f"{used} of {called.limit} calls a second are used, {called.ours} by this run"
                     f"{_others(called)}")  # fmt: skip
    return good(f"{called.remaining} of {called.limit} calls a second are left{_others(called)}")


def _others(called: Called) -> str:
    if called.others:
        return f"; on this machine also {', '.join(called.others[:3])}"
    return "; nobody else on this machine"


def judge_devices(called: Called) -> Seen:
    """Judge the devices."""
    if not called.devices:
        return fault("PARTNER-NO-DEVICES", "the list is empty")
    offline = [name for name, online in called.devices if online is False]
    if not offline:
        return good(f"{len(called.devices)} devices, none offline")
    seen = f"of {len(called.devices)} devices offline: {', '.join(offline[:5])}"
    all_of_them = len(offline) == len(called.devices)
    return fault("PARTNER-DEVICE-OFFLINE", seen) if all_of_them else note(seen, "PARTNER-DEVICE-OFFLINE")


def judge_no_picture(error: RingError) -> Seen:
    """Judge why there is no picture of the last event; that it was not recorded is no fault of anybody."""
    if error.code in ("PARTNER-NO-FOOTAGE", "PARTNER-NOT-READY", "PARTNER-ENCRYPTED"):
        return note(error.detail or error.fault.title, error.code)
    return failed(error)


def judge_dormant(waiting: int | None) -> Seen:
    """Judge links that wait for their PATCH."""
    if waiting is None:
        return skipped("no links are kept here, and Ring does not tell how they stand")
    return fault("LINK-DORMANT", f"{waiting} confirmed, and not completed") if waiting else good("none waits")


def judge_delivery(delivered: Delivered) -> Seen:
    """Judge how a webhook receiver took a delivery."""
    took = f"after {delivered.seconds:.1f} s"
    if delivered.status is None:
        return fault("HOOK-LATE", f"no answer {took}")
    if delivered.seconds > ANSWER_WITHIN:
        return fault("HOOK-LATE", f"HTTP {delivered.status} {took}")
    if not delivered.signed and delivered.status in (401, 403):
        return good(f"an unsigned delivery is refused (HTTP {delivered.status}) {took}")
    if 200 <= delivered.status < 300:
        if not delivered.signed:
            return note(f"an unsigned delivery was taken (HTTP {delivered.status}): anybody can send events there")
        return good(f"HTTP {delivered.status} {took}")
    if 400 <= delivered.status < 500:
        return fault("HOOK-LOST", f"HTTP {delivered.status} {took}")
    if delivered.status >= 500:
        return fault("HOOK-FAILING", f"HTTP {delivered.status} {took}")
    return fault("HOOK-REDIRECT", f"HTTP {delivered.status} {took}")
