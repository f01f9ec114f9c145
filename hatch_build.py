"""Compiles some modules of the wheel, where that is asked for: docs/decisions/0013-compiled-cores.md."""

import os
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OTHERS = ["--follow-imports=silent", "--ignore-missing-imports"]  # all other modules are `make lint`'s to judge


class Compiled(BuildHookInterface[Any]):
    """Puts beside each module of `modules` (pyproject.toml) its compiled form, which Python then takes."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless this is an editable installation: that one shows each change of the source at once."""
        if version != "standard":
            return
        # Only here, as whoever builds the pure wheel has neither.
        from mypyc.build import mypycify  # noqa: PLC0415
        from setuptools import Distribution  # noqa: PLC0415
        from setuptools.command.build_ext import build_ext  # noqa: PLC0415

        modules = [os.path.join("src", *name.split(".")) + ".py" for name in self.config["modules"]]
        self._made = tempfile.TemporaryDirectory()  # nothing of it in the source, where it would be found by its tests
        made = Path(self._made.name)
        cache = f"--cache-dir={made / 'cache'}"
        extensions = mypycify([cache, *OTHERS, *modules], opt_level="3", debug_level="0", target_dir=str(made / "c"))
        command = build_ext(Distribution({"name": self.metadata.name, "ext_modules": extensions}))
        command.build_lib, command.build_temp = str(made / "lib"), str(made / "objects")
        command.ensure_finalized()
        command.run()
        for path in (made / "lib").rglob("*"):
            if path.is_file():
                build_data["force_include"][str(path)] = str(path.relative_to(made / "lib"))
        build_data["pure_python"], build_data["infer_tag"] = False, True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        if hasattr(self, "_made"):
            self._made.cleanup()
