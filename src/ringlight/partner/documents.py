"""JSON:API documents as this API writes them: resources, what is included, and what of it can't be read. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ringlight.errors import BadAnswerError, RingError, StatusError, fault_error
from ringlight.http.flow import NotJson, Response
from ringlight.partner.parts import UNSET, Maybe
from ringlight.resilience.stale import Stale

__all__ = ["Document", "ItemFault", "Listing", "Resource", "bad_answer", "document", "object_of", "retold", "single"]

T = TypeVar("T")

_MEMBERS = frozenset({"type", "id", "attributes", "relationships"})
_NAME = re.compile(r"[\w.:/+-]{1,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as it came.

    Attributes:
        type: What it is; empty where it does not say.
        id: Opaque.
        attributes: Its fields.
        relationships: What it belongs to.
        extra: Whatever else it has, `meta` among it.
    """

    type: str
    id: str
    attributes: Mapping[str, object] = field(default_factory=dict, repr=False)
    relationships: Mapping[str, object] = field(default_factory=dict, repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False)

    def related(self, name: str) -> Maybe[tuple[str, str]]:
        """Return type and id of the one resource it names so; `None` if it says there is none."""
        value = self.relationships.get(name, UNSET)
        data = value.get("data", UNSET) if isinstance(value, dict) else UNSET
        if data is None:
            return None
        found = _identifier(data)
        return UNSET if found is None else found

    def related_ids(self, name: str) -> tuple[str, ...]:
        """Return the ids of all resources it names so, of whatever type (`devices` and `device` are both written)."""
        value = self.relationships.get(name)
        data = value.get("data") if isinstance(value, dict) else None
        found = [_identifier(item) for item in (data if isinstance(data, list) else [data])]
        return tuple(one[1] for one in found if one is not None)


@dataclass(frozen=True, slots=True)
class ItemFault:
    """What could not be had of a listing, while the rest could.

    Attributes:
        where: The place in the document, such as `data[3]`, or the part of an item, such as `status`.
        id: The item, as far as it is known.
        error: Why.
    """

    where: str
    id: str | None
    error: RingError


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """What a list came to. It is gone through like a list of its items.

    Attributes:
        items: All that could be read, in the API's order.
        faults: What could not; often empty.
        stale: How old it is, and why, where the last known good list stands in for one of now; else `None`.
    """

    items: tuple[T, ...]
    faults: tuple[ItemFault, ...] = ()
    stale: Stale | None = field(default=None, kw_only=True)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> T:
        return self.items[index]


@dataclass(frozen=True, slots=True)
class Document:
    """A document with a list in it.

    Attributes:
        resources: Those of the list that are resources.
        faults: Those that are none.
        included: What came along, by type and id.
        next: The address of the next page as it was written; `None` on the last.
    """

    resources: tuple[Resource, ...]
    faults: tuple[ItemFault, ...]
    included: Mapping[tuple[str, str], Resource]
    next: str | None

    def listing(self, read: Callable[[Resource], T]) -> Listing[T]:
        """Read each resource; what `read` refuses, and what is there twice, becomes a fault."""
        items: dict[str, T] = {}
        faults = list(self.faults)
        for resource in self.resources:
            if resource.id in items:
                faults.append(_item_fault("data", resource.id, "the id is there twice"))
                continue
            items[resource.id] = read(resource)
        return Listing(tuple(items.values()), tuple(faults))


def document(response: Response) -> Document:
    """Read an answer with a list.

    Raises:
        BadAnswerError: PARTNER-ANSWER, it is no document or has no list.
    """
    whole = object_of(response)
    data = whole.get("data", UNSET)
    if not isinstance(data, list):
        raise bad_answer(response, f"`data` is {_kind(data)}, not a list")
    resources, faults = [], []
    for index, item in enumerate(data):
        resource = _resource(item)
        if resource is not None:
            resources.append(resource)
        else:
            faults.append(_item_fault(f"data[{index}]", None, "it has no id"))
    return Document(tuple(resources), tuple(faults), _included(whole), _next(whole))


def single(response: Response) -> tuple[Resource | None, Mapping[tuple[str, str], Resource]]:
    """Read an answer with one resource, or with `null` for none, and what came along.

    Raises:
        BadAnswerError: PARTNER-ANSWER.
    """
    whole = object_of(response)
    data = whole.get("data", UNSET)
    resource = _resource(data)
    if resource is None and data is not None:
        raise bad_answer(response, f"`data` is {_kind(data)}, not a resource")
    return resource, _included(whole)


def object_of(response: Response) -> dict[str, object]:
    """Return the answer's JSON object.

    Raises:
        BadAnswerError: PARTNER-ANSWER.
    """
    try:
        body = response.json()
    except NotJson:
        raise bad_answer(response, "no JSON" if response.body else "an empty body") from None
    if not isinstance(body, dict):
        raise bad_answer(response, f"the document is {_kind(body)}")
    return body


def bad_answer(response: Response, problem: str) -> RingError:
    """Make the error for an answer that cannot be read; it tells what was missing, never what was there."""
    kind = _name(response.headers.get("content-type", "").partition(";")[0].strip()) or "no type"
    error = fault_error("PARTNER-ANSWER", f"HTTP {response.status}, {kind}: {problem}")
    if isinstance(error, BadAnswerError):
        error.status = response.status
        error.request_id = _name(response.headers.get("x-request-id", ""))
    return error


def retold(error: StatusError, code: str) -> RingError:
    """Return an error under a code that says more, with all that was known of the call."""
    told = fault_error(code, error.detail, retry_after=error.retry_after)
    told.__dict__.update({name: value for name, value in vars(error).items() if name != "code"})
    return told


def _resource(value: object) -> Resource | None:
    if not isinstance(value, dict):
        return None
    found = _identifier(value)
    if found is None:
        return None
    attributes, relationships = value.get("attributes"), value.get("relationships")
    return Resource(
        *found,
        attributes if isinstance(attributes, dict) else {},
        relationships if isinstance(relationships, dict) else {},
        {name: part for name, part in value.items() if name not in _MEMBERS},
    )


def _identifier(value: object) -> tuple[str, str] | None:
    if not isinstance(value, dict):
        return None
    kind, name = value.get("type"), value.get("id")
    return (kind if isinstance(kind, str) else "", name) if isinstance(name, str) and name else None


def _included(whole: Mapping[str, object]) -> dict[tuple[str, str], Resource]:
    items = whole.get("included")
    found = (_resource(item) for item in (items if isinstance(items, list) else []))
    return {(resource.type, resource.id): resource for resource in found if resource is not None}


def _next(whole: Mapping[str, object]) -> str | None:
    links = whole.get("links")
    link = links.get("next") if isinstance(links, dict) else None
    if isinstance(link, dict):  # the other form that JSON:API allows
        link = link.get("href")
    return link if isinstance(link, str) and link else None


def _item_fault(where: str, name: str | None, problem: str) -> ItemFault:
    return ItemFault(where, name, fault_error("PARTNER-ANSWER", f"{where}: {problem}"))


def _kind(value: object) -> str:
    return "missing" if value is UNSET else "null" if value is None else f"of type {type(value).__name__}"


def _name(text: str) -> str | None:
    return text if _NAME.fullmatch(text) else None
