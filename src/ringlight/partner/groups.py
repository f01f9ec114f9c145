"""The client's methods, by what they are about. Each holds a conversation of the module of that name."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Generic, TypeVar

from ringlight.partner import chimes, devices, history, integrations, live, locations, media, subscriptions, users
from ringlight.partner.capabilities import Capabilities
from ringlight.partner.configurations import Configurations
from ringlight.partner.documents import Listing
from ringlight.partner.download import Saved
from ringlight.partner.paging import Page, Pages
from ringlight.partner.running import Progress, Runner, Target
from ringlight.partner.status import DeviceStatus
from ringlight.resilience.options import Options

__all__ = ["Chimes", "Devices", "Group", "History", "Integrations", "Live", "Locations", "Media", "Paged"]
__all__ += ["Subscriptions", "Users"]

T = TypeVar("T")


class Paged(Generic[T]):
    """A list that comes in pages, asked for while it is gone through; going through it again goes on from there.

    After an error it may be gone on with too: nothing that could be read is lost.
    """

    def __init__(self, pages: Pages[T], runner: Runner, options: Options) -> None:
        self._pages = pages
        self._runner = runner
        self._options = options

    @property
    def cursor(self) -> str | None:
        """Where the next page begins, for another list; `None` for the first, and after the last."""
        return None if self._pages.done else self._pages.cursor

    def pages(self) -> Iterator[Page[T]]:
        """Go through it page by page; each says what of it could not be read."""
        while not self._pages.done:
            yield self._runner.run(self._pages.page(), self._options)

    def __iter__(self) -> Iterator[T]:
        """Go through its items; what could not be read is left out."""
        for page in self.pages():
            yield from page.items


class Group:
    """Methods about one subject."""

    def __init__(self, runner: Runner, options: Options) -> None:
        self._runner = runner
        self._options = options


class Users(Group):
    """The account's owner."""

    def me(self) -> users.User:
        """Ask whose account the token is for."""
        return self._runner.run(users.Users(self._runner.setup.api).me(), self._options)


class Locations(Group):
    """Where devices are."""

    def list(self) -> Listing[locations.Location]:
        """List the account's places. Ring does not document this; the live service answers it."""
        return self._runner.run(locations.Locations(self._runner.setup.api).list(), self._options)


class Devices(Group):
    """The devices that a person shares with the app."""

    def list(self, *, include: Iterable[str] = (), fill: bool = False) -> Listing[devices.Device]:
        """List the devices.

        Args:
            include: What of each comes along: `status`, `capabilities`, `configurations`, `location`.
            fill: Ask for each part that did not come along by itself; what fails is among the listing's `faults`, and
                its device is there all the same.
        """
        return self._runner.run(self._talk.list(include=include, fill=fill), self._options)

    def get(self, device_id: str, *, include: Iterable[str] = ()) -> devices.Device:
        """Ask for one device."""
        return self._runner.run(self._talk.get(device_id, include=include), self._options)

    def status(self, device_id: str) -> DeviceStatus:
        """Ask how a device is just now."""
        return self._runner.run(self._talk.status(device_id), self._options)

    def capabilities(self, device_id: str, *, component_id: str | None = None) -> Capabilities:
        """Ask what a device can do; of several cameras in it, one."""
        return self._runner.run(self._talk.capabilities(device_id, component_id=component_id), self._options)

    def configurations(self, device_id: str, *, component_id: str | None = None) -> Configurations:
        """Ask how a device is set up; of several cameras in it, one."""
        return self._runner.run(self._talk.configurations(device_id, component_id=component_id), self._options)

    def location(self, device_id: str) -> locations.Location | None:
        """Ask where a device is; `None` if it is at no place that Ring knows."""
        return self._runner.run(self._talk.location(device_id), self._options)

    @property
    def _talk(self) -> devices.Devices:
        return devices.Devices(self._runner.setup.api)


class History(Group):
    """What happened at a device."""

    def events(
        self, device_id: str, *, event_types: Iterable[str] = (), cursor: str | None = None
    ) -> Paged[history.Event]:
        """Go through a device's events, newest first; there are those since the person's consent.

        Args:
            device_id: The device.
            event_types: `motion`, `ding`, `on_demand`, or with a subtype `motion.human`; none means all.
            cursor: That of a former list or of its error, to go on from there.
        """
        pages = history.History(self._runner.setup.api).pages(device_id, event_types=event_types, cursor=cursor)
        return Paged(pages, self._runner, self._options)


