"""Every page: accessibility, layout at every width, keyboard and API key."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.dashboard.conftest import opened
from tests.dashboard.contrast import low_contrasts
from tests.live import live

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
LATE = {
    "empty": "#recent",
    "table": ".first-rows",
    "start": ".values svg",
    "excluded": ".note",
    "classes": ".importance",
    "run": ".importance",
    "regression": ".importance",
    "compare": ".line",
}
"""Selectors of parts that load after the page."""
WIDTHS = (360, 768, 1440)
KEY = "a-secret-of-many-characters"
PAGES = {
    "empty": "#/",
    "start": "#/?dataset=breast-cancer",
    "excluded": "#/?dataset=excluded",
    "tables": "#/tables",
    "table": "#/tables/breast-cancer",
    "runs": "#/runs",
    "run": "#/runs/{run}",
    "regression": "#/runs/{line}",
    "failed": "#/runs/{failed}",
    "classes": "#/runs/{classes}",
    "compare": "#/compare/{run}",
    "models": "#/models",
    "model": "#/models/tumours",
    "webhooks": "#/webhooks",
    "keys": "#/keys",
    "nothing": "#/nothing",
}


def visit(page, service, place, run, **runs):
    page.goto("about:blank")
    page.goto(f"{service}/{PAGES[place].format(run=run, **runs)}")
    expect(page.locator("main h1")).to_be_visible()
    if place in LATE:
        expect(page.locator(LATE[place]).first).to_be_visible()


def sound(page, what):
    """Check accessibility, contrast, and that no content is wider than the screen."""
    found = Axe().run(page).response["violations"]
    told = [(one["id"], [n["html"] for n in one["nodes"]]) for one in found]
    assert told == [], what
    assert low_contrasts(page) == [], what
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, (what, width)
        assert page.evaluate("document.querySelector('header').offsetWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_sound(browser, service, trained, line, odd_runs, scheme):
    """Every page passes the checks without any input."""
    # the security policy would block the script of axe
    with opened(browser, color_scheme=scheme, bypass_csp=True) as page:
        for place in PAGES:
            visit(page, service, place, trained, line=line, **odd_runs)
            sound(page, place)


def lose_the_service(page):
    page.context.set_offline(True)
    expect(page.locator(".banner.bad")).to_be_visible()


def change_the_spec(page):
    """Choose custom layers, open the JSON, and enter an invalid value."""
    page.get_by_label("Preset").select_option("")
    page.locator("summary", has_text="Spec as JSON").click()
    page.get_by_label("Maximum epochs").fill("-1")
    expect(page.locator(".plan .bad")).to_be_visible()


def open_all_folds(page):
    for summary in page.locator("main summary").all():
        summary.click()
    expect(page.locator(".first-rows")).to_be_visible()


def append_a_bad_file(page):
    page.get_by_role("button", name="Append rows").click()
    file = {"name": "more.csv", "mimeType": "text/csv", "buffer": b"x\n1\n"}
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Append", exact=True).click()
    expect(page.locator("dialog .bad")).to_be_visible()


def ask_for_another_name(page):
    """Rename a table that no run has read."""
    service = page.url.split("/#")[0]
    page.request.post(f"{service}/v1/datasets?name=unread", data="a,b\n1,2\n3,4\n")
    page.goto(f"{service}/#/tables/unread")
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("no name")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.locator("dialog .bad")).to_be_visible()


def ask_for_deletion(page):
    page.get_by_role("button", name="Delete the model").click()


def be_refused(page):
    page.get_by_role("button", name="Point an alias").first.click()
    page.get_by_label("Conditions").fill("accuracy > 1")
    page.get_by_role("dialog").get_by_role("button", name="Point the alias").click()
    expect(page.locator("dialog .bad")).to_be_visible()


def predict(page):
    page.get_by_role("button", name="Predict diagnosis").click()
    expect(page.locator(".answer .bars")).to_be_visible()


def open_everything(page):
    for summary in page.locator("summary").all():
        summary.click()
    page.locator(".plot svg").first.press("ArrowRight")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_comes_of_pressing_is_sound(browser, service, trained, scheme):
    """Problems, dialogs, predictions and opened details pass the checks."""
    deeds = {
        change_the_spec: "start",
        open_all_folds: "start",
        append_a_bad_file: "table",
        ask_for_another_name: "table",
        ask_for_deletion: "model",
        be_refused: "model",
        predict: "model",
        open_everything: "run",
        lose_the_service: "models",
    }
    with opened(browser, color_scheme=scheme, bypass_csp=True) as page:
        for deed, place in deeds.items():
            visit(page, service, place, trained)
            deed(page)
            sound(page, deed.__name__)


def test_a_page_is_reached_by_keys_alone(page, service, trained):
    """Tab reaches the skip link first; an opened page focuses its title."""
    page.goto(f"{service}/#/models")
    expect(page.locator("main h1")).to_have_text("Models")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.get_by_role("link", name="tumours").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main h1")).to_be_focused()
    assert page.title() == "tumours · fitserve"


def test_the_first_page_preloads_the_modules_that_it_imports(page, service):
    """The list has every module of the first page and no other module."""
    listed, asked = set(), set()

    def unlist(route):
        answer = route.fetch()
        links = r'<link rel="modulepreload" href="([^"]+)">'
        listed.update(f"{service}/{path}" for path in re.findall(links, answer.text()))
        route.fulfill(response=answer, body=re.sub(links, "", answer.text()))

    page.route(f"{service}/", unlist)
    page.on("request", lambda request: asked.add(request.url))
    page.goto(service)
    expect(page.locator("main h1")).to_be_visible()
    assert {url for url in asked if url.endswith(".js")} == listed != set()


def test_the_arrow_keys_walk_along_a_curve(page, service, trained):
    """A screen reader gets the values at the cursor."""
    page.goto(f"{service}/#/runs/{trained}")
    curves = page.locator("[aria-labelledby=curves]")
    curves.locator(".plot svg").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(curves.locator(".chart [aria-live]").first).to_contain_text("epoch 2")


def test_a_key_is_asked_for_and_kept_in_the_tab(browser, settings):
    """The page asks again after an invalid key; a valid key is in no URL or local storage."""
    from pydantic import SecretStr

    from service.app import create_app

    app = create_app(settings.model_copy(update={"api_key": SecretStr(KEY)}))
    with live(app) as url, opened(browser, bypass_csp=True) as page:
        page.goto(f"{url}/#/runs")
        expect(page.get_by_role("dialog")).to_be_visible()
        sound(page, "the question for a key")
        for key in ("wrong", KEY):
            page.get_by_role("textbox", name="API key").fill(key)
            page.get_by_role("button", name="Use this key").click()
        expect(page.locator("main h1")).to_have_text("Runs")
        assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
        assert KEY not in page.url
        page.get_by_role("button", name="Remove key").click()
        expect(page.get_by_role("textbox", name="API key")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "wanted"), [("docs", "/v1/datasets"), ("redoc", "Upload a CSV")]
)
def test_the_api_pages_need_no_other_network(browser, service, path, wanted):
    """The API pages load all their files from this service."""
    with opened(browser) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{service}/{path}")
        expect(page.get_by_text(wanted).filter(visible=True).first).to_be_visible()
        away = [url for url in asked if not url.startswith((service, "data:", "blob:"))]
        assert [url for url in away if "cdn.redoc.ly" not in url] == []
