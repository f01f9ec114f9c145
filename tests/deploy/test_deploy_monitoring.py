"""The dashboard, the scrape configuration and the alerts fit what the server really counts."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from ringlight.server.program import run_server
from ringlight.settings import ServerSettings, Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = DEPLOY / "grafana" / "ringlight.json"
RULES = DEPLOY / "prometheus" / "ringlight.rules.yml"
CONFIG = DEPLOY / "prometheus" / "prometheus.yml"
METRIC = re.compile(r"\b(?:ringlight|process)_[a-z_]+\b")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
GIVEN = {"instance", "job"}  # by Prometheus itself, like `le` by histograms


@pytest.fixture
async def counted(tmp_path: Path) -> dict[str, set[str]]:
    """Each sample's name that there is, with its labels."""
    settings = Settings(state_dir=tmp_path, server=ServerSettings(port=0))
    async with run_server(settings) as running, httpx2.AsyncClient(timeout=30) as http:
        text = (await http.get(f"{running.url}metrics")).text
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        if family.type == "counter" and not family.samples:
            found[f"{family.name}_total"] = {"outcome", "reason", "result", "words"}
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _queries() -> Iterator[tuple[str, str]]:
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def _rules() -> list[dict[str, Any]]:
    loaded = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in loaded["groups"] for rule in group["rules"]]


@pytest.mark.anyio
async def test_every_metric_and_label_that_is_asked_for_exists(counted: dict[str, set[str]]) -> None:
    asked = [*_queries(), *((rule["alert"], rule["expr"]) for rule in _rules())]
    assert len(asked) > 30
    for where, query in asked:
        named = set(METRIC.findall(query))
        missing = {name for name in named if name not in counted}
        assert not missing, f"{where}: {missing}"
        known = set().union(*(counted[name] for name in named))
        assert set(LABEL.findall(query)) <= known | GIVEN | {"le"}, where


@pytest.mark.anyio
async def test_everything_that_the_server_counts_is_on_the_dashboard(counted: dict[str, set[str]]) -> None:
    shown = {name for _, query in _queries() for name in METRIC.findall(query)}
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in counted if name.startswith("ringlight_")}
    assert {name for name in families if not {name, f"{name}_bucket", f"{name}_total"} & shown} == set()


def test_the_dashboard_can_be_imported() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert (dashboard["uid"], dashboard["title"]) == ("ringlight", "Ringlight")
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    variables = {one["name"] for one in dashboard["templating"]["list"]}
    assert {name for _, query in _queries() for name in re.findall(r"\$(\w+)", query)} <= {
        *variables,
        "__rate_interval",
    }


def test_each_alert_says_what_to_do_first() -> None:
    for rule in _rules():
        assert rule["annotations"]["fix"].endswith("."), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_prometheus_takes_configuration_and_rules(tmp_path: Path) -> None:
    loaded = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    assert loaded["rule_files"] == [RULES.name]
    assert loaded["scrape_configs"][0]["metrics_path"] == "/metrics"
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian's package `prometheus`); the files were parsed only")
    key = tmp_path / "ringlight.key"
    key.write_text("rl_x")
    shutil.copy(RULES, tmp_path)
    own = tmp_path / CONFIG.name
    own.write_text(CONFIG.read_text(encoding="utf-8").replace("/etc/prometheus/ringlight.key", str(key)))
    for arguments in (["config", str(own)], ["rules", str(RULES)]):
        run = subprocess.run([promtool, "check", *arguments], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
