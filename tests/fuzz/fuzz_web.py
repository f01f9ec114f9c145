"""Readers of answers of HTTP, of webhooks, and of what a request says: header fields, cookies, ranges."""

import msgspec
from fuzz_target import CORPUS, Target, answer_of, answered, codes, refusing
from starlette.datastructures import Headers

from ringlight.account import control, flows
from ringlight.account.answers import refusal
from ringlight.account.devices import parse_devices
from ringlight.account.events import parse_events
from ringlight.account.importing import parse_token_file
from ringlight.account.sign_in_pages import PageSignIn
from ringlight.cameras.clips import span_of
from ringlight.faults import FAULTS
from ringlight.http.address import base_of, host_of, hostname_of, is_loopback, netloc_of, rebase
from ringlight.http.cookies import Cookies
from ringlight.http.flow import Request, Response, drive_waiting
from ringlight.http.redaction import redacted
from ringlight.http.target import host_and_port, is_inside_by_name, pinned
from ringlight.partner import (
    api,
    capabilities,
    configurations,
    devices,
    documents,
    history,
    integrations,
    live,
    locations,
    media,
    status,
    subscriptions,
    token_calls,
    users,
)
from ringlight.partner.linking import check_time, match
from ringlight.partner.paging import Pages
from ringlight.partner.webhooks import Verifier
from ringlight.partner.webhooks.decision import Arrival, judge
from ringlight.partner.webhooks.events import parse as parse_delivery
from ringlight.partner.webhooks.signature import signature_of
from ringlight.publishing import whip
from ringlight.resilience.limits import limits
from ringlight.resilience.operation import Operation
from ringlight.resilience.refusals import read_refusal, said
from ringlight.resilience.retry_after import http_date, retry_after
from ringlight.secrets import Secret
from ringlight.server.access import Access
from ringlight.server.shown import shown_key

KEY = "c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ="
API = api.Api()
SECRET = Secret("access")
CAMERA = next(
    device
    for device in parse_devices(msgspec.json.decode((CORPUS / "account-devices" / "all.json").read_bytes())).cameras
    if device.has_siren
)
EVENT = parse_events(msgspec.json.decode((CORPUS / "account-events" / "history.json").read_bytes()), CAMERA.id)[0]
VERIFIER = Verifier(KEY)
APP = token_calls.App("client", Secret("secret of the app"))
VERIFIED = Secret("v" * 43)


def read_documents(data: bytes) -> None:
    """An answer of the Partner API, read as everything that it could be an answer to."""
    response = answer_of(data)
    readers = (
        devices._devices, devices._one_device, users._user, locations._locations, integrations._integration,
        live._answer, lambda one: documents.document(one).listing(history.event_of),
        lambda one: documents.document(one).listing(subscriptions.subscription_of),
        lambda one: documents.document(one).listing(capabilities.capabilities_of),
        lambda one: documents.document(one).listing(configurations.configurations_of),
        lambda one: documents.document(one).listing(status.status_of),
        lambda one: documents.document(one).listing(locations.location_of),
    )  # fmt: skip
    for read in readers:
        with refusing("PARTNER-ANSWER"):
            found = read(response)
            repr(found)
            _moments(found)


def _moments(found: object) -> None:
    for item in found if isinstance(found, documents.Listing) else ():
        for name in ("started_at", "ended_at", "last_report", "percent", "live_view_seconds", "is_on_mains"):
            getattr(item, name, None)


def read_pages(data: bytes) -> None:
    """A list that comes in pages never leaves the API, and never asks for the same page twice."""
    response = answer_of(data)
    pages = Pages(API, Operation("history.events"), ("history",), history.event_of, key="page[key]")
    asked = set()
    for _ in range(30):
        if pages.done:
            break
        conversation = pages.page()
        call = next(conversation)
        assert API.is_own(call.request.url)
        assert len(call.request.url) < 10_000
        assert call.request.url not in asked
        asked.add(call.request.url)
        try:
            conversation.send(call.decode(response))
        except StopIteration:
            continue


def read_refusals(data: bytes) -> None:
    """Words of a refusal are short and on one line; each answer that is none of a person's is a fault."""
    response = answer_of(data)
    assert len(said(read_refusal(response.body))) < 1000
    for at in ("token", "session", "clients_api", "device", "ticket"):
        request = Request("GET", "https://api.ring.com/x", {"hardware_id": "abc"}, at=at)
        error = refusal(request, response)
        assert error is None or (error.code in FAULTS and len(str(error.detail)) < 400)
    parts = [retry_after(response.headers), limits(response.headers)]
    assert parts[0] is None or 0 <= parts[0] <= 86_400  # type: ignore[operator]


