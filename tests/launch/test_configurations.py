"""configs/cluster: right by the schemas of those who read them, with the token on and nothing open to the world."""

import copy
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import ray
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.scripts.scripts import start

from runtime.cluster import SETTINGS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "configs" / "cluster"
SCHEMA = yaml.safe_load(Path(__file__).with_name("raycluster.schema.yaml").read_text())
KUBERNETES = "1.37"
LAUNCHER = ("on-premises", "aws")


def read(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / f"{name}.yaml").read_text()))


def check(manifest: dict[str, Any]) -> None:
    """Raises for what Kubernetes or KubeRay would not take."""
    if manifest["kind"] != "RayCluster":
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
        return
    jsonschema.validate(manifest, SCHEMA)
    for group in groups(manifest):
        kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", **group["template"]}, KUBERNETES, strict=True)


def groups(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [manifest["spec"]["headGroupSpec"], *manifest["spec"]["workerGroupSpecs"]]


def test_every_configuration_is_checked_here() -> None:
    assert {file.stem for file in FOLDER.glob("*.yaml")} == {*LAUNCHER, "kuberay"}


@pytest.mark.parametrize("name", LAUNCHER)
def test_the_cluster_launcher_takes_it(name: str) -> None:
    (given,) = read(name)
    validate_config(prepare_config(copy.deepcopy(given)))
    with pytest.raises(jsonschema.ValidationError, match="idle_minutes"):
        validate_config(prepare_config({**copy.deepcopy(given), "idle_minutes": 5}))


@pytest.mark.parametrize("name", LAUNCHER)
def test_the_cluster_launcher_starts_our_scripts_with_the_token(name: str) -> None:
    (given,) = read(name)
    for role, script in (("head", "scripts/head"), ("worker", "scripts/worker $RAY_HEAD_IP")):
        stop, begin = given[f"{role}_start_ray_commands"]
        assert stop == "~/outcry/.venv/bin/ray stop"
        assert begin.startswith(f"setsid nohup ~/outcry/{script} ")
    assert "--autoscaling-config=~/ray_bootstrap_config.yaml" in given["head_start_ray_commands"][1]
    assert given["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    assert "chmod 600 ~/.ray/auth_token" in given["setup_commands"]


def test_machines_on_aws_are_in_a_security_group_of_ones_own() -> None:
    (given,) = read("aws")
    assert "security_group" not in given["provider"]  # Ray would open ssh of it to everybody
    for kind in given["available_node_types"].values():
        assert kind["node_config"]["SecurityGroupIds"]


def test_kubernetes_and_kuberay_take_every_object() -> None:
    manifests = read("kuberay")
    assert [one["kind"] for one in manifests] == ["RayCluster", "PersistentVolumeClaim", "NetworkPolicy"]
    for manifest in manifests:
        check(manifest)


def wrong_field(cluster: dict[str, Any]) -> None:
    cluster["spec"]["authOption"] = {}


def wrong_type(cluster: dict[str, Any]) -> None:
    cluster["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] = 0


def wrong_pod(cluster: dict[str, Any]) -> None:
    groups(cluster)[1]["template"]["spec"]["containers"][0]["port"] = 1


@pytest.mark.parametrize("spoil", [wrong_field, wrong_type, wrong_pod])
def test_what_they_would_not_take_is_noticed(spoil: Any) -> None:
    cluster = read("kuberay")[0]
    spoil(cluster)
    with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
        check(cluster)


def test_a_cluster_on_kubernetes_has_our_settings_and_the_version_of_ray_that_is_locked() -> None:
    cluster = read("kuberay")[0]
    assert cluster["spec"]["rayVersion"] == ray.__version__
    options = {parameter.opts[0].removeprefix("--") for parameter in start.params}
    for group in groups(cluster):
        (container,) = group["template"]["spec"]["containers"]
        assert {one["name"]: one["value"] for one in container["env"]} == SETTINGS
        assert set(group["rayStartParams"]) <= options


def test_a_cluster_on_kubernetes_asks_for_the_token_and_is_closed() -> None:
    cluster, _, policy = read("kuberay")
    assert cluster["spec"]["authOptions"] == {"mode": "token", "secretName": "outcry-token"}
    assert cluster["spec"]["headGroupSpec"]["serviceType"] == "ClusterIP"
    assert cluster["spec"]["headGroupSpec"]["rayStartParams"]["include-dashboard"] == "false"
    own = {"matchLabels": {"ray.io/cluster": cluster["metadata"]["name"]}}
    assert policy["spec"] == {
        "podSelector": own,
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": own}]}],
    }
