"""Where each setting comes from, and what is wrong with it."""

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from ringlight.secrets import Secret
from ringlight.settings.whole import Settings, describe, load_settings, settings_class

__all__ = ["Effective", "effective_settings", "read_settings", "unknown_variables"]

PREFIX = "RINGLIGHT_"
Origin = Literal["default", "file", "environment"]


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting as it holds.

    Attributes:
        name: As in the file: `live_view.http_timeout`.
        value: What holds; `None` where there is none. Of a secret only whether there is one.
        origin: Where it comes from.
        description: What it is, with its unit.
    """

    name: str
    value: Any
    origin: Origin
    description: str

    @property
    def variable(self) -> str:
        """The variable of the environment that sets it."""
        return PREFIX + self.name.upper().replace(".", "__").replace("-", "_")


def effective_settings(config: Path | None = None) -> list[Effective]:
    """Return every setting, in the order of their declaration.

    Args:
        config: The file to read; `None` reads `ringlight.toml` in the working directory if there is one.

    Raises:
        SetupError: CFG-INVALID.
    """
    settings = load_settings(config)
    environment, file = _given(config)
    return list(_walk(settings, environment, file))


def read_settings(config: Path | None = None) -> Settings | list[str]:
    """Return the settings, or what is wrong with each that cannot be used.

    Raises:
        SetupError: CFG-INVALID, there is no such file, or it is no TOML.
    """
    try:
        return settings_class(config)()
    except ValidationError as error:
        return describe(error)
    except (OSError, ValueError):
        return load_settings(config)  # raises it as the fault that it is


def _given(config: Path | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    kind = settings_class(config)
    return EnvSettingsSource(kind)(), TomlConfigSettingsSource(kind)()


def _walk(
    area: BaseModel, environment: Mapping[str, Any], file: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[Effective]:
    for name, field in type(area).model_fields.items():
        value, ours = getattr(area, name), (*path, name)
        if isinstance(value, BaseModel):
            yield from _walk(value, environment, file, ours)
            continue
        origin: Origin = "environment" if _has(environment, ours) else "file" if _has(file, ours) else "default"
        yield Effective(".".join(ours), _shown(value), origin, field.description or "")
    for name, value in (area.__pydantic_extra__ or {}).items():
        if isinstance(value, BaseModel):
            yield from _walk(value, environment, file, (*path, name))


def _has(given: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    value: Any = given
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return False
        value = value[name]
    return True


def _shown(value: Any) -> Any:
    match value:
        case Secret():
            return "(set, not shown)"
        case list():
            return [_shown(one) for one in value]
        case Path():
            return str(value)
        case _:
            return value


def unknown_variables() -> Iterator[str]:
    """Say of each variable of ours that sets nothing which one it is, and which may be meant."""
    known = set(_variables(Settings))
    for name in sorted(os.environ):
        if not name.startswith(PREFIX) or name.upper() in known:
            continue
        if name.upper().startswith(f"{PREFIX}CAMERAS__") and name.count("__") == 2:
            continue  # of a single camera, whose name nobody can know here
        near = difflib.get_close_matches(name.upper(), known, 1, cutoff=0.8)
        yield f"{name} sets nothing" + (f"; is {near[0]} meant?" if near else "")


def _variables(kind: type[BaseModel], prefix: str = PREFIX) -> Iterator[str]:
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _variables(inner, f"{prefix}{name.upper()}__")
        yield prefix + name.upper()
