"""The exceptions of Ringlight. Each carries a row of the catalogue; classes follow what a caller does next."""

from dataclasses import dataclass

from ringlight.faults import FAULTS, Fault, Retry
from ringlight.foreign import one_line

__all__ = [
    "AuthError",
    "AuthenticationError",
    "BadAnswerError",
    "BadRequestError",
    "BudgetSpent",
    "CallError",
    "CameraError",
    "CircuitOpen",
    "DeadlineExceeded",
    "DeviceOfflineError",
    "ElsewhereError",
    "ErrorItem",
    "InternalServerError",
    "LinkLost",
    "MediaError",
    "MediaNotReadyError",
    "NetworkError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateGateFull",
    "RateLimitError",
    "RateLimited",
    "Refused",
    "RingError",
    "ServiceUnavailableError",
    "SetupError",
    "SignalingError",
    "StatusError",
    "StoreError",
    "TokenEndpointUnavailable",
    "UsageError",
    "WebhookRefused",
    "fault_error",
]


LONGEST_DETAIL = 600  # characters; the longest of ours that say all have some 300


class RingError(Exception):
    """The root of every exception that Ringlight raises.

    Attributes:
        code: The fault's code, a key of the catalogue.
        detail: What was seen in this case, without secrets, on one line that can be printed and of at most
            `LONGEST_DETAIL` characters; `None` if the row says it all.
        retry_after: Seconds that the other side asked us to wait, or `None`.
        cursor: How far a listing in pages had come, to begin again there; `None` for all else.
        operation: The kind of call to the Partner API that it ended, such as `devices.list`; `None` for all else.
        device: The device that the call was about.
        request_id: By which Ring finds the call's last attempt in its logs.
        attempts: How many times the call was sent.
    """

    cursor: str | None = None
    operation: str | None = None
    device: str | None = None
    request_id: str | None = None
    attempts: int | None = None

    def __init__(self, code: str, detail: str | None = None, *, retry_after: float | None = None) -> None:
        self.code = code
        # Words of another side may be in it, wherever they came in: safe for a line of a log and for a terminal.
        self.detail = detail if detail is None or _is_fit(detail) else one_line(detail, LONGEST_DETAIL)
        self.retry_after = retry_after
        super().__init__(code, self.detail)

    @property
    def fault(self) -> Fault:
        """The row of the catalogue."""
        return FAULTS[self.code]

    @property
    def fix(self) -> str:
        """What to do about it."""
        return self.fault.fix

    @property
    def is_transient(self) -> bool:
        """Whether the same may go well another time, with nothing changed by anybody."""
        return self.fault.retry in (Retry.NOW, Retry.BACKOFF)

    def __str__(self) -> str:
        seen = f" ({self.detail})" if self.detail else ""
        return f"{self.code}: {self.fault.cause}{seen}"

    def __reduce__(self) -> tuple[object, ...]:
        # All that was learned on the way travels along, notes (PEP 678) too; cause and traceback do not.
        known = self.__dict__.copy()
        if "__notes__" in known:
            known["__notes__"] = list(known["__notes__"])  # a copy goes on telling its own story
        return (_rebuild, (type(self), self.code, self.detail), known)


class AuthError(RingError):
    """The account is not signed in, or Ring refuses it: sign in again."""


class RateLimited(RingError):  # noqa: N818 - the name says what to do
    """Asked too often: wait `retry_after` seconds, or as the fix says."""


class CameraError(RingError):
    """The camera is unknown, offline or not allowed to show anything."""


class ElsewhereError(CameraError):
    """Another node shows the camera: ask there."""

    @property
    def url(self) -> str:
        """Where that node is found, without a slash at the end; empty where it has told no address."""
        return self.detail or ""


class SignalingError(RingError):
    """The dialog with Ring failed or ended: open a new view."""


class MediaError(RingError):
    """Packets, encryption, codecs or files failed after the dialog had worked."""


