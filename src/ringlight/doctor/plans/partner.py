"""Which checks an app at Ring's Partner API, and a camera of an account that is linked with it, have."""

from functools import partial

from ringlight.doctor import judging_calls, judging_views
from ringlight.doctor.evidence import Called, read_target
from ringlight.doctor.findings import Seen, good, skipped
from ringlight.doctor.plans.address import url_plan
from ringlight.doctor.plans.asked import Asked, own_host, quick
from ringlight.doctor.probes import calls, net
from ringlight.doctor.probes.linked_views import watch_linked
from ringlight.doctor.probes.services import read_store
from ringlight.doctor.running import Look, Once
from ringlight.errors import RingError
from ringlight.settings import Settings

__all__ = ["linked_camera_plan", "partner_plan"]


def partner_plan(settings: Settings, asked: Asked, *, needed: bool = True) -> list[Look]:
    """Look at the app at Ring's Partner API. `needed`: that nobody has linked an account yet is a fault."""
    partner = settings.partner
    kept = Once(lambda: read_store(partial(calls.kept, settings, asked.wall())))

    async def list_devices() -> Called:
        return await calls.call(settings, (await kept()).where)

    called = Once(list_devices)

    async def app() -> Seen:
        return judging_calls.judge_app(partner)

    async def keys() -> Seen:
        return judging_calls.judge_keys([key.reveal() for key in partner.hmac_keys])

    async def token() -> Seen:
        return judging_calls.judge_kept(await kept(), partner, needed=needed)

    async def call() -> Seen:
        return judging_calls.judge_call(await called())

    async def limit() -> Seen:
        return judging_calls.judge_limit(await called())

    async def devices() -> Seen:
        return judging_calls.judge_devices(await called())

    async def footage() -> Seen:
        try:
            return good(await calls.picture(settings, (await kept()).where))
        except RingError as error:
            return judging_calls.judge_no_picture(error)

    async def dormant() -> Seen:
        return judging_calls.judge_dormant(await read_store(partial(calls.dormant_links, settings)))

    base = settings.ring_url or "https://api.amazonvision.com"
    looks = [Look("partner-app", app), Look("partner-key", keys), Look("partner-token", token, needs=("partner-app",))]
    if settings.ring_url is None:
        looks += url_plan(base, asked, ring=True, path="/v1/users/me", shown="Partner API")
    needs = ("partner-token", "answer Partner API", "answer Ring")
    looks += [
        Look("partner-calls", call, needs=needs), Look("partner-limit", limit, needs=("partner-calls",)),
        Look("partner-devices", devices, needs=("partner-calls",)),
        Look("partner-footage", footage, needs=("partner-devices",)), Look("partner-link", dormant),
    ]  # fmt: skip
    return looks + _webhook_plan(settings, asked)


def linked_camera_plan(settings: Settings, name: str, asked: Asked) -> list[Look]:
    """Open a live view of a camera of a linked account, and look at what Ring and the camera do."""
    viewed = Once(lambda: watch_linked(quick(settings), name, asked.seconds))

    async def view() -> Seen:
        return judging_views.judge_dialog(await viewed())

    async def video() -> Seen:
        return judging_views.judge_video(await viewed())

    return [
        Look("partner-view", view, name, ("partner-calls",), patient=True),
        Look("video", video, name, ("partner-calls",), patient=True),
    ]


def _webhook_plan(settings: Settings, asked: Asked) -> list[Look]:
    """Send a signed delivery where that was asked for; an unsigned one to our own server, which must refuse it."""
    keys = settings.partner.hmac_keys
    own = f"http://{own_host(settings)}:{settings.server.port}/ring/webhook"
    account = (settings.partner.accounts or ["ringlight-doctor"])[0]

    async def webhook() -> Seen:
        if asked.webhook and not keys:
            return skipped("a signed delivery takes the app's key (partner.hmac_keys)")
        if not asked.webhook and not (await net.ask(read_target(own), key=settings.secret_key)).is_ringlight:
            return skipped("no server of ours runs; name a receiver with --webhook URL")
        sent = calls.deliver(asked.webhook or own, keys[0] if asked.webhook else None, account, asked.wall)
        return judging_calls.judge_delivery(await sent)

    return [Look("webhook", webhook, asked.webhook)] if asked.webhook or keys else []
