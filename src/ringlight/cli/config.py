"""`config`: the settings as they hold, where each comes from, and what is wrong with them."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.text import Text

from ringlight.cli.output import Config, Json, print_json, result, tell
from ringlight.settings.sources import Effective, effective_settings


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("config")
    def command(
        check: Annotated[bool, typer.Option("--check", help="Only say what is wrong; exit 1 if anything is.")] = False,
        every: Annotated[bool, typer.Option("--all", help="Show those too that nobody has set.")] = False,
        reload: Annotated[
            bool, typer.Option("--reload", help="Let the running server read them anew, as SIGHUP does.")
        ] = False,
        config: Config = None,
        as_json: Json = False,
    ) -> None:
        """Show which settings hold and where each comes from: the file, the environment, or the default.

        Secrets are not shown. Later sources win: ringlight.toml, then RINGLIGHT_… variables (two underscores
        between levels), then options of the command line.
        """
        if reload:
            _reload(config, as_json=as_json)
            return
        if check:
            from ringlight.cli.config_check import wrong_settings  # noqa: PLC0415 - it loads what judges them

            _check(wrong_settings(config), as_json=as_json)
            return
        settings = effective_settings(config)
        if as_json:
            print_json({"settings": [{**asdict(one), "variable": one.variable} for one in settings]})
        else:
            _show([one for one in settings if every or one.origin != "default"], explained=every)


def _reload(config: Config, *, as_json: bool) -> None:
    from ringlight.cli.output import run  # noqa: PLC0415 - the other ways of this command ask no server
    from ringlight.cli.watch import answer_of, server_of  # noqa: PLC0415
    from ringlight.http.flow import Request  # noqa: PLC0415
    from ringlight.settings import load_settings  # noqa: PLC0415

    settings = load_settings(config)
    place = server_of(settings)
    asked = Request("POST", f"{place}api/config/reload", bearer=settings.secret_key)
    found = run(answer_of(asked, place, "changed", "restart"))
    if as_json:
        print_json(found)
        return
    for name in found["changed"]:
        result.print(Text(f"{name} has changed"))
    for name in found["restart"]:
        result.print(Text(f"{name} needs a restart"))
    if not found["changed"] and not found["restart"]:
        tell("Nothing has changed.")


def _check(wrong: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"valid": not wrong, "wrong": wrong})
    for line in () if as_json else wrong:
        result.print(Text(f"CFG-INVALID: {line}"))
    if wrong:
        raise typer.Exit(1)
    if not as_json:
        result.print("All settings can be used.")


def _show(settings: list[Effective], *, explained: bool) -> None:
    if not settings:
        tell("Every setting has its default. `ringlight config --all` lists them.")
    for one in settings:
        source = one.variable if one.origin == "environment" else one.origin
        if explained:
            result.print(Text(f"# {one.description}", style="dim"))
        result.print(Text(f"{one.name} = {_text(one.value)}   ({source})"))


def _text(value: Any) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
