"""Test the objects that the Helm chart renders."""

import importlib.util
import tomllib

import pytest
import yaml
from kubernetes_validate.utils import all_versions, validate
from pydantic import ValidationError

from core.settings import Settings
from fitserve import __version__
from service.routes.health import router
from service.server import api_config
from tests.deploy.helm import CHART, IMAGES, ROOT, VALUES, lint, render
from tests.deploy.variables import unknown
from workers import heartbeat

_VERSIONS = all_versions()
VERSIONS = [_VERSIONS[0], _VERSIONS[len(_VERSIONS) // 2], _VERSIONS[-1]]
"""The oldest, a middle and the newest release with a schema."""
GPU = {
    "tags": ["gpu", "large-memory"],
    "image": "registry.example.org/fitserve-gpu:1",
    "processes": 3,
    "resources": {"limits": {"nvidia.com/gpu": 1}},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "scaling": {"enabled": True, "max": 4},
}
FULL = {
    "workers": {"default": {"replicas": 2}, "gpu": GPU},
    "api": {"trustedProxies": ["10.0.0.0/8", "fd00::1"]},
    "imagePullSecrets": [{"name": "registry"}],
    "serviceAccountName": "store-role",
    "settings": VALUES["settings"] | {"FITSERVE_LOG_FORMAT": "json", "AWS_REGION": "eu"},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "host": "fitserve.example.org",
        "tlsSecretName": "tls",
        "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "0"},
    },
}
"""Values that render every object and every optional field."""
SECRETS = {"FITSERVE_DATABASE_URL", "FITSERVE_BROKER_URL"}
STORE_KEYS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}


def of_kind(kind, objects):
    return {
        found["metadata"]["name"]: found for found in objects if found["kind"] == kind
    }


def pods(objects):
    """Return the pod specs of the objects by the name of the object."""
    made = of_kind("Deployment", objects) | of_kind("Job", objects)
    return {name: found["spec"]["template"]["spec"] for name, found in made.items()}


def containers(objects):
    return {name: pod["containers"][0] for name, pod in pods(objects).items()}


def environment(container):
    """Return the variables of a container; for a secret, the key of the Secret."""
    return {
        each["name"]: each.get("value") or each["valueFrom"]["secretKeyRef"]
        for each in container["env"]
    }


@pytest.fixture(scope="module")
def full():
    return render(**FULL)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [{}, FULL], ids=["required", "full"])
def test_helm_finds_no_fault(version, values):
    report = lint(f"v{version}", **values)
    # severity 1 is information: the chart has no icon
    assert [said for said in report["messages"] if said["severity"] > 1] == []
    assert report["errors"] in ([], None)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [{}, FULL], ids=["required", "full"])
def test_kubernetes_accepts_every_object(version, values):
    """Unknown fields are refused too; KEDA's objects have no schema here."""
    checked = set()
    for found in render(**values):
        if not found["apiVersion"].startswith("keda.sh/"):
            validate(found, version, strict=True)
            checked.add(found["kind"])
    expected = {"Deployment", "Job", "PodDisruptionBudget", "Service"}
    assert checked == expected | ({"Ingress"} if values else set())


def test_the_whole_chart_can_be_read():
    """It has fewer than 400 lines."""
    files = [path for path in CHART.rglob("*") if path.is_file()]
    assert sum(len(path.read_text().splitlines()) for path in files) < 400


def test_the_version_is_that_of_fitserve():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__


def test_neither_wheel_nor_image_contains_the_chart():
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert "deploy" not in built["only-include"]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {"deploy", ".env"} <= set(ignored)


def test_every_command_is_a_module(full):
    commands = {name: c["command"] for name, c in containers(full).items()}
    assert commands == {
        "test-api": ["python", "-m", "service"],
        "test-reader": ["python", "-m", "workers", "datasets"],
        "test-worker-default": ["python", "-m", "workers", "runs"],
        "test-worker-gpu": ["python", "-m", "workers", "runs"],
        "test-migrate": ["python", "-m", "core.database.migrate"],
    }
    for _, _, module, *_ in commands.values():
        assert importlib.util.find_spec(module)


def test_every_variable_is_read_by_fitserve(full):
    found = {name for c in containers(full).values() for name in environment(c)}
    assert unknown(found) == set()
    for container in containers(full).values():  # a repeated name would win unseen
        assert len(environment(container)) == len(container["env"])


def test_secrets_are_only_referred_to(full):
    """The pepper and the key of the operator are known to the API alone."""
    assert of_kind("Secret", full) == {}
    expected = {
        "test-api": SECRETS | STORE_KEYS | {"FITSERVE_API_KEY", "FITSERVE_KEY_PEPPER"},
        "test-reader": SECRETS | STORE_KEYS,
        "test-worker-default": SECRETS | STORE_KEYS,
        "test-worker-gpu": SECRETS | STORE_KEYS,
        "test-migrate": {"FITSERVE_DATABASE_URL"},
    }
    for name, container in containers(full).items():
        secret = {
            key: value
            for key, value in environment(container).items()
            if isinstance(value, dict)
        }
        assert set(secret) == expected[name]
        for key, source in secret.items():
            optional = key in STORE_KEYS  # a cloud role takes their place
            assert source == {"name": "secrets", "key": key, "optional": optional}


def test_pods_have_no_rights_that_they_do_not_need(full):
    for pod in pods(full).values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        [container] = pod["containers"]
        assert container["securityContext"] == {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }
        mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        assert mounts == {"home": "/data", "tmp": "/tmp"}
        assert all("emptyDir" in volume for volume in pod["volumes"])
        assert environment(container)["FITSERVE_HOME"] == "/data"
    assert "--uid 10001 fitserve" in (ROOT / "Dockerfile").read_text()