class Media(Group):
    """Footage that is there already. Asking never makes a camera record."""

    def clip(
        self,
        device_id: str,
        start: datetime | int,
        seconds: float,
        *,
        to: Target,
        progress: Progress | None = None,
        codec: str | None = None,
        frame_rate: int | None = None,
        size: tuple[int, int] | None = None,
        sound: bool | None = None,
        component_id: str | None = None,
    ) -> Saved:
        """Save a clip as MP4, as it comes: it is never in memory as a whole. A cut line is taken up where it broke.

        Args:
            device_id: The camera.
            start: When it begins; a time with its zone, or milliseconds since 1970.
            seconds: How long it is; at most 900.
            to: A path, at which the file is once it is whole; or a sink, such as `Memory()`.
            progress: Is told the bytes that are there, and how many there will be or `None`.
            codec: `avc` or `hevc`; `None` leaves it to the device.
            frame_rate: At most 25.
            size: Width and height, at most 1920 by 1080.
            sound: Whether it has sound; Ring's default is without.
            component_id: Of several cameras in a device, which.

        Raises:
            MediaNotReadyError: PARTNER-NOT-READY or PARTNER-NO-FOOTAGE, two minutes after the end of its time.
            MediaError: PARTNER-ENCRYPTED, or the disk does not take it.
        """
        wish = media.Media(self._runner.setup.api).clip(
            device_id, start, seconds, codec=codec, frame_rate=frame_rate, size=size, sound=sound,
            component_id=component_id,
        )  # fmt: skip
        return self._runner.fetch(wish, to, progress, self._options)

    def still(
        self,
        device_id: str,
        at: datetime | int | None = None,
        *,
        to: Target,
        progress: Progress | None = None,
        since: datetime | int | None = None,
        until: datetime | int | None = None,
        format: str | None = None,  # noqa: A002 - the API's own name
        size: tuple[int, int] | None = None,
        component_id: str | None = None,
    ) -> Saved:
        """Save a picture: that at a moment, or the latest of some time.

        Args:
            device_id: The camera.
            at: The moment; Ring takes the nearest picture within ten seconds.
            to: As for `clip`.
            progress: As for `clip`.
            since: In place of `at`: the beginning of the time, of which the latest picture is taken.
            until: The end of that time, at most a day after `since`; `None` is now.
            format: `jpeg` or `png`.
            size: Width and height, at most 1920 by 1080.
            component_id: Of several cameras in a device, which.

        Raises:
            MediaNotReadyError: As for `clip`.
            MediaError: As for `clip`.
        """
        wish = media.Media(self._runner.setup.api).still(
            device_id, at, since=since, until=until, format=format, size=size, component_id=component_id
        )
        return self._runner.fetch(wish, to, progress, self._options)


class Subscriptions(Group):
    """The account's subscriptions."""

    def list(self) -> Listing[subscriptions.Subscription]:
        """List all of them. Before the app is published there are none, whoever asks."""
        return self._runner.run(subscriptions.Subscriptions(self._runner.setup.api).list(), self._options)

    def each(self, *, cursor: str | None = None) -> Paged[subscriptions.Subscription]:
        """Go through them, in pages of 25."""
        pages = subscriptions.Subscriptions(self._runner.setup.api).pages(cursor=cursor)
        return Paged(pages, self._runner, self._options)


class Integrations(Group):
    """The link between the app and the account."""

    def confirm(self, nonce: str, *, account_identifier: str | None = None) -> integrations.Integration:
        """Confirm with the nonce whose account it is; it then stands at `awaiting`.

        Args:
            nonce: As it came with the person's browser. It is good once, for ten minutes.
            account_identifier: The account in the app, masked, such as `m***a@shop.example`.

        Raises:
            BadRequestError: PARTNER-NONCE.
            NotFoundError: PARTNER-NOT-LINKED.
        """
        return self._runner.run(self._talk.confirm(nonce, account_identifier=account_identifier), self._options)

    def complete(self, *, account_identifier: str | None = None) -> integrations.Integration:
        """Say that the app is set up. Without this the link stays dormant.

        Raises:
            BadRequestError: PARTNER-TRANSITION.
            NotFoundError: PARTNER-NOT-LINKED.
        """
        return self._runner.run(self._talk.complete(account_identifier=account_identifier), self._options)

    def pause(self, *, account_identifier: str | None = None) -> integrations.Integration:
        """Put the link back to `awaiting`: the most an app can do that may not unlink."""
        return self._runner.run(self._talk.pause(account_identifier=account_identifier), self._options)

    def remove(self) -> None:
        """End the link. Only apps that began it themselves may.

        Raises:
            PermissionDeniedError: PARTNER-ONE-WAY, Ring began it.
        """
        return self._runner.run(self._talk.remove(), self._options)

    @property
    def _talk(self) -> integrations.Integrations:
        return integrations.Integrations(self._runner.setup.api)


class Chimes(Group):
    """Chimes."""

    def play(
        self, device_id: str, audio_ref: str | None = None, *, body: Mapping[str, object] | None = None
    ) -> chimes.Playback:
        """Play a sound that is in one of the app's slots. Other sounds cannot be played.

        Args:
            device_id: The chime.
            audio_ref: The slot's sound, from `devices.configurations`.
            body: The whole body in place of the documented one: sources disagree about its form.
        """
        return self._runner.run(
            chimes.Chimes(self._runner.setup.api).play(device_id, audio_ref, body=body), self._options
        )


class Live(Group):
    """Live views, by WHEP."""

    def open(self, device_id: str, offer: str, *, component_id: str | None = None) -> live.LiveSession:
        """Open a live view. It wakes the camera, records, and ends by itself after 30 or 60 s.

        Args:
            device_id: The camera.
            offer: An SDP that is whole: candidates cannot be sent later. Video must be `recvonly`.
            component_id: Of several cameras in a device, which.

        Raises:
            DeviceOfflineError: PARTNER-DEVICE-OFFLINE.
            BadAnswerError: PARTNER-ANSWER without an SDP; PARTNER-ORIGIN, the session is at another origin.
        """
        return self._runner.run(
            live.Live(self._runner.setup.api).open(device_id, offer, component_id=component_id), self._options
        )

    def close(self, session: live.LiveSession) -> None:
        """Close a live view. One that has ended already is closed too."""
        return self._runner.run(live.Live(self._runner.setup.api).close(session), self._options)
