"""Search and filters of the Runs page, and the tags and notes of a run."""

import re

import pytest
from playwright.sync_api import expect

from service.app import create_app
from tests.core.runs.rows import add_run
from tests.dashboard.conftest import opened
from tests.dashboard.test_pages import sound
from tests.live import live

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]


@pytest.fixture
def page(browser):
    with opened(browser, bypass_csp=True) as page:
        yield page


@pytest.fixture
def url(bench):
    with live(create_app(bench.settings)) as url:
        yield url


@pytest.fixture
def many(bench):
    """Add runs of more than one page, and a few to find among them."""
    for i in range(70):
        add_run(bench.database, model_name=f"plain-{i}", status="failed")
    return [
        add_run(
            bench.database,
            model_name="houses",
            status="succeeded",
            tags={"team": "red"},
            notes="wider, 50% better",
        )
        for _ in range(60)
    ]


def test_runs_are_searched_and_the_address_keeps_it(page, url, many):
    """The service filters, so that more than one page is found."""
    page.goto(f"{url}/#/runs")
    rows = page.locator(".runs tbody tr")
    expect(rows.first).to_contain_text("houses")
    search = page.get_by_label("Search")
    search.press_sequentially("50% RED")
    expect(page).to_have_url(f"{url}/#/runs?text=50%25+RED")
    expect(rows).to_have_count(50)
    expect(search).to_be_focused()
    rows.last.scroll_into_view_if_needed()
    expect(rows).to_have_count(60)
    page.get_by_label("Status").select_option("failed")
    expect(page.locator(".empty")).to_contain_text("No run matches the filters")
    sound(page, "a search without a result")
    page.get_by_label("Status").select_option("")
    search.fill("")
    page.get_by_label("Model").fill("plain-7")
    expect(rows).to_have_count(1)
    assert page.url.endswith("#/runs?model=plain-7")
    page.reload()
    expect(page.get_by_label("Model")).to_have_value("plain-7")
    expect(rows).to_have_count(1)


def test_an_invalid_filter_is_marked(page, url, many):
    """Also one in the address; a link of a tag finds the runs with it."""
    page.goto(f"{url}/#/runs?tag=team")
    tag = page.get_by_label("Tag")
    expect(tag).to_have_attribute("aria-invalid", "true")
    expect(page.locator("main [role=alert]")).to_contain_text("name:value")
    sound(page, "an invalid filter")
    tag.fill("")
    expect(tag).not_to_have_attribute("aria-invalid", "true")
    page.locator(".runs .alias").first.click()
    expect(page.get_by_label("Tag")).to_have_value("team:red")


def test_tags_and_notes_are_edited(page, url, many):
    """The answer of the service is shown, and a reload shows the same."""
    page.goto(f"{url}/#/runs/{many[0]}")
    card = page.locator("[aria-labelledby=notes]")
    card.get_by_label("New tag").fill("size: very wide")
    card.get_by_role("button", name="Add tag").click()
    expect(card.locator(".tags .alias")).to_have_text(["team:red", "size:very wide"])
    card.get_by_role("button", name="Remove the tag team").press("Enter")
    expect(card.locator(".tags .alias")).to_have_text(["size:very wide"])
    expect(card.get_by_label("New tag")).to_be_focused()
    card.get_by_label("New tag").fill("urgent")
    card.get_by_label("New tag").press("Enter")
    expect(card.get_by_label("New tag")).to_have_accessible_description(
        re.compile("Got “urgent”, expected name:value, such as team:red")
    )
    expect(card.locator(".tags .alias")).to_have_count(1)
    card.get_by_label("New tag").fill("two words:x")
    card.get_by_label("New tag").press("Enter")
    expect(card.get_by_label("New tag")).to_have_attribute("aria-invalid", "true")
    sound(page, "a tag that is refused")
    card.get_by_label("Notes").fill("<b>best</b> so far")
    card.get_by_role("button", name="Save notes").click()
    expect(card.get_by_role("status")).to_have_text("Saved.")
    page.reload()
    expect(card.get_by_label("Notes")).to_have_value("<b>best</b> so far")
    expect(card.locator(".tags .alias")).to_have_text(["size:very wide"])
