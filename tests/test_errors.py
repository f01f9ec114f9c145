"""Exceptions: of the class that says what to do, whole after a journey between processes, readable."""

import copy
import pickle

import pytest

from ringlight import errors
from ringlight.errors import LONGEST_DETAIL, RingError, fault_error
from ringlight.faults import FAULTS

CLASSES = {
    "AUTH-PASSWORD": errors.AuthError,
    "AUTH-EDGE-BLOCK": errors.RateLimited,
    "AUTH-CODE-LIMIT": errors.RateLimited,
    "AUTH-RATE": errors.RateLimited,
    "RING-RATE": errors.RateLimited,
    "RING-DOWN": errors.NetworkError,
    "ACCOUNT-ID": errors.AuthError,
    "TICKET-REFUSED": errors.AuthError,
    "CAM-OFFLINE": errors.CameraError,
    "SIG-TICKET": errors.SignalingError,
    "SIG-AUTH": errors.AuthError,
    "SIG-TOKEN": errors.AuthError,
    "NET-DNS": errors.NetworkError,
    "MEDIA-UDP": errors.MediaError,
    "SDP-CODEC": errors.MediaError,
    "VIEWER-OFFER": errors.MediaError,
    "FILE-WRITE": errors.MediaError,
    "CFG-INVALID": errors.SetupError,
    "HOOK-SIGNATURE": errors.WebhookRefused,
    "HOOK-BUSY": errors.StoreError,
    "HOOK-HANDLER": RingError,
    "HOOK-INTERRUPTED": RingError,
    "KEY-NEEDED": errors.UsageError,
    "ORIGIN-REFUSED": errors.UsageError,
    "PUBLISH-TOKEN": errors.MediaError,
    "REQUEST-INVALID": errors.UsageError,
    "ROOM-FULL": errors.UsageError,
    "FAULT-UNKNOWN": errors.UsageError,
    "SERVER-ERROR": RingError,
    "CALL-BUDGET": errors.BudgetSpent,
    "CALL-CIRCUIT": errors.CircuitOpen,
    "CALL-DEADLINE": errors.DeadlineExceeded,
    "CALL-GATE": errors.RateGateFull,
    "CALL-GATE-ALONE": errors.RateGateFull,
    "PARTNER-ANSWER": errors.BadAnswerError,
    "PARTNER-ARGUMENT": errors.UsageError,
    "PARTNER-AUTH": errors.AuthenticationError,
    "PARTNER-BAD-REQUEST": errors.BadRequestError,
    "PARTNER-CONSENT": errors.PermissionDeniedError,
    "PARTNER-CUT": errors.NetworkError,
    "PARTNER-DEVICE-OFFLINE": errors.DeviceOfflineError,
    "PARTNER-ENCRYPTED": errors.MediaError,
    "PARTNER-NO-FOOTAGE": errors.MediaNotReadyError,
    "PARTNER-NOT-FOUND": errors.NotFoundError,
    "PARTNER-NOT-READY": errors.MediaNotReadyError,
    "PARTNER-RATE": errors.RateLimitError,
    "PARTNER-SERVER": errors.InternalServerError,
    "PARTNER-STATUS": errors.StatusError,
    "PARTNER-UNAVAILABLE": errors.ServiceUnavailableError,
    "LINK-LOST": errors.LinkLost,
    "LINK-UNAVAILABLE": errors.TokenEndpointUnavailable,
    "LINK-ANSWER": errors.TokenEndpointUnavailable,
    "LINK-REFUSED": errors.AuthError,
    "AUDIT-BROKEN": errors.StoreError,
    "MQTT-BROKER": errors.NetworkError,
    "OIDC-STATE": errors.UsageError,
    "NODE-ALONE": errors.NetworkError,
    "CLOCK-JUMP": errors.RingError,
    "CAM-ELSEWHERE": errors.ElsewhereError,
    "REACH-MIXED": errors.NetworkError,
    "TURN-UNREACHABLE": errors.NetworkError,
    "WEB-DENIED": errors.MediaError,
    "STORE-UNREACHABLE": errors.StoreError,
    "STORE-ADDRESS": errors.SetupError,
}
# Those that other classes of ours are a kind of, so that one `except` does for both interfaces of Ring.
KINDS = {
    errors.AuthenticationError: errors.AuthError,
    errors.RateLimitError: errors.RateLimited,
    errors.DeviceOfflineError: errors.CameraError,
    errors.LinkLost: errors.AuthError,
    errors.TokenEndpointUnavailable: errors.AuthError,
    errors.DeadlineExceeded: errors.Refused,
    errors.StatusError: errors.CallError,
    errors.Refused: errors.CallError,
}


