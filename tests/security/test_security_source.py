"""Rules of safety that the source itself can be asked about."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import ringlight

SOURCE = Path(ringlight.__file__).parent
# The simulator's passwords are in its documentation.
MODULES = [path for path in sorted(SOURCE.rglob("*.py")) if "simulator" not in path.relative_to(SOURCE).parts]

_SECRET = re.compile(
    r"(secret|token|password|passwd|pwd|nonce|signature|resume|digest|hmac|\bkey\b|verifier|state\b|ticket|csrf"
    r"|credential)",
    re.IGNORECASE,
)
# What looks like a secret by its name. A `Secret` compares itself in constant time; the others are none.
KNOWN = {
    "account/sign_in_pages.py: landed.state != self.state": "both are of class Secret",
    "http/keeping.py: self._bearer.token == token": "both are of class Secret",
    "partner/link.py: former.token == refused": "both are of class Secret",
    "partner/linking.py: nonce == link.spent": "both are of class Secret",
    "partner/linking.py: nonce == link.nonce": "both are of class Secret",
    "resilience/token_state.py: token == self.id": "a number of ours",
    "resilience/shared.py: key[0] == device": "the key of a mapping",
    "server/rtsp/credentials.py: named.get('nonce') != nonce": "everybody may know it; the proof of the key follows",
    "doctor/probes/owners.py: line.state == LISTENING": "the state of a socket",
    "doctor/probes/owners.py: line.state == ESTABLISHED": "the state of a socket",
    "nodes/leases.py: self.held.get(camera) == token": "the number of a lease of ours, which orders and proves nothing",
    "settings/reload.py: bool(old.partner.hmac_keys) != bool(new.partner.hmac_keys)": "whether there are any",
    "media/turn.py: number == STALE_NONCE": "the number of an error",
    "server/oidc/claims.py: claims.get('nonce') != nonce": "one the provider has signed, the other is in the cookie",
    "store/pair_database.py: Secret(kept) != over": "both are of class Secret",
    "store/pair_keyring.py: self._pieces(account, head) != ''.join((piece.reveal() for piece in pieces))": "as above",
    "store/inbox.py: self._c.state == state": "of a delivery",
}


def _comparisons(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        signs = node.ops if isinstance(node, ast.Compare) else []
        if not any(isinstance(sign, ast.Eq | ast.NotEq) for sign in signs):
            continue
        assert isinstance(node, ast.Compare)
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant | ast.Tuple) for side in sides):
            continue
        shown = [ast.unparse(side) for side in sides]
        if any(_SECRET.search(side.rpartition(".")[2]) or ".reveal()" in side for side in shown):
            yield f"{path.relative_to(SOURCE)}: {ast.unparse(node)}"


def test_secrets_are_compared_in_constant_time() -> None:
    """By `hmac.compare_digest`, or as `Secret`, which does so. A new comparison has to be judged and put down here."""
    found = {line for path in MODULES for line in _comparisons(path)}
    assert found == set(KNOWN)


def test_nothing_is_read_that_runs_what_it_reads() -> None:
    """No pickle, no YAML, no XML, nothing evaluated. What is unpacked is JSON, TOML and ZIP, with limits."""
    forbidden = {"pickle", "marshal", "shelve", "yaml", "xml", "lxml", "defusedxml", "tarfile", "dill", "jsonpickle"}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
                assert not {name.partition(".")[0] for name in names} & forbidden, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile"), path


def test_certificates_are_checked_but_where_nothing_secret_is_sent() -> None:
    """The doctor looks at certificates that are not trusted, to say why; DTLS is checked by its fingerprint."""
    careless = re.compile(r"CERT_NONE|check_hostname = False|verify=False|_create_unverified_context")
    found = {str(path.relative_to(SOURCE)) for path in MODULES if careless.search(path.read_text(encoding="utf-8"))}
    assert found == {"doctor/probes/net.py"}


def test_each_exception_from_a_rule_of_safety_has_its_reason() -> None:
    """Ruff's rules `S` are those of bandit; a line that is excepted says why behind ` - `."""
    for path in SOURCE.rglob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            excepted = re.search(r"# noqa: (?:[A-Z]+\d+, ?)*S\d+(?:, ?[A-Z]+\d+)*(.*)", line)
            assert excepted is None or excepted[1].startswith(" - "), f"{path.name}:{number} {line.strip()}"
