"""The long half: `make fuzz MINUTES=30` lets atheris look for inputs that no test has, led by what code they reach.

Each target gets an equal part of the time, in a process of its own. What was learned stays in `.fuzz/`, so that the
next run goes on from there. A finding is put into the corpus, where `make test` fails by it until it is mended.
"""

import argparse
import hashlib
import io
import os
import shutil
import sys
import tempfile
import traceback
from contextlib import redirect_stderr
from pathlib import Path

HERE = Path(__file__).parent
LEARNED = HERE.parent.parent / ".fuzz"
SLOWEST = 10  # seconds of one input
MEMORY = 1024  # MiB
NO_ATHERIS = (
    "make fuzz needs atheris, which has wheels for CPython 3.11 to 3.13 on Linux and macOS: "
    f"{sys.executable} -m pip install 'ringlight[fuzz]'. The short half needs nothing: pytest tests/fuzz"
)


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for all targets together")
    parser.add_argument("--only", default="", help="names of targets, separated by commas")
    given = parser.parse_args()
    sys.path.insert(0, str(HERE))
    try:
        import atheris
    except ImportError:
        print(NO_ATHERIS, file=sys.stderr)
        return 2
    with redirect_stderr(io.StringIO()), atheris.instrument_imports(["ringlight"], enable_loader_override=False):
        from fuzz_table import BY_NAME  # before any fork: that takes seconds
    names = [name for name in given.only.split(",") if name] or list(BY_NAME)
    unknown = sorted(set(names) - BY_NAME.keys())
    if unknown:
        print(f"there is no target {unknown[0]!r}; there are {', '.join(BY_NAME)}", file=sys.stderr)
        return 2
    findings = [found for name in names for found in _run_one(name, given.minutes * 60 / len(names))]
    for path in findings:
        print(f"found: {path}")
    print(f"{len(names)} targets, {given.minutes:g} minutes, {len(findings)} findings")
    return 1 if findings else 0


def _run_one(name: str, seconds: float) -> list[Path]:
    """Fuzz one target for a time, or until something is found: with that in the corpus it would end at once again."""
    learned = LEARNED / name
    learned.mkdir(parents=True, exist_ok=True)
    kept = HERE / "corpus" / name
    with tempfile.TemporaryDirectory(prefix="ringlight-fuzz-") as folder:
        log = Path(folder) / "log"
        status = _fork(name, log, [
            f"-max_total_time={max(1, int(seconds))}", f"-timeout={SLOWEST}", f"-rss_limit_mb={MEMORY}",
            "-max_len=8192", f"-artifact_prefix={folder}/", str(learned), str(kept),
        ])  # fmt: skip
        said = log.read_text(errors="replace")
        runs = [line for line in said.splitlines() if line.startswith(("Done", "#"))][-1:]
        print(f"{name}: {runs[0][:110] if runs else 'no run'}", flush=True)
        if status == 0:
            return []
        new = [path for path in Path(folder).iterdir() if path != log]
        if not new:
            raise RuntimeError(f"{name} cannot be fuzzed: {said[-2000:]}")
        print("\n".join(line for line in said.splitlines() if "Error" in line)[-1500:], flush=True)
        return [
            Path(shutil.move(path, kept / f"found-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"))
            for path in new
        ]


def _fork(name: str, log: Path, arguments: list[str]) -> int:
    """Fuzz in a process of its own, which libFuzzer ends; return its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        import atheris
        from fuzz_table import BY_NAME

        def feed(data: bytes) -> None:
            try:
                BY_NAME[name].run(data)
            except BaseException:  # noqa: BLE001 - whatever it was, it is kept
                traceback.print_exc()
                sys.stderr.flush()
                log.with_name("crash").write_bytes(data)
                os._exit(77)

        atheris.Setup([sys.argv[0], *arguments], feed)
        atheris.Fuzz()
    finally:
        os._exit(70)  # it does not come back here


if __name__ == "__main__":
    sys.exit(main())
