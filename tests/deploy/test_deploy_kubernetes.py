"""The manifests are what Kubernetes takes, by its own schema, and fit the program that they run."""

import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ringlight.settings import Settings
from ringlight.settings.sources import effective_settings

MANIFESTS = Path(__file__).parents[2] / "deploy" / "kubernetes" / "ringlight.yaml"
OLDEST = "1.27"  # of the versions that are tried; the newest is the newest that the schemas know
DOCUMENTS: list[dict[str, Any]] = list(yaml.safe_load_all(MANIFESTS.read_text(encoding="utf-8")))


def _of(kind: str) -> dict[str, Any]:
    (found,) = (one for one in DOCUMENTS if one["kind"] == kind)
    return found


POD = _of("StatefulSet")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_each_object_is_valid(document: dict[str, Any], version: str) -> None:
    """Strict: a misspelt field is an error, where a cluster would only drop it."""
    kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_field_would_be_seen() -> None:
    wrong = {**_of("ConfigMap"), "dta": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, OLDEST, strict=True)


def test_the_settings_in_it_can_be_used() -> None:
    text = _of("ConfigMap")["data"]["ringlight.toml"]
    settings = Settings.model_validate(tomllib.loads(text))
    ports = {one["name"]: one["containerPort"] for one in CONTAINER["ports"]}
    assert settings.server.port == ports["http"]
    assert settings.media.port == ports["media-udp"] == ports["media-tcp"]
    assert {one["protocol"] for one in CONTAINER["ports"] if one["name"].startswith("media")} == {"UDP", "TCP"}
    known = {one.variable for one in effective_settings()}
    named = {*(one["name"] for one in CONTAINER["env"]), *_of("Secret")["stringData"]}
    assert named <= known


def test_everything_that_is_pointed_at_exists() -> None:
    names = {(one["kind"], one["metadata"]["name"]) for one in DOCUMENTS}
    assert ("Secret", CONTAINER["envFrom"][0]["secretRef"]["name"]) in names
    assert ("ServiceAccount", POD["serviceAccountName"]) in names
    assert ("Service", _of("StatefulSet")["spec"]["serviceName"]) in names
    volumes = {one["name"] for one in POD["volumes"]} | {
        one["metadata"]["name"] for one in _of("StatefulSet")["spec"]["volumeClaimTemplates"]
    }
    assert {one["name"] for one in CONTAINER["volumeMounts"]} == volumes
    labels = _of("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        _of("StatefulSet")["spec"]["selector"]["matchLabels"],
        _of("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        _of("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(one["spec"]["selector"] for one in DOCUMENTS if one["kind"] == "Service"),
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)
    ports = {one["name"] for one in CONTAINER["ports"]}
    asked = {rule["port"] for one in _of("NetworkPolicy")["spec"]["ingress"] for rule in one["ports"]}
    assert asked == ports


def test_a_pod_has_the_time_to_let_its_people_go() -> None:
    settings = Settings.model_validate(tomllib.loads(_of("ConfigMap")["data"]["ringlight.toml"]))
    probe = CONTAINER["readinessProbe"]
    assert probe["httpGet"]["path"] == "/ready"
    noticed = probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"]
    assert settings.server.drain > noticed
    assert POD["terminationGracePeriodSeconds"] > settings.server.drain + 3 + 20


def test_a_pod_may_nothing_that_it_does_not_need() -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert POD["automountServiceAccountToken"] is False