class NetworkError(RingError):
    """A host could not be reached, or did not answer in time."""


class UsageError(RingError):
    """The call was wrong: correct it."""


class WebhookRefused(RingError):  # noqa: N818 - the name says what was done
    """What came to the webhook's address is not a delivery of Ring for this app."""


class SetupError(RingError):
    """A setting, a port or a folder is wrong: the program cannot start."""


@dataclass(frozen=True, slots=True)
class ErrorItem:
    """One of the `errors` of a refusal, as the API words it. Every part may be missing, and then is empty.

    Attributes:
        status: The HTTP status as text.
        code: The API's own code, such as `RECORDING_NOT_READY`.
        title: Its headline.
        detail: Its sentence.
        pointer: The field of the request that it is about.
        id: By which Ring finds this refusal.
    """

    status: str = ""
    code: str = ""
    title: str = ""
    detail: str = ""
    pointer: str = ""
    id: str = ""


class CallError(RingError):
    """A call to the Partner API came to nothing, for a reason that only such a call has."""


class StatusError(CallError):
    """The Partner API answered, and not with what was asked for.

    Attributes:
        status: The HTTP status.
        errors: The refusal in the API's own words; often empty.
    """

    status: int | None = None
    errors: tuple[ErrorItem, ...] = ()


class BadRequestError(StatusError):
    """400, 422 and their like: the request will never be taken as it is."""


class AuthenticationError(StatusError, AuthError):
    """401, also with a renewed token: the account's owner may have removed the app."""


class PermissionDeniedError(StatusError):
    """403: scope, consent or ownership do not allow it."""


class NotFoundError(StatusError):
    """404 or 410: it does not exist, or is no longer shared."""


class RateLimitError(StatusError, RateLimited):
    """429: asked too often with this client id; wait `retry_after` seconds."""


class InternalServerError(StatusError):
    """500, 502, 504: the service failed; another try may help."""


class ServiceUnavailableError(StatusError):
    """503 of the service: it is overloaded or down for a while."""


class DeviceOfflineError(StatusError, CameraError):
    """503 of one device: it has no connection just now. Asking on does not wake it."""


class MediaNotReadyError(StatusError):
    """416 or 425: there is no footage of that time, or not yet."""


class BadAnswerError(StatusError):
    """The answer is not in a form that is known: a page of HTML, a cut body, a field of the wrong type."""


class Refused(CallError):  # noqa: N818 - it says what happened
    """We did not send it, or not once more: Ring was spared."""


class DeadlineExceeded(Refused):
    """The time for the whole call is over, or would be before it could end."""


class CircuitOpen(Refused):
    """The last calls failed, so that the service or device is left alone for `retry_after` seconds."""


class BudgetSpent(Refused):
    """So many calls had to be repeated that no further one is."""


class RateGateFull(Refused):
    """The line before the rate gate is longer than this call may wait."""


class StoreError(RingError):
    """What must outlive the process could not be read or kept."""


class LinkLost(AuthError):  # noqa: N818 - it says what happened
    """The link to a person's Ring account is gone for good: ask them to connect it again."""


class TokenEndpointUnavailable(AuthError):  # noqa: N818 - it says what happened
    """Tokens cannot be renewed just now. The link is not lost: try later."""


