"""The container, the compose files and the manifests agree with their schemas, each other and the code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import kubernetes_validate
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema

from rag.guarding import ALIVE, READY
from rag.model_files import SPECS
from rag.settings import Settings, load_settings
from rag.stores import Servers, place_of

ROOT = Path(__file__).parent.parent
MANIFESTS = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE_FILES = ("compose.yaml", "compose.servers.yaml")
COMPOSE, SERVERS = (yaml.safe_load((ROOT / name).read_text()) for name in COMPOSE_FILES)
SERVICES = [*COMPOSE["services"].values(), *SERVERS["services"].values()]
USER = 10001
SUCCEEDED = "service_completed_successfully"


def resources() -> Iterator[dict[str, Any]]:
    for file in MANIFESTS:
        yield from yaml.safe_load_all(file.read_text())


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in resources() if one["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    return {name: one["spec"]["template"] for name, one in of_kind("Deployment").items()}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def _name(used: str | dict[str, str]) -> str:
    """Of the volume "models:/models:ro", the network "page" or the config {"source": "etcd", …}."""
    return used["source"] if isinstance(used, dict) else used.split(":")[0]


def environment() -> Iterator[tuple[str, str]]:
    """Every variable that one of the files sets."""
    yield from re.findall(r"^(?:ENV|ARG)? *(\w+)=(\S+)", DOCKERFILE.replace("ENV ", "ENV\n"), re.MULTILINE)
    for service in SERVICES:
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
    place = place_of(load_settings())
    assert isinstance(place, Servers)
    assert {urlsplit(place.database).hostname, urlsplit(place.vectors).hostname} < set(SERVERS["services"])


def test_no_file_holds_a_secret() -> None:
    for name, value in environment():
        if re.search("KEY|TOKEN|PASSWORD|SECRET", name):
            assert re.fullmatch(r"\$\{\w+:(-|\?[a-z ]+)\}", value), name
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


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_a_compose_file_is_what_compose_takes(name: str) -> None:
    schema, content = get_builtin_schema("vendor.compose-spec"), yaml.safe_load((ROOT / name).read_text())
    jsonschema.validate(content, schema)
    content["services"]["citeline"]["depends"] = []
    with pytest.raises(jsonschema.ValidationError, match="'depends' was unexpected"):
        jsonschema.validate(content, schema)


def test_volumes_networks_and_configs_of_compose_are_declared_and_used() -> None:
    for kind in ("volumes", "networks", "configs"):
        declared = {**COMPOSE.get(kind, {}), **SERVERS.get(kind, {})}
        used = {_name(one) for service in SERVICES for one in service.get(kind, ())}
        assert {name for name in used if not name.startswith(".")} == set(declared)


def test_what_is_waited_for_says_when_it_is_well_and_so_does_all_that_goes_on_running() -> None:
    services = {**SERVERS["services"], **COMPOSE["services"]}
    for name, service in services.items():
        if service.get("restart"):
            assert "healthcheck" in service or name == "citeline"  # whose image has one
    for service in SERVICES:
        for name, how in service.get("depends_on", {}).items():
            assert how["condition"] == ("service_healthy" if "restart" in services[name] else SUCCEEDED)


def test_no_container_of_ours_or_of_a_server_has_rights_it_does_not_need() -> None:
    for name, service in {**SERVERS["services"], **COMPOSE["services"]}.items():
        if name != "vllm":  # whose image asks for them
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
        assert service.get("read_only") or name in ("vllm", "milvus")


def test_probes_ask_for_health_and_readiness() -> None:
    assert f"http://127.0.0.1:{load_settings().port}{ALIVE}" in DOCKERFILE
    (container,) = pods()["citeline"]["spec"]["containers"]
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": ALIVE, "liveness": ALIVE, "readiness": READY,
    }  # fmt: skip
    for pod in pods().values():
        for one in pod["spec"]["containers"]:
            names = {port["name"] for port in one["ports"]}
            assert {probe["httpGet"]["port"] for key, probe in one.items() if key.endswith("Probe")} <= names


def test_whoever_ends_the_server_waits_for_its_last_answers() -> None:
    patience = load_settings().stop_seconds
    assert pods()["citeline"]["spec"]["terminationGracePeriodSeconds"] > patience
    assert int(COMPOSE["services"]["citeline"]["stop_grace_period"].removesuffix("s")) > patience


def test_the_image_holds_what_its_settings_need() -> None:
    (extras,) = re.findall(r"'\.\[(.+)\]'", DOCKERFILE)
    assert {"milvus", "postgres", "serve"} <= set(extras.split(","))


def test_only_the_page_can_be_reached_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert published == {"citeline": ["127.0.0.1:7860:7860"]}
    assert not [name for name, service in SERVERS["services"].items() if "ports" in service]
    assert COMPOSE["networks"]["reading"] == SERVERS["networks"]["storing"] == {"internal": True}
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