def test_a_service_named_fitserve_sets_no_setting(monkeypatch):
    """For a Service, Kubernetes sets variables that no process could start with."""
    assert all(pod["enableServiceLinks"] is False for pod in pods(render()).values())
    monkeypatch.setenv("FITSERVE_PORT", "tcp://10.96.0.1:80")
    with pytest.raises(ValidationError):
        Settings()


def test_a_pod_has_the_time_to_stop(full):
    """A worker saves its fit; the API is no longer asked, then ends open requests."""
    made = pods(full)
    for name in ("test-reader", "test-worker-default", "test-worker-gpu"):
        assert made[name]["terminationGracePeriodSeconds"] > 2 * heartbeat._LEAVE_SECONDS
    pause = made["test-api"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    config = api_config(lambda: None, "127.0.0.1", 0)
    needed = int(pause[-1]) + config.timeout_graceful_shutdown
    assert made["test-api"]["terminationGracePeriodSeconds"] > needed


def test_probes_ask_what_exists(full):
    made = containers(full)
    paths = {route.path for route in router.routes}
    for probe in ("startupProbe", "readinessProbe"):
        assert made["test-api"][probe]["httpGet"]["path"] in paths
    assert made["test-api"]["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert (
        "tcpSocket" in made["test-api"]["livenessProbe"]
    )  # at its limit, it answers 503
    for name, kind in (("test-reader", "datasets"), ("test-worker-gpu", "runs")):
        for probe in ("startupProbe", "livenessProbe"):
            asked = made[name][probe]["exec"]["command"]
            assert asked == ["python", "-m", "workers.health", kind]


def test_a_short_absence_of_the_database_restarts_no_worker(full):
    for name in ("test-reader", "test-worker-default"):
        probe = containers(full)[name]["livenessProbe"]
        assert probe["periodSeconds"] * probe["failureThreshold"] >= 300


def test_the_service_leads_to_the_api_only(full):
    [service] = of_kind("Service", full).values()
    chosen = service["spec"]["selector"].items()
    labelled = {
        name
        for name, found in of_kind("Deployment", full).items()
        if chosen <= found["spec"]["template"]["metadata"]["labels"].items()
    }
    assert labelled == {"test-api"}
    [budget] = of_kind("PodDisruptionBudget", full).values()
    assert budget["spec"]["selector"]["matchLabels"].items() == chosen
    [ingress] = of_kind("Ingress", full).values()
    [rule] = ingress["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"]["name"] == "test-api"


def test_the_database_is_migrated_before_an_upgrade(full):
    [job] = of_kind("Job", full).values()
    marks = job["metadata"]["annotations"]
    assert marks["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert containers(full)["test-migrate"]["image"] == IMAGES["service"]


def test_a_pool_has_its_own_values_and_else_the_defaults(full):
    made = of_kind("Deployment", full)
    pod = pods(full)["test-worker-gpu"]
    gpu = environment(pod["containers"][0])
    assert gpu["FITSERVE_WORKER_TAGS"] == '["gpu","large-memory"]'
    assert gpu["FITSERVE_WORKER_PROCESSES"] == "3"
    assert pod["nodeSelector"] == GPU["nodeSelector"]
    assert pod["tolerations"] == GPU["tolerations"]
    assert pod["containers"][0]["image"] == GPU["image"]
    assert pod["containers"][0]["resources"] == GPU["resources"]
    assert "replicas" not in made["test-worker-gpu"]["spec"]  # KEDA sets them
    assert made["test-worker-default"]["spec"]["replicas"] == 2
    default = containers(full)["test-worker-default"]
    assert environment(default)["FITSERVE_WORKER_TAGS"] == "[]"
    assert default["image"] == IMAGES["worker"]
    assert default["resources"]["limits"] == {"memory": "4Gi"}


def test_zero_and_false_of_a_pool_are_values_too():
    """They are not replaced by the default."""
    defaults = {"replicas": 3, "scaling": {"enabled": True}}
    pool = {"replicas": 0, "scaling": {"enabled": False}}
    made = render(workerDefaults=defaults, workers={"default": pool})
    assert of_kind("Deployment", made)["test-worker-default"]["spec"]["replicas"] == 0
    assert of_kind("ScaledObject", made) == {}


def test_the_api_accepts_the_tags_of_absent_workers():
    """A pool whose smallest number is 0 has no worker that could be seen."""
    accepted = "FITSERVE_WORKER_TAGS"
    gpu = {"tags": ["gpu"]}
    assert environment(containers(render(**FULL))["test-api"])[accepted] == (
        '["gpu","large-memory"]'
    )
    for pool in (gpu, gpu | {"scaling": {"enabled": True, "min": 1}}):
        made = render(workers={"default": {}, "gpu": pool})
        assert accepted not in environment(containers(made)["test-api"])
    made = render(workers={"default": {}, "gpu": gpu | {"replicas": 0}})
    assert environment(containers(made)["test-api"])[accepted] == '["gpu"]'


def test_the_api_believes_the_given_proxies(full):
    trusted = environment(containers(full)["test-api"])["FORWARDED_ALLOW_IPS"]
    assert trusted == "10.0.0.0/8,fd00::1"
    assert "FORWARDED_ALLOW_IPS" not in environment(containers(render())["test-api"])


def test_long_names_fit():
    """A name of a release may have 53 characters, a label 63."""
    release = "r" * 53
    pools = {"default": {}, "p" * 20: {"scaling": {"enabled": True}}}
    for found in render(release, workers=pools):
        assert len(found["metadata"]["name"]) <= 63
        labels = found["metadata"].get("labels", {})
        assert all(len(value) <= 63 for value in labels.values())
