"""The pages of the site that nobody writes: the README as its front page, and the reference, from the code itself.

`mkdocs` calls the functions whose names begin with `on_`.
"""

import ast
import importlib
import inspect
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pydantic import BaseModel

from ringlight.cli.app import COMMANDS, make_app
from ringlight.secrets import Secret
from ringlight.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
# What a program may import, and from where: the packages whose `__all__` is a promise. A name that several give is
# told of at the first of them.
PUBLIC = (
    "ringlight.errors", "ringlight.liveview", "ringlight.partner", "ringlight.partner.fastapi",
    "ringlight.partner.linking", "ringlight.partner.webhooks", "ringlight.rooms", "ringlight.testing", "ringlight",
)  # fmt: skip
_IMPORT = re.compile(r"^ *from (ringlight[.\w]*) import ([\w, ]+)$", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, and the files of the repository that pages link to."""
    made = {
        "index.md": (ROOT / "README.md").read_text(encoding="utf-8"),
        "reference/commands.md": commands(),
        "reference/settings.md": settings(),
        "reference/modules.md": modules(),
    }
    told: dict[str, str] = {}
    made |= {f"reference/python/{name}.md": _module(name, told) for name in PUBLIC}
    made["reference/python/further.md"] = _further(told)
    pages = [(file.src_uri, file.content_string) for file in files.documentation_pages()]
    for target in {target for source, text in [*pages, *made.items()] for target in _outside(text, source)}:
        made[f"repository/{target}"] = (ROOT / target).read_text(encoding="utf-8")
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links between docs/ and the rest of the repository lead to where the files are in the site."""
    del config, files
    source = page.file.src_uri
    folder = posixpath.dirname(source) or "."

    def inside(match: re.Match[str]) -> str:
        target = _target(match[1], source)
        if target is None:
            return match[0]
        place = target.removeprefix("docs/") if target.startswith("docs/") else f"repository/{target}"
        return f"]({posixpath.relpath(place, folder)}{match[2] or ''})"

    return _LINK.sub(inside, markdown)


def _target(link: str, source: str) -> str | None:
    """Return the file of the repository that a page's link leads to; `None` where there is none."""
    real = "README.md" if source == "index.md" else source.removeprefix("repository/")
    real = real if real != source else f"docs/{source}"
    target = posixpath.normpath(posixpath.join(posixpath.dirname(real), link))
    return target if (ROOT / target).is_file() else None


def _outside(text: str, source: str) -> Iterator[str]:
    targets = (_target(match[1], source) for match in _LINK.finditer(text))
    return (target for target in targets if target is not None and not target.startswith("docs/"))


def _module(name: str, told: dict[str, str]) -> str:
    module = importlib.import_module(name)
    names = getattr(module, "__all__", None) or [
        key for key, value in vars(module).items()
        if not key.startswith("_") and inspect.isclass(value) and value.__module__ == name
    ]  # fmt: skip
    about = inspect.cleandoc(module.__doc__ or "")
    return "\n\n".join([f"# {name}", about, *(_entry(module, one, told) for one in names)])


def used() -> Iterator[tuple[str, str]]:
    """Yield module and name of all that the README, tutorials, how-tos and reference import of Ringlight."""
    folders = (ROOT / "docs" / name for name in ("tutorial", "how-to", "reference"))
    for page in [ROOT / "README.md", *(page for folder in folders for page in sorted(folder.glob("*.md")))]:
        for module, names in _IMPORT.findall(page.read_text(encoding="utf-8")):
            yield from ((module, name.strip()) for name in names.split(","))


def _further(told: dict[str, str]) -> str:
    names = sorted({(module, name) for module, name in used() if module not in PUBLIC})
    about = "What tutorials, how-tos and reference use beside the packages above; it stays as long as they do."
    return "\n\n".join(
        ["# Further names", about, *(_entry(importlib.import_module(module), name, told) for module, name in names)]
    )


def modules() -> str:
    """Return the page of all modules, each with its first sentence."""
    package = ROOT / "src" / "ringlight"
    parts = ["# Every module", "Folder by folder. How they work together: [the map](../explanation/code-map.md)."]
    for folder in sorted({path.parent for path in package.rglob("*.py")}):
        rows = [f"| `{path.name}` | {_sentence(path)} |" for path in sorted(folder.glob("*.py"))]
        parts += [f"## {folder.relative_to(package.parent)}", "\n".join(["| module | |", "|---|---|", *rows])]
    return "\n\n".join(parts)


def _sentence(path: Path) -> str:
    about = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return about.partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _entry(module: Any, name: str, told: dict[str, str]) -> str:
    """Show a name where it is written down: packages give theirs on at first use, which reading alone does not show."""
    value = getattr(module, name)
    home = getattr(value, "__module__", None)
    if inspect.isclass(value) or inspect.isfunction(value):
        full = f"{home}.{value.__qualname__}"
        first = told.setdefault(full, module.__name__)
        return f"::: {full}" if first == module.__name__ else f"## {name}\n\nSee [{first}]({first}.md)."
    arms = [arm.__name__ for arm in get_args(value)]
    if arms:
        return f"## {name}\n\nOne of {', '.join(arms)}."
    return f"## {name}\n\n" + (
        f"`{value}`" if isinstance(value, str) else f"A constant of the type `{type(value).__name__}`."
    )


def commands() -> str:
    """Return the page of all commands, as `--help` says it."""
    parts = ["# Commands", "Every command takes `--help`. Exit codes: 0 well, 1 a fault or a failure, 2 wrong use."]
    for module in COMMANDS:
        group: Any = typer.main.get_command(make_app(module))
        parts += [part for name, command in group.commands.items() for part in _command(f"ringlight {name}", command)]
    return "\n\n".join(parts)


def _command(path: str, command: Any) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    words = [param.metavar or param.name.upper() for param in command.params if param.param_type_name == "argument"]
    yield f"## {' '.join([path, *words])}"
    yield inspect.cleandoc(command.help or "")
    rows = [
        f"| `{'`, `'.join([*param.opts, *param.secondary_opts])}` | {(param.help or '').replace('|', '/')} |"
        for param in command.params if param.param_type_name == "option" and "--help" not in param.opts
    ]  # fmt: skip
    if rows:
        yield "\n".join(["| option | |", "|---|---|", *rows])
    for name, one in (inner or {}).items():
        yield from _command(f"{path} {name}", one)


def settings() -> str:
    """Return the page of all settings, as they are declared."""
    parts = [
        "# Settings",
        "In `ringlight.toml`, or as variables of the environment: `RINGLIGHT_`, and two underscores between levels "
        "(`RINGLIGHT_LIVE_VIEW__RETRIES`). `ringlight config` shows which hold, and where each comes from.",
        *_area(Settings, ""),
    ]
    return "\n\n".join(parts)


def _area(area: type[BaseModel], path: str) -> Iterator[str]:
    kinds = ((name, field.annotation) for name, field in area.model_fields.items())
    inner = {name: kind for name, kind in kinds if inspect.isclass(kind) and issubclass(kind, BaseModel)}
    rows = [
        f"| `{path}{name}` | {_default(field)} | {(field.description or '').replace('|', '/')} |"
        for name, field in area.model_fields.items() if name not in inner
    ]  # fmt: skip
    if path:
        yield f"## {path.removesuffix('.')}"
        yield inspect.cleandoc(area.__doc__ or "")
    yield "\n".join(["| setting | default | |", "|---|---|---|", *rows])
    for name, kind in inner.items():
        yield from _area(kind, f"{path}{name}.")


def _default(field: Any) -> str:
    value = field.get_default(call_default_factory=False)
    if value is None or value in ([], {}) or isinstance(value, Secret) or field.default_factory is not None:
        return ""
    return f"`{value}`"