@pytest.mark.parametrize("code", CLASSES)
def test_the_class_says_what_a_caller_does_next(code: str) -> None:
    assert type(fault_error(code)) is CLASSES[code]


def test_every_family_of_codes_is_in_the_table_above() -> None:
    assert {code.partition("-")[0] for code in FAULTS} == {code.partition("-")[0] for code in CLASSES}


@pytest.mark.parametrize("code", FAULTS)
def test_an_error_tells_code_cause_and_what_was_seen(code: str) -> None:
    error = fault_error(code, "seen: x", retry_after=3.0)
    fault = FAULTS[code]
    assert isinstance(error, RingError)
    assert str(error) == f"{code}: {fault.cause} (seen: x)"
    assert str(fault_error(code)) == f"{code}: {fault.cause}"
    assert (error.code, error.detail, error.retry_after, error.fix) == (code, "seen: x", 3.0, fault.fix)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert (twin.code, twin.detail, twin.retry_after) == (code, "seen: x", 3.0)
        assert str(twin) == str(error)


def test_a_code_that_is_not_listed_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        fault_error("SIG-TYPO")


def test_all_classes_are_public_and_of_one_root() -> None:
    classes = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, RingError)}
    assert classes | {"ErrorItem", "fault_error"} == set(errors.__all__)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_the_official_interface_raises_is_caught_like_the_same_of_the_other(kind: type[RingError]) -> None:
    assert issubclass(kind, KINDS[kind])


def test_an_error_of_a_call_takes_along_what_is_known_of_the_call() -> None:
    """Nothing else travels: no cause, no traceback, no request."""
    error = fault_error("PARTNER-DEVICE-OFFLINE", "HTTP 503", retry_after=15.0)
    assert isinstance(error, errors.StatusError)
    assert (error.status, error.operation, error.device, error.request_id, error.attempts) == (None,) * 5
    assert error.errors == ()
    error.status, error.attempts, error.operation, error.request_id = 503, 3, "devices.status", "r-1"
    error.device = "ava1.ring.device.EXAMPLE"
    error.errors = (errors.ErrorItem(status="503", title="Device Unavailable"),)
    error.add_note("attempt 1: HTTP 503")
    error.__cause__ = ValueError("canary")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert vars(twin) == vars(error)
        assert twin.__notes__ == ["attempt 1: HTTP 503"]
        assert str(twin) == str(error)
    assert b"canary" not in pickle.dumps(error)


def test_notes_on_a_copy_are_the_copys_own() -> None:
    """Many calls may wait for one renewal; each tells its own story on its copy of the one error."""
    shared = fault_error("LINK-REFUSED")
    shared.add_note("attempt 1: HTTP 401")
    copy.copy(shared).add_note("of one caller")
    copy.copy(shared).add_note("of another")
    assert shared.__notes__ == ["attempt 1: HTTP 401"]


def test_every_class_survives_a_journey_and_leaves_its_cause_at_home() -> None:
    """Also those that no code leads to; what hangs on the error's chain (a request, a token) does not travel."""
    for name in errors.__all__:
        kind = getattr(errors, name)
        if not (isinstance(kind, type) and issubclass(kind, RingError)):
            continue
        error = kind("PARTNER-SERVER", "seen", retry_after=2.0)
        error.cursor = "page-3"
        error.add_note("attempt 1")
        try:
            try:
                raise ValueError("canary-9b")
            except ValueError as foreign:
                raise error from foreign
        except RingError as caught:
            twins = [pickle.loads(pickle.dumps(caught, number)) for number in range(pickle.HIGHEST_PROTOCOL + 1)]
            pickled = pickle.dumps(caught)
        for twin in (*twins, copy.copy(error), copy.deepcopy(error)):
            assert type(twin) is kind
            assert (vars(twin), str(twin), twin.args) == (vars(error), str(error), error.args)
        assert b"canary" not in pickled


def test_only_what_may_go_well_another_time_is_transient() -> None:
    assert fault_error("PARTNER-SERVER").is_transient
    assert not fault_error("PARTNER-CONSENT").is_transient


def test_what_another_side_wrote_stays_on_one_line() -> None:
    """It goes into logs, terminals and close frames; nobody shall write lines or colours there, or fill them."""
    error = fault_error("HOOK-TYPE", "text\r\nERROR all is lost\x1b[31m" + "x" * 5000)
    assert error.detail is not None
    assert error.detail.startswith("text ERROR all is lost [31mxxx")
    assert len(error.detail) == LONGEST_DETAIL
    assert str(error).isprintable()
