"""The pages of all tables and of one table."""

import json
import re

import httpx
import pytest
from playwright.sync_api import expect

from fitserve import Client

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
ROWS = "size,sold,day\n" + "".join(
    f"{i}.5,{('yes', 'no')[i % 2]},2024-01-{i % 28 + 1:02}\n" for i in range(40)
)


@pytest.fixture
def flats(service):
    """Upload a table with two versions. Delete it after the test, whatever its name is."""
    made = httpx.post(f"{service}/v1/datasets?name=flats", content=ROWS)
    made.raise_for_status()
    more = "size,sold,day\n99.5,yes,2024-02-01\n"
    httpx.post(f"{service}/v1/datasets/flats/rows", content=more).raise_for_status()
    yield "flats"
    with Client(service) as client:
        for dataset in client.datasets.list():
            if dataset.name in ("flats", "homes"):
                client.datasets.delete(dataset.id)


def test_a_table_is_viewed_renamed_and_deleted(page, service, trained, flats):
    """The list leads to the rows of each version; a taken name is refused."""
    page.goto(f"{service}/#/tables")
    row = page.locator("tbody tr", has=page.get_by_role("link", name="flats", exact=True))
    expect(row.locator("td").first).to_have_text("2")
    row.get_by_role("link", name="flats", exact=True).click()
    expect(page.locator("main h1")).to_have_text("flats")
    rows = page.locator(".first-rows tbody tr")
    expect(rows).to_have_count(10)
    expect(rows.first).to_contain_text("2024-01-01")
    expect(page.locator(".facts")).to_contain_text("41 rows")
    page.get_by_role("link", name="version 1", exact=True).click()
    expect(page.locator(".facts")).to_contain_text("40 rows")

    page.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("New name").fill("breast-cancer")
    dialog.get_by_role("button", name="Rename").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Give another name.")
    dialog.get_by_label("New name").fill("homes")
    dialog.get_by_label("New name").press("Enter")
    expect(page.locator("main h1")).to_have_text("homes")

    expect(page.locator(".outcome")).to_have_text("flats is now named homes.")
    _delete(page, "Delete version 2")
    expect(page.locator(".outcome")).to_have_text(
        "Version 2 of the table homes was deleted."
    )
    expect(page.locator(".is-current th")).to_have_text("version 1")
    page.get_by_role("link", name="Train on homes@1").click()
    spec = json.loads(page.locator("textarea").input_value())
    assert (spec["dataset"], spec["target"]) == ("homes@1", "sold")
    page.goto(f"{service}/#/tables/homes")
    _delete(page, "Delete version 1")
    expect(page.locator("main h1")).to_have_text("Tables")
    expect(page.get_by_role("link", name="breast-cancer", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="homes", exact=True)).to_have_count(0)


def _delete(page, label):
    page.get_by_role("button", name=label, exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()


def test_a_table_that_runs_have_read_keeps_its_name(page, service, trained):
    """The button is disabled, and the page says why."""
    page.goto(f"{service}/#/tables/breast-cancer")
    rename = page.get_by_role("button", name="Rename")
    expect(rename).to_be_disabled()
    expect(rename).to_have_accessible_description(re.compile("because runs have read it"))


def test_rows_are_appended_and_the_warnings_shown(page, service, flats):
    """A file that does not fit is refused with its row, and stores nothing."""
    page.goto(f"{service}/#/tables/flats")
    page.get_by_role("button", name="Append rows").click()
    dialog = page.get_by_role("dialog")
    send(dialog, "size,sold,day\nmany,no,2024-01-01\n")
    expect(dialog.get_by_role("alert")).to_contain_text("'many'")
    send(dialog, "size,sold,day,colour\n7.5,no,2024-01-01,red\n")
    expect(page.locator(".is-current th")).to_have_text("version 3")
    expect(page.locator("[aria-labelledby=rows]")).to_contain_text("colour")
    expect(page.locator(".outcome")).to_have_text(
        "1 row appended: version 3 has 42 rows."
    )
    expect(page.locator(".facts")).to_contain_text(
        "1 row appended from the file more.csv"
    )
    expect(page.locator(".is-current .figure").first).to_have_text("421 appended")
    expect(page.locator(".is-current .size")).to_have_text(re.compile(r"^\d+ B$"))
    with Client(service) as client:
        assert [one.version for one in client.datasets.list("flats")] == [3, 2, 1]


def send(dialog, text):
    file = {"name": "more.csv", "mimeType": "text/csv", "buffer": text.encode()}
    dialog.get_by_label("File").set_input_files(file)
    dialog.get_by_role("button", name="Append", exact=True).click()


def test_booleans_have_the_words_of_the_file(page, service, flats):
    """In the first rows and in the columns of the start page."""
    page.goto(f"{service}/#/tables/flats")
    expect(page.locator(".first-rows tbody tr").first).to_contain_text("yes")
    page.goto(f"{service}/#/?dataset=flats")
    row = page.locator(".columns tbody tr").nth(1)
    expect(row.locator(".bars .name")).to_have_text(["yes", "no"])


def test_an_unknown_table_is_not_found(page, service):
    """The page leads back to the list."""
    page.goto(f"{service}/#/tables/nothing")
    expect(page.locator("main h1")).to_have_text("Table not found")
    page.get_by_role("link", name="All tables").click()
    expect(page.locator("main h1")).to_have_text("Tables")
