"""What the simulated Partner API does that another one might not: one description for each profile. Pure.

What is written about it and what was seen of it disagree (docs/reference/simulator.md#the-partner-api).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["PARTNER_PROFILES", "PartnerBehaviour"]


@dataclass(frozen=True, slots=True)
class PartnerBehaviour:
    """How the Partner API answers, as far as it may do so in several ways.

    Attributes:
        nulls: Whether what a device does not have is there as `null`; otherwise it is absent.
        image_url: Whether devices name a picture of themselves.
        error_style: Errors with all that is documented; with some of it missing; with next to nothing.
        empty_401: Whether 401 comes without a body.
        user_401: The status of `/v1/users/me` for a token that is not valid.
        bad_grant: The status of `invalid_grant`.
        empty_next: Whether an empty history names a next page.
        event_extras: Whether events name `cv_detections` and a `meta.riid`.
        authorises_first: Whether media requests are authorised, times included, before their form is judged.
        guessed_events: The status of `/v1/devices/{id}/events`, which does not exist.
        lists_locations: Whether `/v1/locations` is there.
        clip_status: 200 for the file itself, else the redirect to it.
        still_code: The code of 416 for a still picture; the clip's is `TIMESTAMP_NOT_FOUND`.
        length_header: The field with the length of a part of what was asked for.
        limit_headers: On which answers the limit is told.
        retry_date: Whether Retry-After names a time of day.
        page_size: Events of one page.
        keeps_filters: Whether the next page's address keeps the filters.
        time_as_text: Whether times of events are written as text.
        deleted: The status of a live view's end.
        gone: The status of the end of a view that is not there any more.
        relative_location: Whether the address of a live view begins with a slash.
        odd: Whether unknown fields, values, resources and characters come everywhere.
    """

    nulls: bool = False
    image_url: bool = False
    error_style: Literal["full", "sparse", "bare"] = "full"
    empty_401: bool = False
    user_401: int = 401
    bad_grant: int = 400
    empty_next: bool = True
    event_extras: bool = False
    authorises_first: bool = False
    guessed_events: int = 403
    lists_locations: bool = False
    clip_status: Literal[200, 301, 303] = 200
    still_code: str = "MEDIA_NOT_FOUND"
    length_header: str = "X-Media-Length"
    limit_headers: Literal["all", "refused", "none"] = "all"
    retry_date: bool = False
    page_size: int = 50
    keeps_filters: bool = True
    time_as_text: bool = False
    deleted: int = 200
    gone: int = 404
    relative_location: bool = False
    odd: bool = False


PARTNER_PROFILES: Mapping[str, PartnerBehaviour] = {
    "documented": PartnerBehaviour(user_401=403),
    "observed": PartnerBehaviour(
        nulls=True, image_url=True, error_style="sparse", empty_401=True, empty_next=False, event_extras=True,
        authorises_first=True, lists_locations=True, bad_grant=401, deleted=204,
    ),
    "hostile": PartnerBehaviour(
        nulls=True, image_url=True, error_style="bare", empty_401=True, user_401=403, event_extras=True,
        authorises_first=True, clip_status=303, still_code="TIMESTAMP_NOT_FOUND", length_header="X-Media-Duration",
        limit_headers="refused", retry_date=True, page_size=2, keeps_filters=False, time_as_text=True, deleted=204,
        gone=410, guessed_events=404, relative_location=True, odd=True,
    ),
}  # fmt: skip
