"""The regular expressions of the package, found in its source, and strings that would make a bad one slow."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# How `re` itself reads a pattern; it has no public name since Python 3.11.
sre = importlib.import_module("re._constants")
sre_parser = importlib.import_module("re._parser")

_FUNCTIONS = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
_ANCHORED = {"match", "fullmatch"}


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression.

    Attributes:
        where: Module and line.
        pattern: Compiled.
        anchored: Whether it is only ever tried at the beginning.
    """

    where: str
    pattern: "re.Pattern[Any]"
    anchored: bool


def expressions(source: Path) -> Iterator[Expression]:
    """Yield every call of `re` whose pattern is written there, or put together there of what is."""
    for path in sorted(source.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names: dict[int, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                names |= {id(part): node.targets[0].id for part in ast.walk(node.value)}
        used: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                used.setdefault(ast.unparse(node.func.value).partition("[")[0], set()).add(node.func.attr)
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args):
                continue
            function = ast.unparse(node.func).removeprefix("re.")
            if function not in _FUNCTIONS | {"compile"}:
                continue
            text = _text(node.args[0], tree)
            if text is None:
                continue
            flags = _flags(node)
            how = used.get(names.get(id(node), ""), {"search"}) if function == "compile" else {function}
            where = f"{path.relative_to(source)}:{node.lineno}"
            yield Expression(where, re.compile(text, flags), how <= _ANCHORED)


def _text(node: ast.expr, tree: ast.Module) -> str | bytes | None:
    """Return a pattern that is a constant, or put together of constants; what is put in counts as a word."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [_text(part, tree) if isinstance(part, ast.Constant) else "(?:word|other)" for part in node.values]
        return "".join(part for part in parts if isinstance(part, str))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left, tree), _text(node.right, tree)
        return left + right if isinstance(left, str) and isinstance(right, str) else None
    if isinstance(node, ast.Attribute) and node.attr == "pattern" and isinstance(node.value, ast.Name):
        for other in ast.walk(tree):
            if isinstance(other, ast.Assign) and ast.unparse(other.targets[0]) == node.value.id:
                call = other.value
                return _text(call.args[0], tree) if isinstance(call, ast.Call) and call.args else None
    return None


def _flags(node: ast.Call) -> int:
    named = [word.value for word in node.keywords if word.arg == "flags"]
    given = node.args[1:] if ast.unparse(node.func) == "re.compile" else node.args[2:]
    total = 0
    for flag in (*given, *named):
        for part in ast.walk(flag):
            if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "re":
                total |= int(getattr(re, part.attr))
    return total


def samples(pattern: "re.Pattern[Any]") -> list[str]:
    """Return characters and words that a pattern speaks of: what it may be fed again and again."""
    found: dict[str, None] = {}
    _collect(sre_parser.parse(pattern.pattern, pattern.flags), found)
    return list(found)


def _collect(parsed: Any, found: dict[str, None]) -> None:
    word = ""
    for operation, argument in parsed:
        if operation is sre.LITERAL:
            word += chr(argument)
            found[chr(argument)] = None
            continue
        if word:
            found[word] = None
            word = ""
        if operation is sre.IN:
            found |= dict.fromkeys(_of_class(argument))
        elif operation is sre.NOT_LITERAL or operation is sre.ANY:
            found["x"] = None
        elif operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _collect(argument[2], found)
        elif operation is sre.SUBPATTERN:
            _collect(argument[3], found)
        elif operation is sre.BRANCH:
            for branch in argument[1]:
                _collect(branch, found)
        elif operation in (sre.ASSERT, sre.ASSERT_NOT):
            _collect(argument[1], found)
        elif operation is sre.ATOMIC_GROUP:
            _collect(argument, found)
    if word:
        found[word] = None


def _of_class(parts: Any) -> Iterator[str]:
    negated = False
    for kind, value in parts:
        if kind is sre.NEGATE:
            negated = True
        elif negated:
            continue
        elif kind is sre.LITERAL:
            yield chr(value)
        elif kind is sre.RANGE:
            yield chr(value[0])
        elif kind is sre.CATEGORY:
            yield {sre.CATEGORY_DIGIT: "7", sre.CATEGORY_SPACE: " ", sre.CATEGORY_WORD: "w"}.get(value, "x")
    if negated:
        yield "x"


def attacks(pattern: "re.Pattern[Any]", length: int) -> Iterator[Any]:
    """Yield strings of about a length that repeat what a pattern may repeat, and then do not end as it wants."""
    words = samples(pattern)[:16]
    pumps = [*words, *(first + second for first in words[:6] for second in words[:6] if first != second)]
    begins = ["", *words[:2]]
    for pump in pumps:
        for begin in begins:
            text = begin + pump * (length // len(pump)) + "\x01"
            yield text if isinstance(pattern.pattern, str) else text.encode("latin-1", "replace")