def read_media_head(data: bytes) -> None:
    media.head_of(answer_of(data))


def read_partner_tokens(data: bytes) -> None:
    response = answer_of(data)
    for call in (token_calls.refresh(APP, Secret("former")), token_calls.code_exchange(APP, Secret("code"), VERIFIED)):
        with refusing("LINK-LOST LINK-CODE-EXPIRED LINK-REFUSED LINK-UNAVAILABLE LINK-ANSWER"):
            grant = drive_waiting(token_calls.ask(call), lambda _: response)
            assert 0 < grant.expires_in <= token_calls.LIFETIME_LONGEST


def read_account_tokens(data: bytes) -> None:
    answered(flows.sign_in("ada@ringlight.test", Secret("password"), None, "hardware"), answer_of(data))


def read_account_session(data: bytes) -> None:
    answered(flows.register_session(Secret("access"), "hardware"), answer_of(data))


def read_account_devices(data: bytes) -> None:
    found = parse_devices(_json(data))
    assert len({device.id for device in found.cameras}) == len(found.cameras)
    repr(found)
    assert all(note.isprintable() for note in found.notes)


def read_account_events(data: bytes) -> None:
    for event in parse_events(_json(data), 1001):
        assert event.id.isascii()


def read_account_control(data: bytes) -> None:
    """What Ring says to commands: a picture, a history, and where a recording is, which may be asked for then."""
    response = answer_of(data)
    for flow in (
        control.fresh_snapshot(SECRET, "hardware", CAMERA, after=0.0, within=5.0, streaming=False),
        control.events(SECRET, "hardware", CAMERA, limit=20),
        control.fetch_recording(SECRET, "hardware", EVENT),
        control.set_siren(SECRET, "hardware", CAMERA, on=True, seconds=5),
    ):
        with refusing(" ".join(_ACCOUNT)):
            *_, last = answered(flow, response)
            if last.foreign:
                assert last.bearer is None
                with refusing("NET-INSIDE"):
                    host_and_port(last.url)


def read_sign_in_pages(data: bytes) -> None:
    """Pages of Ring's sign-in, each behind the length of a line of dashes; we never leave its host."""
    first, *others = (answer_of(page) for page in data.split(b"\n-----\n")[:6])
    sign_in = PageSignIn("ada@ringlight.test", "hardware", VERIFIED, Secret("state"))
    for request in answered(sign_in.begin(Secret("password")), first, *others):
        assert hostname_of(request.url).endswith("ring.com"), request.url


def read_token_file(data: bytes) -> None:
    found = parse_token_file(data)
    assert found.refresh.reveal()


def read_whip(data: bytes) -> None:
    """A media server's answer: our token goes to its origin and nowhere else, and nobody leads us inside."""
    place = whip.Place(Secret("https://sfu.example/whip/room"), Secret("the token"))
    pages = [answer_of(page) for page in data.split(b"\n-----\n")[:7]]
    for request in answered(whip.publish(place, "v=0\r\n"), *pages):
        inside = api.origin_of(request.url) == ("https", "sfu.example", 443)
        assert request.bearer is None or inside, "the token left its origin"


def read_delivery(data: bytes) -> None:
    """A webhook: what is not signed is refused, whatever it is; what is signed is read or refused, never lost."""
    with refusing("HOOK-SIGNATURE"):
        VERIFIER.verify(data, "sha256=" + "0" * 64, now=1_790_000_000.0)
        raise AssertionError("a delivery that nobody has signed was taken")
    event = judge(Arrival(data, "application/json", signature_of(data, KEY)), VERIFIER, now=1_790_000_000.0)
    assert event.request_id
    assert parse_delivery(data) == event


def read_delivery_fields(data: bytes) -> None:
    """The fields of a delivery that is not Ring's."""
    kind, _, signature = data.decode("latin-1").partition("\n")
    judge(Arrival(b"{}", kind, signature), VERIFIER, now=0.0)


def read_link_query(data: bytes) -> None:
    nonce, _, time = data.decode("utf-8", "replace").partition("\n")
    assert match(nonce, time, ["ava1.ring.account.A"], [Secret(KEY)]) is None
    check_time(time, 1_790_000_000.0)


