"""Write the README's screenshot: `python -m docs.screenshot`.

Start a service in a temporary home, train one network, and capture the page in the
Chromium that the page tests use. The image shows the run, its plan, its metrics and a
prediction.
"""

import tempfile
from base64 import b64encode
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from fitserve import Client
from tests.dashboard.conftest import CHROMIUM, DATA, FLAGS
from tests.e2e_service import ROOT, running

IMAGE = ROOT / "docs" / "images" / "page.png"
MOST_BYTES = 200 * 1024
LEFT = {"width": 858, "height": 840}
RIGHT = {"width": 399, "height": 840}
"""Sizes of the window for the run, and for the parts next to the run."""
CANVAS = {"width": 1280, "height": 872}
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


def capture(page: Page, url: str, run: str) -> bytes:
    """Return a picture of the run next to its plan, its metrics and a prediction."""
    page.set_viewport_size(LEFT)
    page.goto(f"{url}/#/runs/{run}")
    page.locator(".importance").wait_for()
    window = captured(page)
    page.set_viewport_size(RIGHT)
    metrics = captured(page.locator("[aria-labelledby=figures]"))
    page.get_by_role("button", name="Edit and train again").click()
    page.locator(".values svg").first.wait_for()
    plan = captured(page.locator(".plan"))
    page.goto(f"{url}/#/models/{SPEC['model_name']}")
    page.get_by_role("button", name=f"Predict {SPEC['target']}").click()
    page.locator(".answer .bars").wait_for()
    prediction = captured(page.locator(".answer"))
    page.goto("about:blank")
    page.set_viewport_size(CANVAS)
    page.set_content(f"{LAYOUT}{window}<div>{plan}{metrics}{prediction}</div>")
    return page.screenshot()


def main() -> None:
    """Train, capture, and write the image."""
    with (
        tempfile.TemporaryDirectory(prefix="fitserve-") as home,
        running(Path(home)) as (url, _),
        Client(url) as client,
        sync_playwright() as playwright,
    ):
        client.datasets.upload(DATA / "breast-cancer.csv")
        run = client.runs.wait(client.runs.create(SPEC).id, timeout=120)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        image = capture(browser.new_page(color_scheme="light"), url, run.id)
        browser.close()
    if len(image) > MOST_BYTES:
        raise SystemExit(
            f"The image has {len(image)} bytes, expected {MOST_BYTES} at most."
        )
    IMAGE.parent.mkdir(exist_ok=True)
    IMAGE.write_bytes(image)


if __name__ == "__main__":
    main()
