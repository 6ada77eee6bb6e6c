"""Test that the chart refuses wrong values, with a sentence that says what to do."""

import re

import pytest
import yaml

from tests.deploy.helm import IMAGES, ROOT, VALUES, Refused, render

URL = "s3://bucket/prefix"


def pools(**pool):
    return {"workers": {"default": pool}}


def scaled(tag, second):
    return {"tags": [tag, second], "replicas": 0}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicas": 2}, "'replicas' not allowed"),
        ({"api": {"replica": 2}}, "'replica' not allowed"),
        ({"api": {"replicas": "2"}}, "got string, want integer"),
        ({"api": {"replicas": 0}}, "minimum: got 0, want 1"),
        ({"api": {"trustedProxies": ["*"]}}, "'*' does not match pattern"),
        (pools(tag=["gpu"]), "'tag' not allowed"),
        (pools(tags=["GPU"]), "'GPU' does not match pattern"),
        (pools(tags=["a'b"]), "does not match pattern"),
        (pools(tags=["a", "b", "c", "d", "e"]), "maxItems: got 5, want 4"),
        (pools(processes=0), "minimum: got 0, want 1"),
        (pools(scaling={"enabled": "yes"}), "got string, want boolean"),
        (pools(scaling={"query": "SELECT 1"}), "'query' not allowed"),
        ({"workers": {"Default": {}}}, "'Default' does not match pattern"),
        ({"homeSize": "20"}, "'20' does not match pattern"),
        ({"images": IMAGES | {"worker": "fitserve worker"}}, "does not match pattern"),
        # YAML reads a number, which Helm would write as 4.294967296e+09
        ({"settings": {"FITSERVE_LIMITS__MAX_UPLOAD_BYTES": 4294967296}}, "want string"),
        ({"settings": {"PATH": "/bin"}}, "does not match pattern"),
    ],
    ids=str,
)
def test_the_schema_names_the_wrong_value(values, said):
    with pytest.raises(Refused) as refused:
        render(**values)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"secretName": ""}, "secretName is empty. Create a Secret"),
        (
            {"images": IMAGES | {"worker": ""}},
            "images.worker is empty. Build the target `worker`",
        ),
        (
            {"settings": {}},
            'FITSERVE_STORAGE_URL is "". Expected a URL such as s3://bucket/prefix',
        ),
        (
            {"settings": {"FITSERVE_STORAGE_URL": "file:///srv"}},
            "the pods share no folder",
        ),
        (
            {"settings": {"FITSERVE_STORAGE_URL": URL, "FITSERVE_API_KEY": "k" * 16}},
            "settings.FITSERVE_API_KEY is a secret. Leave it out of the values",
        ),
        (
            {"settings": {"FITSERVE_STORAGE_URL": URL, "FITSERVE_PORT": "80"}},
            "settings.FITSERVE_PORT is set by the chart. Leave it out",
        ),
        (pools(scaling={"min": 3, "max": 2}), "min 3 and max 2. Set min to at most max"),
        (
            {"ingress": {"enabled": True}},
            "ingress.host is empty. Set it to the name of the host",
        ),
        (
            {
                "workers": {
                    "one": scaled("a", "b"),
                    "two": scaled("c", "d"),
                    "three": scaled("d", "e"),
                }
            },
            "the tags a, b, c, d, e together, but the API accepts at most 4",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_schema_cannot_say_has_a_sentence(values, said):
    with pytest.raises(Refused) as refused:
        render(**values)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "image",
    ["fitserve:1", "localhost:5000/a/fitserve:0.1.0", f"r.example/f@sha256:{'0' * 64}"],
)
def test_images_of_any_registry_are_accepted(image):
    made = render(images=IMAGES | {"service": image})
    assert image in str(made)
    assert VALUES["images"] == IMAGES


def test_the_values_of_the_page_are_accepted():
    """Each block of docs/deploying.md that begins with `# values.yaml` is a part of them."""
    page = (ROOT / "docs/deploying.md").read_text()
    blocks = re.findall(r"```yaml\n# values.yaml\n(.*?)```", page, re.DOTALL)
    values = {}
    for block in blocks:
        values |= yaml.safe_load(block)
    assert {"images", "workers", "ingress", "api"} <= set(values)
    made = {each["kind"] for each in render(**values)}
    assert {"Ingress", "ScaledObject"} <= made
