"""Write the pictures of the docs: `python -m docs.screenshot [NAME ...]`.

Start a service in a temporary home, train one network, and capture the page in the
Chromium that the page tests use. Names are those in `SHOTS`; without a name, all pictures
are written.
"""

import io
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from fitserve import Client
from tests.dashboard.conftest import CHROMIUM, DATA, FLAGS
from tests.e2e_service import ROOT, running

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = {"page": 200 * 1024}
MOST_BYTES_OF_OTHERS = 120 * 1024
COLOURS = 256
"""Colours of a stored picture; more are not visible on the page."""
LEFT = {"width": 858, "height": 840}
RIGHT = {"width": 399, "height": 840}
"""Sizes of the window for the run, and for the parts next to the run."""
CANVAS = {"width": 1280, "height": 872}
TOUR = {"width": 1000, "height": 760}
TALL = {"width": 1000, "height": 1500}
SPEC = {
    "dataset": "breast-cancer",
    "target": "diagnosis",
    "model_name": "tumours",
    "model": {
        "layers": [
            {"type": "Dense", "units": 64, "activation": "relu"},
            {"type": "Dropout", "rate": 0.3},
            {"type": "Dense", "units": 32, "activation": "relu"},
            {"type": "Dropout", "rate": 0.2},
            {"type": "Output"},
        ]
    },
    "compile": {
        "optimizer": {"type": "Adam", "learning_rate": 0.0005},
        "metrics": ["accuracy", "auc"],
    },
    "fit": {"epochs": 80, "seed": 7, "early_stopping": {"patience": 10}},
}
LAYOUT = """<style>
  body { display: flex; gap: 16px; margin: 0; padding: 16px; background: #dde3ec; }
  div { display: grid; align-content: space-between; width: 374px; }
  img { border-radius: 8px; box-shadow: 0 2px 8px rgb(26 31 41 / 16%); }
  img:last-child { padding: 0 14px 14px 15px; background: #fff; }
</style>"""


def captured(part: Page | Locator) -> str:
    """Capture a page or an element as an image in HTML."""
    return f'<img src="data:image/png;base64,{b64encode(part.screenshot()).decode()}">'


def overview(page: Page, url: str, run: str) -> bytes:
    """Return a picture of the run next to its plan, its metrics and a prediction."""
    page.set_viewport_size(LEFT)
    page.goto(f"{url}/#/runs/{run}")
    page.locator("p.verdict", has_text="boosting").wait_for()
    window = captured(page)
    page.set_viewport_size(RIGHT)
    metrics = captured(page.locator("[aria-labelledby=figures]"))
    page.get_by_role("button", name="Edit and train again").click()
    page.locator(".values svg").first.wait_for()
    plan = captured(page.locator(".plan"))
    predict(page, url)
    prediction = captured(page.locator(".answer"))
    page.goto("about:blank")
    page.set_viewport_size(CANVAS)
    page.set_content(f"{LAYOUT}{window}<div>{plan}{metrics}{prediction}</div>")
    return page.screenshot()


def predict(page: Page, url: str) -> None:
    """Open the page of the model and predict the row in its form."""
    page.goto(f"{url}/#/models/{SPEC['model_name']}")
    page.get_by_role("button", name=f"Predict {SPEC['target']}").click()
    page.locator(".answer .bars").wait_for()


def start(page: Page, url: str, _: str) -> bytes:
    """Return a picture of the table's columns on the start page."""
    page.set_viewport_size(TOUR)
    page.goto(f"{url}/#/?dataset={SPEC['dataset']}")
    page.locator(".values svg").first.wait_for()
    return page.screenshot()


def of_run(page: Page, url: str, run: str) -> bytes:
    """Return a picture of the run with the beginning of its report."""
    page.set_viewport_size(TALL)
    page.goto(f"{url}/#/runs/{run}")
    page.locator("p.verdict", has_text="boosting").wait_for()
    return page.screenshot()


def of_model(page: Page, url: str, _: str) -> bytes:
    """Return a picture of a prediction on the page of the model."""
    page.set_viewport_size(TOUR)
    predict(page, url)
    page.locator(".answer").scroll_into_view_if_needed()
    return page.screenshot()


SHOTS: dict[str, Callable[[Page, str, str], bytes]] = {
    "page": overview,
    "tour-start": start,
    "tour-run": of_run,
    "tour-model": of_model,
}
"""The pictures by the names of their files; each captures a new tab."""


def small(image: bytes) -> bytes:
    """Return the picture with few colours."""
    stored = io.BytesIO()
    reduced = Image.open(io.BytesIO(image)).convert("RGB").quantize(COLOURS)
    reduced.save(stored, "PNG", optimize=True)
    return stored.getvalue()


def write(name: str, image: bytes) -> None:
    """Write a picture; exit if it is too large for a repository."""
    most = MOST_BYTES.get(name, MOST_BYTES_OF_OTHERS)
    if len(image) > most:
        raise SystemExit(f"{name} has {len(image):,} bytes, expected {most:,} at most.")
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / f"{name}.png").write_bytes(image)


@contextmanager
def trained() -> Iterator[tuple[str, str]]:
    """Provide the URL of a service and the id of a run that has ended."""
    with (
        tempfile.TemporaryDirectory(prefix="fitserve-") as home,
        running(Path(home)) as (url, _),
        Client(url) as client,
    ):
        client.datasets.upload(DATA / "breast-cancer.csv")
        yield url, client.runs.wait(client.runs.create(SPEC).id, timeout=120).id


def main(names: list[str]) -> None:
    """Train once, capture each page, and write the pictures."""
    if unknown := set(names) - set(SHOTS):
        raise SystemExit(f"got {sorted(unknown)}; expected names among {[*SHOTS]}")
    with trained() as (url, run), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in names or SHOTS:
            page = browser.new_page(color_scheme="light")
            write(name, small(SHOTS[name](page, url, run)))
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
