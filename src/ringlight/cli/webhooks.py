"""`partner dead-letters|webhook-send`: webhooks that were given up, and one for a trial."""

import time
import uuid
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.text import Text

from ringlight.cli.output import Config, Json, print_json, result, run, tell
from ringlight.errors import fault_error
from ringlight.faults import FAULTS
from ringlight.settings import load_settings

Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers of the list.", metavar="NUMBER…")]


def register(partner: typer.Typer) -> None:
    """Add the commands to the group `partner`."""

    @partner.command("dead-letters")
    def dead_letters(
        action: Annotated[str, typer.Argument(help="list, replay or drop.")] = "list",
        numbers: Numbers = None,
        everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
        config: Config = None,
        json: Json = False,
    ) -> None:
        """Webhooks that were given up: list them, let them be handled again, or drop them."""
        if action not in ("list", "replay", "drop"):
            raise fault_error("REQUEST-INVALID", f"{action}: expected list, replay or drop")
        if action != "list" and bool(numbers) == everything:
            raise fault_error("REQUEST-INVALID", f"{action}: give the numbers, or --all")
        _dead_letters(action, None if everything or not numbers else numbers, config, json)

    @partner.command("webhook-send")
    def webhook_send(
        url: Annotated[str, typer.Argument(help="The webhook's address.", metavar="URL")],
        kind: Annotated[str, typer.Option("--type", help="What has happened.")] = "motion_detected",
        subtype: Annotated[str, typer.Option("--subtype", help="What moved, for motion.")] = "human",
        device: Annotated[str | None, typer.Option("--device", help="Ring's id of the device.")] = None,
        account: Annotated[str | None, typer.Option("--account", help="Ring's id of the account.")] = None,
        request_id: Annotated[str | None, typer.Option("--request-id", help="The same again is a repetition.")] = None,
        config: Config = None,
        json: Json = False,
    ) -> None:
        """Send one webhook, signed with the first of `partner.hmac_keys`, and say what Ring makes of the answer.

        An answer that Ring would not take ends with 1 and the fault that it is.
        """
        keys = load_settings(config).partner.hmac_keys
        if not keys:
            raise fault_error("CFG-INVALID", "partner.hmac_keys: the app's signature key is missing")
        from ringlight.doctor.evidence import Delivered  # noqa: PLC0415
        from ringlight.doctor.judging_calls import judge_delivery  # noqa: PLC0415
        from ringlight.simulator.partner.envelope import envelope  # noqa: PLC0415
        from ringlight.simulator.partner.premises import account_id, opaque  # noqa: PLC0415
        from ringlight.simulator.partner.webhooks import send_once  # noqa: PLC0415

        if not url.lower().startswith(("http://", "https://")):
            raise typer.BadParameter("expected http://… or https://…", param_hint="URL")
        body = envelope(
            kind, request_id=request_id or str(uuid.uuid4()), account=account or account_id("ada"),
            device=device or opaque("device", "1001", 96), at_ns=time.time_ns(), subtype=subtype,
        )  # fmt: skip
        attempt = run(send_once(url, body, keys[0].reveal()))
        if json:
            print_json(asdict(attempt))
        else:
            result.print(Text(attempt.verdict))
        found = judge_delivery(Delivered(url, True, attempt.status, attempt.seconds))
        if found.code is not None:
            raise fault_error(found.code, found.text)


def _dead_letters(action: str, numbers: list[int] | None, config: Any, json: bool) -> None:
    from ringlight.store.database import database_of  # noqa: PLC0415
    from ringlight.store.inbox import Inbox  # noqa: PLC0415

    database = database_of(load_settings(config))
    try:
        inbox = Inbox(database)
        if action == "list":
            _list(inbox, numbers, json)
            return
        count = inbox.replay(numbers) if action == "replay" else inbox.drop(numbers)
    finally:
        database.close()
    if json:
        print_json({action: count})
    else:
        result.print(f"{count} to be handled again" if action == "replay" else f"{count} dropped")
    if numbers and count < len(set(numbers)):
        tell("Some of the numbers are no dead letters.")
        raise SystemExit(1)


def _list(inbox: Any, numbers: list[int] | None, json: bool) -> None:
    rows = inbox.dead(numbers=numbers)
    if json:
        shown = ("number", "request_id", "type", "subject", "account", "received_at", "attempts", "problem")
        print_json({"dead_letters": [{name: getattr(row, name) for name in shown} for row in rows]})
        return
    for row in rows:
        result.print(
            Text(f"{row.number:>8}  {row.type:<28} …{row.subject[-6:]:<8} {row.attempts} tries  {row.problem}")
        )
    for fault in dict.fromkeys(FAULTS.get((row.problem or "").partition(":")[0]) for row in rows):
        if fault is not None:
            tell(f"{fault.code}: {fault.title}. {fault.fix}")
    if not rows:
        tell("No dead letters.")
