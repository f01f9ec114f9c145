"""Who may tell us something: signature and time of a delivery, and what it is answered."""

import hashlib
import hmac
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webhook_bodies import ACCOUNT, DOORBELL, KEY, PRESS, SENT_AT, body

from ringlight.errors import RingError, SetupError, WebhookRefused, fault_error
from ringlight.faults import FAULTS
from ringlight.partner.webhooks import ButtonPressed, Verifier, signature_of
from ringlight.partner.webhooks.decision import MAX_BODY, Arrival, Notices, answer_to, judge
from ringlight.secrets import Secret

# The key of the example in docs/reference/partner-api.md.
VECTOR_KEY = "c2FtcGxlLWhtYWMta2V5LW5vdC1yZWFsLTAxMjM0NTY="
DOCUMENTED = "sha256=4bf9fdc163139483752369151c3bc90fde852aec48961b16370cd1fccdc18845"


def refused(
    arrival_body: bytes, signature: str | None, *, now: float = SENT_AT, verifier: Verifier | None = None
) -> str:
    with pytest.raises(WebhookRefused) as caught:
        (verifier or Verifier(KEY)).verify(arrival_body, signature, now=now)
    return caught.value.code


def test_the_example_with_its_signature_is_taken() -> None:
    """The key is the text that the portal shows. Decoded from Base64 it signs something else."""
    assert len(PRESS) == 465
    event = Verifier(VECTOR_KEY).verify(PRESS, DOCUMENTED, now=SENT_AT)
    assert type(event) is ButtonPressed
    assert (event.account, event.device, event.timestamp) == (ACCOUNT, DOORBELL, 1_790_000_000_000)
    assert event.time_ns == 1_790_000_000_125_000_000
    assert signature_of(PRESS, VECTOR_KEY) == DOCUMENTED


@pytest.mark.parametrize("header", [None, "", "   "])
def test_without_a_signature_it_is_refused(header: str | None) -> None:
    assert refused(PRESS, header) in {"HOOK-UNSIGNED", "HOOK-SIGNATURE"}


@pytest.mark.parametrize(
    "header",
    [
        "sha256=" + "0" * 64, "sha256=", signature_of(PRESS, KEY)[7:], "sha1=" + signature_of(PRESS, KEY)[7:],
        signature_of(PRESS, KEY)[:-1], signature_of(PRESS, KEY) + "0", signature_of(PRESS, "another key"),
        signature_of(PRESS[:-1], KEY), "sha256=ü", "\ud800",
    ],
)  # fmt: skip
def test_any_other_signature_is_refused(header: str) -> None:
    assert refused(PRESS, header) == "HOOK-SIGNATURE"


def test_a_body_that_was_decoded_and_encoded_again_has_lost_its_signature() -> None:
    """A proxy or a framework that hands on the parsed body breaks it, though it says the same."""
    assert refused(json.dumps(json.loads(PRESS)).encode(), signature_of(PRESS, KEY)) == "HOOK-SIGNATURE"


def test_while_a_key_is_replaced_both_are_good() -> None:
    verifier = Verifier("new", Secret("old"))
    for key in ("new", "old"):
        assert verifier.verify(PRESS, signature_of(PRESS, key), now=SENT_AT).type == "button_press"
    assert refused(PRESS, signature_of(PRESS, "older"), verifier=verifier) == "HOOK-SIGNATURE"


@pytest.mark.parametrize("keys", [(), ("",), (KEY, "")])
def test_an_empty_key_is_no_key(keys: tuple[str, ...]) -> None:
    """With it everybody could sign."""
    with pytest.raises(SetupError):
        Verifier(*keys)


@pytest.mark.parametrize(
    ("late", "code"),
    [(0, ""), (4400, ""), (72 * 3600 + 4400, ""), (76 * 3600, "HOOK-OLD"), (-299, ""), (-301, "HOOK-FUTURE")],
)
def test_the_signed_time_must_be_near_on_both_sides(late: float, code: str) -> None:
    """Ring's own last attempts, and the replay from its dead letters, are not too old."""
    signature = signature_of(PRESS, KEY)
    if code:
        assert refused(PRESS, signature, now=SENT_AT + late) == code
    else:
        Verifier(KEY).verify(PRESS, signature, now=SENT_AT + late)


@given(st.binary(max_size=300), st.text(max_size=90))
def test_what_nobody_has_signed_is_never_read(content: bytes, header: str) -> None:
    assert refused(content, header) in {"HOOK-UNSIGNED", "HOOK-SIGNATURE"}


@given(st.binary(max_size=300), st.text(string.printable, min_size=1, max_size=50))
def test_whatever_is_signed_is_an_event_or_a_refusal(content: bytes, key: str) -> None:
    header = "sha256=" + hmac.new(key.encode(), content, hashlib.sha256).hexdigest()
    assert Verifier(key).is_signed(content, header)
    assert refused(content, header, verifier=Verifier(key)) == "HOOK-FORM"


# The decision


def judged(**changes: object) -> str:
    values = {"body": PRESS, "content_type": "application/json", "signature": signature_of(PRESS, KEY)} | changes
    try:
        judge(Arrival(**values), Verifier(KEY), now=SENT_AT)  # type: ignore[arg-type]
    except RingError as error:
        return error.code
    return "taken"


def test_only_json_of_a_sensible_length_is_looked_at() -> None:
    assert judged() == judged(content_type="Application/JSON; charset=utf-8") == "taken"
    assert judged(content_type=None) == judged(content_type="text/plain") == "HOOK-TYPE"
    assert judged(content_type="application/json-patch") == "HOOK-TYPE"
    large = b" " * (MAX_BODY + 1)
    assert judged(body=large, signature=signature_of(large, KEY)) == "HOOK-SIZE"


def test_a_type_that_nobody_knows_is_taken() -> None:
    """4xx would lose it for ever, and count against the address."""
    new = body("doorbell_sang")
    assert judged(body=new, signature=signature_of(new, KEY)) == "taken"


# These are of somebody else's receiver, which the doctor tries.
OF_OTHERS = {"HOOK-FAILING", "HOOK-LATE", "HOOK-LOST", "HOOK-REDIRECT", "HOOK-UNDELIVERED"}


@pytest.mark.parametrize(
    "code",
    [code for code in FAULTS if code.startswith(("STORE-", "HOOK-", "CFG-", "SERVER-")) and code not in OF_OTHERS],
)
def test_what_is_our_own_failure_is_never_answered_4xx(code: str) -> None:
    error = fault_error(code)
    assert answer_to(error).status == (error.fault.http if isinstance(error, WebhookRefused) else 503)
    assert (400 <= answer_to(error).status < 500) == isinstance(error, WebhookRefused)
    assert answer_to(None).status == 200


def test_a_thousand_forgeries_are_two_lines_in_the_log() -> None:
    notices = Notices(every=60)
    told = [notices.due("HOOK-SIGNATURE", now / 10) for now in range(1000)]
    assert [count for count in told if count is not None] == [1, 600]
    assert notices.due("HOOK-OLD", 99.9) == 1