def read_retry_after(data: bytes) -> None:
    """Waits, dates and limits as header fields name them."""
    wait, _, date = data.decode("latin-1").partition("\n")
    found = retry_after({"retry-after": wait, "date": date})
    assert found is None or 0 <= found <= 86_400
    limits({"x-ratelimit-limit": wait, "x-ratelimit-remaining": date})
    told = limits({"ratelimit-policy": wait, "ratelimit": date})
    assert told is None or told.per_second is None or told.per_second >= 0
    http_date(wait)


def read_cookies(data: bytes) -> None:
    """Cookies go back in one field, whatever an answer sets."""
    cookies = Cookies()
    cookies.take(Response(200, set_cookies=tuple(data.decode("latin-1").split("\n")[:100])))
    for value in cookies.headers().values():
        assert value.reveal().isascii()
        assert value.reveal().isprintable()


def read_url(data: bytes) -> None:
    """Addresses that an answer names: shown without secrets, resolved, and never taken for our own."""
    url = data.decode("utf-8", "replace")
    for show in (host_of, hostname_of, netloc_of, is_loopback):
        show(url)
    assert len(api.shown_origin(url)) <= 100
    whole = api.resolve(url, "https://api.amazonvision.com/v1/x")
    if api.origin_of(whole) is not None:
        rebase(whole, "http://127.0.0.1:1")
    with refusing("PARTNER-ORIGIN"):
        assert API.own(url).startswith("https://api.amazonvision.com")
    with refusing("PUBLISH-REFUSED"):
        whip.Place(Secret("https://sfu.example/a"), Secret("t")).led_to(url)
    base_of("ring_url", url)
    with refusing("NET-INSIDE"):
        host, _ = host_and_port(url)
        assert hostname_of(pinned(url, {}, ["1.1.1.1"]).url) == "1.1.1.1"
        assert not is_inside_by_name(host)


def read_redaction(data: bytes) -> None:
    """A line of a log keeps nothing of a bearer token, whatever stands around it."""
    text = data.decode("utf-8", "replace")
    redacted(text)
    assert "canary4002canary4002" not in redacted(f"{text} Authorization: Bearer canary4002canary4002")


def read_request_fields(data: bytes) -> None:
    """What a request says of itself to the server: ranges, keys, origins."""
    text = data.decode("latin-1")
    span = span_of(text, 1000)
    assert span is None or 0 <= span[0] <= span[1] < 1000
    key = shown_key(text)
    assert key is None or key.reveal()
    lines = (text.split("\n") + [""] * 3)[:3]
    names = ("host", "origin", "sec-fetch-site")
    fields = Headers(raw=[(name.encode(), line.encode("latin-1")) for name, line in zip(names, lines, strict=True)])
    Access(True, frozenset({"https://page.example"}), any_loopback_origin=True).judge_origin("POST", "/api", fields)


def _json(data: bytes) -> object:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


_ACCOUNT = frozenset(code for code in FAULTS if code.startswith(("AUTH-", "ACCOUNT-", "RING-", "CAM-")))

TARGETS = (
    Target("partner-documents", read_documents),
    Target("partner-pages", read_pages, codes("PARTNER-ANSWER PARTNER-ORIGIN")),
    Target("partner-media", read_media_head, codes("PARTNER-ANSWER")),
    Target("partner-tokens", read_partner_tokens),
    Target("partner-webhook", read_delivery, codes("HOOK-FORM HOOK-OLD HOOK-FUTURE HOOK-SIZE")),
    Target("partner-webhook-fields", read_delivery_fields, codes("HOOK-TYPE HOOK-UNSIGNED HOOK-SIGNATURE")),
    Target("partner-link", read_link_query, codes("LINK-QUERY LINK-STALE")),
    Target("refusals", read_refusals),
    Target("account-tokens", read_account_tokens, _ACCOUNT),
    Target("account-session", read_account_session, _ACCOUNT),
    Target("account-devices", read_account_devices, codes("ACCOUNT-ANSWER")),
    Target("account-events", read_account_events, codes("ACCOUNT-ANSWER")),
    Target("account-control", read_account_control),
    Target("account-pages", read_sign_in_pages, _ACCOUNT),
    Target("account-token-file", read_token_file, codes("AUTH-IMPORT")),
    Target("whip", read_whip, codes("PUBLISH-ANSWER PUBLISH-BUSY PUBLISH-GONE PUBLISH-REFUSED PUBLISH-TOKEN")),
    Target("retry-after", read_retry_after),
    Target("cookies", read_cookies),
    Target("urls", read_url, codes("CFG-INVALID")),
    Target("redaction", read_redaction),
    Target("request-fields", read_request_fields, codes("ORIGIN-REFUSED")),
)
