"""The container, the compose file and the manifests agree with Kubernetes' schemas, each other and the code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml

from rag.model_files import SPECS
from rag.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent
MANIFESTS = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
USER = 10001


def resources() -> Iterator[dict[str, Any]]:
    for file in MANIFESTS:
        yield from yaml.safe_load_all(file.read_text())


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in resources() if one["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    return {name: one["spec"]["template"] for name, one in of_kind("Deployment").items()}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def environment() -> Iterator[tuple[str, str]]:
    """Every variable that one of the files sets."""
    yield from re.findall(r"^(?:ENV|ARG)? *(\w+)=(\S+)", DOCKERFILE.replace("ENV ", "ENV\n"), re.MULTILINE)
    for service in COMPOSE["services"].values():
        yield from service.get("environment", {}).items()
    for pod in pods().values():
        for container in containers(pod):
            yield from ((one["name"], one["value"]) for one in container.get("env", ()))


@pytest.mark.parametrize("resource", list(resources()), ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_a_manifest_is_what_kubernetes_takes(resource: dict[str, Any]) -> None:
    kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)
    assert resource["kind"] == "Namespace" or resource["metadata"]["namespace"] == "citeline"


def test_a_manifest_with_a_mistake_is_found() -> None:
    (service, *_) = of_kind("Service").values()
    service["spec"]["ports"][0]["port"] = "http"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("name", list(pods()))
def test_no_pod_runs_as_root_or_may_become_it(name: str) -> None:
    pod = pods()[name]
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert pod["spec"]["securityContext"]["runAsUser"] == USER
    for container in containers(pod):
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]


def test_services_policies_and_claims_meet_pods() -> None:
    labels = [pod["metadata"]["labels"] for pod in pods().values()]
    for service in of_kind("Service").values():
        assert service["spec"]["selector"] in labels
    for policy in of_kind("NetworkPolicy").values():
        assert policy["spec"]["podSelector"]["matchLabels"] in labels
    claimed = {
        volume["persistentVolumeClaim"]["claimName"]
        for pod in pods().values()
        for volume in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert claimed == set(of_kind("PersistentVolumeClaim"))
    for pod in pods().values():
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        assert volumes == {mount["name"] for container in containers(pod) for mount in container["volumeMounts"]}


def test_every_variable_is_a_setting_that_the_settings_accept(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = [(name, value) for name, value in environment() if name.startswith("RAG_")]
    assert len(ours) > 8
    for name, value in ours:
        assert name.removeprefix("RAG_").lower() in Settings.model_fields
        monkeypatch.setenv(name, value)
    assert load_settings().host == "0.0.0.0"


def test_no_file_holds_a_secret() -> None:
    for name, value in environment():
        if re.search("KEY|TOKEN|PASSWORD|SECRET", name):
            assert value == f"${{{name}:-}}", name
    assert not of_kind("Secret")


def test_the_image_runs_as_nobody_in_particular() -> None:
    stages = DOCKERFILE.split("\nFROM ")
    assert len(stages) == 3
    assert re.findall(r"^USER (\S+)", stages[-1], re.MULTILINE) == [str(USER)]
    assert f"useradd --uid {USER}" in stages[-1]
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert allowed[0] == "*"
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for name in copied.split():
            assert f"!{name}" in allowed
            assert (ROOT / name).exists()


def test_only_the_page_can_be_reached_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert published == {"citeline": ["127.0.0.1:7860:7860"]}
    assert COMPOSE["networks"]["reading"] == {"internal": True}
    assert list(COMPOSE["services"]["llama"]["networks"]) == ["reading"]


def test_the_page_finds_its_reader() -> None:
    server = urlsplit(COMPOSE["services"]["citeline"]["environment"]["RAG_SERVER"])
    for name in ("llama", "vllm"):
        service = COMPOSE["services"][name]
        assert service["networks"]["reading"]["aliases"] == [server.hostname]
        assert service["command"][service["command"].index("--port") + 1] == str(server.port)
    environment = {one["name"]: one["value"] for one in containers(pods()["citeline"])[-1]["env"]}
    found = urlsplit(environment["RAG_SERVER"])
    assert of_kind("Service")[str(found.hostname)]["spec"]["ports"][0]["port"] == found.port


def test_the_readers_file_is_the_one_that_is_fetched() -> None:
    command = COMPOSE["services"]["llama"]["command"]
    file = Path(command[command.index("--model") + 1])
    (spec,) = [spec for spec in SPECS.values() if spec.name == load_settings().reader]
    assert file == Path("/models") / spec.name / spec.files[0].path
    (embedder,) = [name for name in containers(pods()["citeline"])[0]["command"] if name in SPECS]
    assert embedder == load_settings().embedder