_CLASS_OF_CODE: dict[str, type[RingError]] = {
    "AUTH-CODE-LIMIT": RateLimited,
    "AUTH-EDGE-BLOCK": RateLimited,
    "AUTH-RATE": RateLimited,
    "CALL-BUDGET": BudgetSpent,
    "CALL-CIRCUIT": CircuitOpen,
    "CALL-DEADLINE": DeadlineExceeded,
    "CALL-GATE": RateGateFull,
    "CALL-GATE-ALONE": RateGateFull,
    "NET-INSIDE": BadAnswerError,
    "CAM-ELSEWHERE": ElsewhereError,
    "LINK-ANSWER": TokenEndpointUnavailable,
    "LINK-LOST": LinkLost,
    "LINK-UNAVAILABLE": TokenEndpointUnavailable,
    "PARTNER-ANSWER": BadAnswerError,
    "PARTNER-ARGUMENT": UsageError,
    "PARTNER-AUTH": AuthenticationError,
    "PARTNER-BAD-REQUEST": BadRequestError,
    "PARTNER-CONSENT": PermissionDeniedError,
    "PARTNER-CORRUPT": BadRequestError,
    "PARTNER-CUT": NetworkError,
    "HOOK-BUSY": StoreError,
    "HOOK-HANDLER": RingError,
    "HOOK-INTERRUPTED": RingError,
    "HOOK-UNDELIVERED": NetworkError,
    "PARTNER-DEVICE-OFFLINE": DeviceOfflineError,
    "PARTNER-ENCRYPTED": MediaError,
    "PARTNER-FORBIDDEN": PermissionDeniedError,
    "PARTNER-NO-FOOTAGE": MediaNotReadyError,
    "PARTNER-NONCE": BadRequestError,
    "PARTNER-NOT-FOUND": NotFoundError,
    "PARTNER-NOT-LINKED": NotFoundError,
    "PARTNER-NOT-READY": MediaNotReadyError,
    "PARTNER-ONE-WAY": PermissionDeniedError,
    "PARTNER-ORIGIN": BadAnswerError,
    "PARTNER-RATE": RateLimitError,
    "PARTNER-SCOPE": PermissionDeniedError,
    "PARTNER-SERVER": InternalServerError,
    "PARTNER-TRANSITION": BadRequestError,
    "PARTNER-UNAVAILABLE": ServiceUnavailableError,
    "PARTNER-UNPROCESSABLE": BadRequestError,
    "RING-RATE": RateLimited,
    "SIG-AUTH": AuthError,
    "SIG-TOKEN": AuthError,
    "STORE-ADDRESS": SetupError,
    "STORE-SEALED": SetupError,
}
_CLASS_OF_PREFIX: dict[str, type[RingError]] = {
    "ACCOUNT": AuthError,
    "AUTH": AuthError,
    "CALL": Refused,
    "CAM": CameraError,
    "CFG": SetupError,
    "CLOCK": RingError,
    "FAULT": UsageError,
    "FILE": MediaError,
    "HOOK": WebhookRefused,
    "KEY": UsageError,
    "LINK": AuthError,
    "MEDIA": MediaError,
    "MQTT": NetworkError,
    "NET": NetworkError,
    "NODE": NetworkError,
    "ORIGIN": UsageError,
    "OIDC": UsageError,
    "PARTNER": StatusError,
    "PUBLISH": MediaError,
    "REACH": NetworkError,
    "REQUEST": UsageError,
    "ROOM": UsageError,
    "RING": NetworkError,
    "SDP": MediaError,
    "SERVER": RingError,
    "SIG": SignalingError,
    "AUDIT": StoreError,
    "STORE": StoreError,
    "TICKET": AuthError,
    "TURN": NetworkError,
    "VIEWER": MediaError,
    "WEB": MediaError,
}


def fault_error(code: str, detail: str | None = None, *, retry_after: float | None = None) -> RingError:
    """Make the exception for a code, of the class that fits it.

    Raises:
        KeyError: The code is not in the catalogue; that is a mistake in our own code.
    """
    fault = FAULTS[code]
    error = _CLASS_OF_CODE.get(fault.code) or _CLASS_OF_PREFIX[fault.code.partition("-")[0]]
    return error(code, detail, retry_after=retry_after)


def _is_fit(detail: str) -> bool:
    return detail.isprintable() and len(detail) <= LONGEST_DETAIL


def _rebuild(kind: type[RingError], code: str, detail: str | None) -> RingError:
    return kind(code, detail)
