"""Where devices are, which is no finer than a state. Pure."""

from ringlight.http.flow import Response
from ringlight.partner.api import Group
from ringlight.partner.call import Conversation, ask
from ringlight.partner.documents import Listing, Resource, document
from ringlight.partner.parts import UNSET, Maybe, Part
from ringlight.resilience.operation import Operation

__all__ = ["Location", "Locations", "location_of"]


class Location(Part, frozen=True, kw_only=True):
    """A place at which a person has devices.

    Attributes:
        id: Opaque; a UUID in documents, with a prefix on the live service.
        country: As in ISO 3166, such as `US`.
        state: Of the United States mostly.
    """

    id: str
    country: Maybe[str] = UNSET
    state: Maybe[str] = UNSET


class Locations(Group):
    """Conversations about places."""

    def list(self) -> Conversation[Listing[Location]]:
        """List the account's places. Ring does not document this; the live service answers it."""
        return ask(self.api.call(Operation("locations.list"), "GET", self.api.url("locations"), _locations))


def location_of(resource: Resource) -> Location:
    """Read one."""
    return Location.read(resource.attributes, id=resource.id)


def _locations(response: Response) -> Listing[Location]:
    return document(response).listing(location_of)
