"""Write the page of routes from the OpenAPI document of the service."""

from collections import defaultdict
from tempfile import TemporaryDirectory

from core.settings import Settings
from service.app import create_app
from service.auth.scopes import Access, RequiredAccess

INTRO = """\
# HTTP

Generated from the code by `python -m docs.generate`. The running service has the same
routes with every schema at `/docs`, and for programs at `/openapi.json`. Errors are
[problems](../problems.md). A key needs the scope of the route
([what each scope allows](../keys.md#scopes)). "any key" means that the key needs no
scope, and "none" that no key is needed.
"""
TITLES = {
    "datasets": "Datasets",
    "runs": "Runs",
    "models": "Models",
    "predict": "Predict",
    "keys": "Keys",
    "health": "Health",
    "openai": "OpenAI's SDK",
    "open-inference": "Open Inference V2",
    "tf-serving": "TensorFlow Serving",
    "mlflow": "MLflow",
}


def page() -> str:
    """Return docs/reference/http.md, the routes by noun or protocol."""
    with TemporaryDirectory() as home:
        app = create_app(Settings(home=home))
    scopes = {(e.method, e.path): e.scope for e in app.state.routes.entries}
    lines: dict[str, list[str]] = defaultdict(list)
    for path, methods in sorted(app.openapi()["paths"].items()):
        for name, operation in methods.items():
            method, does = name.upper(), operation["summary"]
            line = f"| `{method} {path}` | {_shown(scopes[method, path])} | {does} |"
            lines[TITLES[operation["tags"][0]]].append(line)
    head = ["| route | scope | does |", "|---|---|---|"]
    sections = [
        "\n".join([f"\n## {title}\n", *head, *lines[title], ""])
        for title in TITLES.values()
    ]
    return INTRO + "".join(sections)


def _shown(scope: RequiredAccess) -> str:
    return scope.value if isinstance(scope, Access) else f"`{scope}`"
