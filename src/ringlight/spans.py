"""Spans of OpenTelemetry: what takes how long on the way from a page to a camera.

Nothing is imported and nothing made until `use` is called. What goes wrong in a provider or exporter fails no view.
"""

import contextlib
import logging
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ringlight.logs import set_about

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

__all__ = ["Span", "begin", "is_on", "provider", "trace_of", "use"]

log = logging.getLogger("ringlight")
# https://www.w3.org/TR/trace-context/#traceparent-header; ids of zeros only are invalid.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


class _Switch:
    """What `use` has switched on."""

    trace: Any = None  # the module `opentelemetry.trace`
    tracer: Any = None
    provider: Any = None


def use(tracers: "TracerProvider | None") -> None:
    """Make spans with the tracers of this provider from now on; `None` makes none any more.

    Raises:
        ImportError: opentelemetry-api is not installed.
    """
    if tracers is None:
        _Switch.trace = _Switch.tracer = _Switch.provider = None
        return
    from opentelemetry import trace  # noqa: PLC0415 - an extra

    _Switch.trace, _Switch.tracer, _Switch.provider = trace, tracers.get_tracer("ringlight"), tracers


def is_on() -> bool:
    """Whether spans are made."""
    return _Switch.tracer is not None


def provider() -> "TracerProvider | None":
    """Return whose spans they are, for parts that make their own; `None` where none are made."""
    found: TracerProvider | None = _Switch.provider
    return found


def trace_of(traceparent: str) -> str | None:
    """Return the trace that a `traceparent` header names; `None` where it names none."""
    found = _TRACEPARENT.fullmatch(traceparent)
    return found[1] if found is not None else None


class Span:
    """One span, or nothing where spans are off. Every method may be called in either case, and after the end too."""

    __slots__ = ("_context", "_last", "_span")

    def __init__(self, span: Any = None, context: Any = None) -> None:
        self._span = span
        self._context = context
        self._last = time.time_ns() if span is not None else 0

    def put(self, **attributes: str | float | bool) -> None:
        """Add attributes; `__` in a name stands for a dot."""
        if self._span is not None:
            self._span.set_attributes({name.replace("__", "."): value for name, value in attributes.items()})

    def step(self, name: str) -> None:
        """Note that a step is done, as a span of its own that began when the step before it ended."""
        if self._span is None:
            return
        now = time.time_ns()
        with _harmless():
            step = _Switch.tracer.start_span(name, self._context, start_time=self._last)
            step.end(now)
        self._last = now

    def happened(self, name: str, **attributes: str | float) -> None:
        """Note that something happened that took no time."""
        if self._span is not None:
            self._span.add_event(name, attributes)

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        """Let spans that begin inside of the `with`, and in tasks that begin there, be parts of this one."""
        if self._span is None or _Switch.trace is None:
            yield
            return
        with _Switch.trace.use_span(self._span, end_on_exit=False, record_exception=False):
            yield

    @contextlib.contextmanager
    def covering(self) -> Iterator[None]:
        """As `current`; and what the inside raises ends the span, with its code."""
        with self.current():
            try:
                yield
            except Exception as error:
                self.end(str(getattr(error, "code", type(error).__name__)))
                raise

    def name_in_log(self, traceparent: str = "") -> None:
        """Let the log of this task name its trace; where spans are off, the one that a `traceparent` names."""
        if self._span is not None:
            set_about(trace=f"{self._span.get_span_context().trace_id:032x}")
        elif (named := trace_of(traceparent)) is not None:
            set_about(trace=named)

    def end(self, code: str | None = None) -> None:
        """End it.

        Args:
            code: Our code for what went wrong; `None` where nothing did.
        """
        span, self._span = self._span, None
        if span is None:
            return
        with _harmless():
            if code is not None:
                span.set_attribute("error.type", code)
                if _Switch.trace is not None:
                    span.set_status(_Switch.trace.Status(_Switch.trace.StatusCode.ERROR))
            span.end()


_NO_SPAN = Span()


def begin(
    name: str, *, traceparent: str = "", is_server: bool = False, **attributes: str | float | bool
) -> Span:  # fmt: skip
    """Begin a span, as a part of the current one.

    Args:
        name: What is done; few different ones, so no ids.
        traceparent: Of whoever asked for it, and whose part it then is.
        is_server: Whether it answers somebody's request.
        attributes: What it is about; `__` in a name stands for a dot. Never a secret.
    """
    trace, tracer = _Switch.trace, _Switch.tracer
    if tracer is None:
        return _NO_SPAN
    with _harmless():
        kind = trace.SpanKind.SERVER if is_server else trace.SpanKind.INTERNAL
        named = {key.replace("__", "."): value for key, value in attributes.items()}
        span = tracer.start_span(name, _remote(traceparent), kind, named)
        return Span(span, trace.set_span_in_context(span))
    return _NO_SPAN


def _remote(traceparent: str) -> Any:
    """Return the context that a `traceparent` names; `None` is the current one."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    trace = _Switch.trace
    flags = trace.TraceFlags(int(found[3], 16) & 1)
    there = trace.SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(trace.NonRecordingSpan(there))


@contextlib.contextmanager
def _harmless() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever a foreign provider raises
        log.debug("telemetry failed: %s", type(error).__name__)
