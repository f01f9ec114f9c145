"""What a fuzz target is: a reader of foreign bytes, and what may come of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ringlight.errors import LONGEST_DETAIL, RingError
from ringlight.http.flow import Flow, Request, Response

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True, slots=True)
class Target:
    """One reader.

    Attributes:
        name: Also of its folder in the corpus.
        feed: Gives bytes to the reader, and checks what comes of them where that can be done.
        faults: Codes that the reader may answer with. Any other exception is a finding.
        short: How many damaged inputs of each kind are tried in the short run; those that take long try fewer.
        longest: Bytes of the longest input; `None` is 64 kB. Who reads with a limit of its own has it tried too.
    """

    name: str
    feed: Callable[[bytes], object]
    faults: frozenset[str] = field(default=frozenset())
    short: int = 400
    longest: int | None = None

    def run(self, data: bytes) -> None:
        """Feed bytes; raise AssertionError, or what the reader raised, where it did not keep its word."""
        problem: RingError | None = None
        try:
            self.feed(data)
        except RingError as error:
            problem = error
        if problem is None:
            return
        assert problem.code in self.faults, f"{problem.code} is not declared: {problem.detail}"
        detail = problem.detail or ""
        assert len(detail) <= LONGEST_DETAIL, f"{problem.code}: a detail of {len(detail)} characters"
        # Else a stranger would write lines of our log, or colours into a terminal.
        assert detail.isprintable(), f"{problem.code}: a detail that cannot be printed: {detail!r}"

    def corpus(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of each file that is kept for it."""
        for path in sorted((CORPUS / self.name).iterdir()):
            yield path.name, path.read_bytes()


def codes(text: str) -> frozenset[str]:
    """Return the codes in a text with blanks."""
    return frozenset(text.split())


@contextmanager
def refusing(text: str) -> Iterator[None]:
    """Let these faults pass, whose codes are in a text with blanks; others are findings."""
    try:
        yield
    except RingError as error:
        if error.code not in codes(text):
            raise AssertionError(f"{error.code} is not declared: {error.detail}") from error


def answer_of(data: bytes) -> Response:
    """Read an answer of HTTP in a form that a fuzzer finds its way in: status, fields, an empty line, body.

    Fields are as an HTTP library hands them on: printable, without blanks around. `Set-Cookie` may come twice.
    """
    head, _, body = data.partition(b"\n\n")
    status, *lines = head.decode("latin-1").split("\n")
    fields, cookies = dict[str, str](), []
    for line in lines:
        name, _, value = line.partition(":")
        value = "".join(character for character in value if character >= " " and character != "\x7f").strip()
        if name.lower() == "set-cookie":
            cookies.append(value)
        else:
            fields[name] = value
    number = int(status) if status.isascii() and status.isdigit() and len(status) == 3 else 200
    return Response(number, fields, body, tuple(cookies))


def answered(flow: Flow[object], *answers: Response) -> list[Request]:
    """Run a flow, giving it these answers in turn, the last one again and again; return what it asked.

    Raises:
        RingError: What the flow raises.
    """
    asked: list[Request] = []
    try:
        request = next(flow)
        while True:
            asked.append(request)
            assert len(asked) < 50, "it asks without end"
            request = flow.send(answers[min(len(asked), len(answers)) - 1])
    except StopIteration:
        return asked
    finally:
        flow.close()
