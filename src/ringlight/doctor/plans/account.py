"""Which checks a person's Ring account and a camera of it have."""

from collections.abc import Sequence

from ringlight.cameras import Account
from ringlight.doctor import judging_views
from ringlight.doctor.evidence import Viewed
from ringlight.doctor.findings import Seen, failed, good, skipped
from ringlight.doctor.plans.asked import Asked
from ringlight.doctor.probes import views
from ringlight.doctor.running import Look, Once
from ringlight.errors import RingError, fault_error
from ringlight.liveview.trace import Trace

__all__ = ["account_plan", "camera_plan"]


def account_plan(account: Account, cameras: Sequence[str] = (), *, needed: bool = True) -> list[Look]:
    """Look at a person's Ring account. `needed`: that nobody is signed in is a fault."""

    async def token() -> Seen:
        try:
            await account.access_token()
            return good(f"signed in as {(await account.profile()).email}")
        except RingError as error:
            if error.code == "AUTH-SIGNED-OUT" and not needed:
                return skipped("nobody is signed in (`ringlight login`)")
            return failed(error)

    async def identity() -> Seen:
        await account.account_id()
        return good("Ring names one, and no message of a view holds it")

    async def listed() -> Seen:
        found = await account.devices()
        return judging_views.judge_cameras([(one.name, one.refusal) for one in found], cameras)

    async def websocket() -> Seen:
        return good(await views.open_signaling(account))

    return [
        Look("token", token, needs=("answer Ring",)),
        Look("account-id", identity, needs=("token",)),
        Look("cameras", listed, needs=("token",)),
        Look("websocket", websocket, needs=("token", "name signaling", "connect signaling")),
    ]


def camera_plan(
    account: Account, name: str, trace: Trace | None, asked: Asked, others: Sequence[str] = ()
) -> list[Look]:
    """Open a live view of a camera, and look at each half of the dialog and at the picture.

    Args:
        account: Whose it is.
        name: Its name or id.
        trace: Records the dialog.
        asked: For how long it is watched.
        others: Names of cameras that are not of this account, for who has mistyped one.
    """

    async def view() -> Viewed:
        try:
            camera = await account.camera(name)
        except RingError as error:
            if error.code != "CAM-UNKNOWN":
                raise
            raise fault_error("CAM-UNKNOWN", ", ".join((error.detail or "", *others))) from None
        if camera.device.refusal is not None:
            refused = fault_error(camera.device.refusal, f"Ring's device list says so of {camera.name}")
            return Viewed(refused)
        return await views.watch(account, camera, trace, asked.seconds)

    viewed = Once(view)

    async def messages() -> Seen:
        return judging_views.judge_messages(await viewed())

    async def dialog() -> Seen:
        return judging_views.judge_dialog(await viewed())

    async def video() -> Seen:
        return judging_views.judge_video(await viewed())

    needs = ("token", "websocket")
    return [
        Look("messages", messages, name, needs, patient=True),
        Look("dialog", dialog, name, needs, patient=True),
        Look("video", video, name, needs, patient=True),
    ]
