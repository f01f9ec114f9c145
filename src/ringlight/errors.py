"""The exceptions of Ringlight. Each carries a row of the catalogue; classes follow what a caller does next."""

from ringlight.faults import FAULTS, Fault

__all__ = [
    "AuthError",
    "CameraError",
    "MediaError",
    "NetworkError",
    "RateLimited",
    "RingError",
    "SetupError",
    "SignalingError",
    "UsageError",
    "fault_error",
]


class RingError(Exception):
    """The root of every exception that Ringlight raises.

    Attributes:
        code: The fault's code, a key of the catalogue.
        detail: What was seen in this case, without secrets; `None` if the row says it all.
        retry_after: Seconds that the other side asked us to wait, or `None`.
    """

    def __init__(self, code: str, detail: str | None = None, *, retry_after: float | None = None) -> None:
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        super().__init__(code, detail)

    @property
    def fault(self) -> Fault:
        """The row of the catalogue."""
        return FAULTS[self.code]

    @property
    def fix(self) -> str:
        """What to do about it."""
        return self.fault.fix

    def __str__(self) -> str:
        seen = f" ({self.detail})" if self.detail else ""
        return f"{self.code}: {self.fault.cause}{seen}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.code, self.detail, self.retry_after))


class AuthError(RingError):
    """The account is not signed in, or Ring refuses it: sign in again."""


class RateLimited(RingError):  # noqa: N818 - the name says what to do
    """Asked too often: wait `retry_after` seconds, or as the fix says."""


class CameraError(RingError):
    """The camera is unknown, offline or not allowed to show anything."""


class SignalingError(RingError):
    """The dialog with Ring failed or ended: open a new view."""


class MediaError(RingError):
    """Packets, encryption, codecs or files failed after the dialog had worked."""


class NetworkError(RingError):
    """A host could not be reached, or did not answer in time."""


class UsageError(RingError):
    """The call was wrong: correct it."""


class SetupError(RingError):
    """A setting, a port or a folder is wrong: the program cannot start."""


_CLASS_OF_CODE: dict[str, type[RingError]] = {
    "AUTH-CODE-LIMIT": RateLimited,
    "AUTH-EDGE-BLOCK": RateLimited,
    "AUTH-RATE": RateLimited,
    "RING-RATE": RateLimited,
    "SIG-AUTH": AuthError,
    "SIG-TOKEN": AuthError,
}
_CLASS_OF_PREFIX: dict[str, type[RingError]] = {
    "ACCOUNT": AuthError,
    "AUTH": AuthError,
    "CAM": CameraError,
    "CFG": SetupError,
    "FAULT": UsageError,
    "FILE": MediaError,
    "KEY": UsageError,
    "MEDIA": MediaError,
    "NET": NetworkError,
    "ORIGIN": UsageError,
    "REQUEST": UsageError,
    "RING": NetworkError,
    "SDP": MediaError,
    "SERVER": RingError,
    "SIG": SignalingError,
    "TICKET": AuthError,
    "VIEWER": MediaError,
}


def fault_error(code: str, detail: str | None = None, *, retry_after: float | None = None) -> RingError:
    """Make the exception for a code, of the class that fits it.

    Raises:
        KeyError: The code is not in the catalogue; that is a mistake in our own code.
    """
    fault = FAULTS[code]
    error = _CLASS_OF_CODE.get(fault.code) or _CLASS_OF_PREFIX[fault.code.partition("-")[0]]
    return error(code, detail, retry_after=retry_after)


def _rebuild(kind: type[RingError], code: str, detail: str | None, retry_after: float | None) -> RingError:
    return kind(code, detail, retry_after=retry_after)
