"""The chart, rendered by Helm and held against Kubernetes' own schemas; the manifests that are rendered from it."""
import json
import re

import kubernetes_validate
import pytest
import yaml

import tandemd
from charts import CHART, KUBERNETES, VALUES, helm, needs_helm, objects, one, render, template
from small_models import add_constant

MANIFESTS = tandemd.ROOT / "deploy/kubernetes/tandem.yaml"
VALUE_SETS = sorted(VALUES.glob("*-values.yaml"))
CUSTOM = {"ServiceMonitor"}  # of others, without a schema here


@pytest.fixture(params=VALUE_SETS, ids=lambda path: path.stem)
def documents(request):
    return objects(render("--values", request.param))


def pod_of(documents):
    return one(documents, "StatefulSet")["spec"]["template"]


def documented_options():
    page = (tandemd.ROOT / "docs/operations.md").read_text(encoding="utf8")
    return set(re.findall(r"(?<=[|,] )`--([\w-]+)", page))


@needs_helm
@pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
def test_lint_finds_nothing(values):
    done = helm("lint", "--strict", CHART, "--values", values)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_helm
@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_what_is_rendered(documents, version):
    for document in documents:
        assert document["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == "tandem"
        if document["kind"] not in CUSTOM:
            kubernetes_validate.validate(document, version, strict=True)


@needs_helm
def test_what_is_mounted_is_there(documents):
    spec = pod_of(documents)["spec"]
    claims = {claim["metadata"]["name"] for claim in one(documents, "StatefulSet")["spec"].get("volumeClaimTemplates", [])}
    volumes = {volume["name"] for volume in spec["volumes"]} | claims
    mounts = spec["containers"][0]["volumeMounts"]
    assert {mount["name"] for mount in mounts} == volumes
    config = yaml.safe_load(one(documents, "ConfigMap")["data"]["tandem.yaml"])
    folders = tuple(mount["mountPath"] for mount in mounts)
    for key, value in config.items():
        if key.endswith(("_dir", "_file", "_cert", "_key", "_ca", "_repository")):
            assert all(path.startswith(folders) for path in ([value] if isinstance(value, str) else value)), key


@needs_helm
def test_services_reach_the_pods(documents):
    pod = pod_of(documents)
    ports = {port["name"]: port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}
    services = [document for document in documents if document["kind"] == "Service"]
    assert {service["metadata"]["name"] for service in services} == {"tandem", "tandem-replicas"}
    for service in services:
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in ports
    replicas = one(documents, "Service", one(documents, "StatefulSet")["spec"]["serviceName"])["spec"]
    # Prometheus and operators want those most that are not ready.
    assert replicas["clusterIP"] == "None" and replicas["publishNotReadyAddresses"]
    assert {port["targetPort"] for port in replicas["ports"]} == set(ports)
    config = yaml.safe_load(one(documents, "ConfigMap")["data"]["tandem.yaml"])
    for name, port in ports.items():
        assert config[f"{name}_address"] == f"0.0.0.0:{port}"
    assert "admin" in ports or config["admin_address"].startswith("127.0.0.1:")


@needs_helm
def test_pods_have_no_rights(documents):
    spec = pod_of(documents)["spec"]
    assert not spec["automountServiceAccountToken"]
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    container = spec["containers"][0]["securityContext"]
    assert container["readOnlyRootFilesystem"] and not container["allowPrivilegeEscalation"]
    assert container["capabilities"] == {"drop": ["ALL"]}
    for mount in spec["containers"][0]["volumeMounts"]:
        assert mount.get("readOnly") or mount["name"] in ("state", "tmp")


@needs_helm
def test_configuration_is_known_to_the_server(documents):
    config = yaml.safe_load(one(documents, "ConfigMap")["data"]["tandem.yaml"])
    assert {key.replace("_", "-") for key in config} <= documented_options()


@needs_helm
def test_the_server_starts_with_the_rendered_configuration(tmp_path):
    if not (tandemd.BINARIES / "tandemd").exists():
        pytest.skip("tandemd was not built")
    add_constant(tmp_path / "models/m/1/model.onnx", 1)
    config = one(objects(render()), "ConfigMap")["data"]["tandem.yaml"]
    (tmp_path / "tandem.yaml").write_text(config)
    # Where it listens and stores is the container's; the drain's delay is a matter of its peers.
    with tandemd.running("--config", tmp_path / "tandem.yaml", "--model-repository", tmp_path / "models", "--drain-delay",
                         "0") as server:
        assert all(json.loads(line) for line in server.log.read_text().splitlines())


@needs_helm
def test_the_grace_period_covers_the_drain():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    delay = int(re.fullmatch(r"(\d+)s", values["config"]["drain_delay"]).group(1))
    page = (tandemd.ROOT / "docs/operations.md").read_text(encoding="utf8")
    drain = int(re.search(r"`--drain-timeout DURATION` \| (\d+)s", page).group(1))
    assert values["terminationGracePeriodSeconds"] >= delay + drain + 10


@needs_helm
@pytest.mark.parametrize("arguments,message", [
    (["replicaCount=two"], "replicaCount"),
    (["replicas=3"], "replicas"),
    (["config.grpc_address=0.0.0.0:9"], "grpc_address"),
    (["models.claim.accessModes={ReadEverywhere}"], "accessModes"),
    (["resources.limits.memory=lots"], "memory"),
    (["admin.enabled=true"], "set admin.tokenSecretName"),
    (["admin.enabled=true", "admin.tls.secretName=tls"], "set admin.tokenSecretName"),
    (["tls.clientCertificates=true"], "tls.clientCertificates needs tls.secretName"),
    (["service.headless=true", "service.type=LoadBalancer"], "service.headless"),
    (["autoscaling.enabled=true", "autoscaling.minReplicas=9"], "autoscaling.minReplicas is above"),
])
def test_wrong_values_are_named(arguments, message):
    done = template(*(part for value in arguments for part in ("--set", value)))
    assert done.returncode != 0 and message in done.stderr, done.stderr


@needs_helm
def test_manifests_are_what_the_chart_renders():
    assert MANIFESTS.read_text() == render(), "out of date; run .deps/go/bin/helm template tandem deploy/helm/tandem " \
        f"--namespace tandem --kube-version {KUBERNETES[0]} >deploy/kubernetes/tandem.yaml"


def test_replicas_follow_a_metric_that_exists():
    rules = yaml.safe_load((tandemd.ROOT / "deploy/kubernetes/prometheus-adapter.yaml").read_text())["rules"]["custom"]
    scaler = (CHART / "templates/horizontalpodautoscaler.yaml").read_text()
    assert re.search(r"metric:\s+name: (\S+)", scaler).group(1) == rules[0]["name"]["as"]
    documented = set(re.findall(r"^\| `(\w+)`", (tandemd.ROOT / "docs/metrics.md").read_text(), re.M))
    for name in re.findall(r"tandem_\w+", rules[0]["seriesQuery"] + rules[0]["metricsQuery"]):
        assert re.sub(r"_(sum|count|bucket)$", "", name) in documented


def test_kserve_runs_the_server_as_it_is():
    runtime = yaml.safe_load((tandemd.ROOT / "deploy/kserve/serving-runtime.yaml").read_text())
    service = yaml.safe_load((tandemd.ROOT / "deploy/kserve/inference-service.yaml").read_text())
    model = service["spec"]["predictor"]["model"]
    assert model["runtime"] == runtime["metadata"]["name"]
    assert model["protocolVersion"] in runtime["spec"]["protocolVersions"]
    assert model["modelFormat"]["name"] in {known["name"] for known in runtime["spec"]["supportedModelFormats"]}
    spec = {key: runtime["spec"][key] for key in ("containers", "volumes")}
    kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tandem"}, "spec": spec},
                                 KUBERNETES[-1], strict=True)
    for argument in spec["containers"][0]["args"]:
        assert argument.removeprefix("--").split("=")[0] in documented_options()


def test_versions_agree():
    version = re.search(r"project\(tandem VERSION (\S+)", (tandemd.ROOT / "CMakeLists.txt").read_text()).group(1)
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == version
    assert f"ARG VERSION={version}\n" in (tandemd.ROOT / "deploy/docker/Dockerfile").read_text()
    assert f"image: tandem:{version}\n" in (tandemd.ROOT / "deploy/kserve/serving-runtime.yaml").read_text()
