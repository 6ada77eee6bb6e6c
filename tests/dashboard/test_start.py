"""The start page: the example table, the first rows, and what was trained lately."""

import json
import re

import pytest
from playwright.sync_api import expect

from fitserve import Client
from tests.dashboard.files import open_blank

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
EXAMPLE = "diabetes-example"
USUAL = """async ([runs, plan]) => {
  const { aboutText, usualSeconds } = await import("/dashboard/modules/start/recent.js");
  const seconds = usualSeconds(runs, plan);
  return seconds === null ? null : aboutText(seconds);
}"""


def run_of(seconds, rows=1000, **changes):
    """Return the summary of a run of the default preset that took some seconds."""
    run = {
        "status": "succeeded",
        "preset": "default",
        "num_seeds": 1,
        "epochs": 200,
        "num_train_rows": rows,
        "num_params": 500,
        "seconds": seconds,
    }
    return run | changes


PLAN = {
    "spec": {"preset": "default", "fit": {"epochs": 200, "num_seeds": 1}},
    "num_rows": {"train": 1000},
    "num_params": 500,
}


def test_the_example_table_becomes_a_trained_run(page, service):
    """One press uploads it and fills the form; a second press uploads nothing."""
    page.goto(service)
    page.get_by_role("button", name="Use the example table").click()
    expect(page.get_by_label("Predict progression")).to_be_checked()
    expect(page.locator(".histogram")).to_have_count(11)
    words = page.locator(".plan .words")
    expect(words).to_contain_text("It predicts progression, a number, from 10 columns.")
    expect(words).to_contain_text("16 networks learn together")
    expect(page.locator(".stack")).to_be_hidden()
    title = page.locator(".settings > summary")
    expect(title).to_have_text(re.compile("^Default network"))
    page.get_by_label("Preset").select_option("linear")
    expect(words).to_contain_text(
        "The network has only an output layer; at most 11 parameters"
    )
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".chip").first).to_have_text("succeeded")

    page.get_by_role("link", name="Start", exact=True).click()
    lately = page.locator("[aria-labelledby=recent]")
    expect(lately.get_by_role("link", name=EXAMPLE)).to_have_count(1)
    page.get_by_role("button", name="Use the example table").click()
    page.get_by_label("Preset").select_option("linear")
    expect(title).to_have_text(re.compile(r"^Linear network, about \d+ s$"))
    page.locator("summary", has_text="First ten rows").click()
    expect(page.locator(".first-rows tbody tr")).to_have_count(10)
    expect(page.locator(".first-rows thead th")).to_have_count(11)
    with Client(service) as client:
        assert len(list(client.datasets.list(EXAMPLE))) == 1


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], None),
        ([run_of(22)], "about 20 s"),
        ([run_of(9), run_of(7), run_of(58)], "about 9 s"),
        ([run_of(3, 10_000), run_of(2, 100)], None),
        ([run_of(200, 900), run_of(4, 5_000)], "about 3 min"),
        ([run_of(5, status="failed")], None),
        ([run_of(5, preset="small")], None),
        ([run_of(5, epochs=9)], None),
    ],
)
def test_the_time_is_that_of_similar_runs(page, runs, expected):
    """Without a run of the same preset and of similar size, no time is shown."""
    open_blank(page)
    assert page.evaluate(USUAL, [runs, PLAN]) == expected


def test_a_format_of_dates_is_chosen_in_a_menu(page, service):
    """The preview follows the menu, and another format is written into a field."""
    page.goto(service)
    text = "day,y\n1/2/2024,7\n3/4/2024,8\n"
    file = {"name": "dates.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.set_input_files("input[type=file]", file)
    first = page.locator(".first-rows tbody td").first
    expect(first).to_have_text("2024-01-02")
    page.locator("summary", has_text="Notation").first.click()
    menu = page.get_by_label("Format of day")
    menu.select_option("%d/%m/%Y")
    expect(first).to_have_text("2024-02-01")
    menu.select_option("another…")
    menu.fill("%d/%m/%y")
    menu.press("Enter")
    expect(page.locator(".said .bad")).to_be_visible()
    page.get_by_label("Format of day").fill("%m/%d/%Y")
    page.get_by_label("Format of day").press("Enter")
    expect(first).to_have_text("2024-01-02")
    expect(page.get_by_label("Format of day")).to_have_value("%m/%d/%Y")


def test_a_dataset_of_an_earlier_release_has_histograms(page, service, trained):
    """Its columns have no counts, so the page counts rows of five places."""

    def without_counts(route):
        answer = route.fetch()
        dataset = answer.json()
        for column in dataset["columns"]:
            column["histogram"] = None
        dataset["num_rows"] = 5_000
        route.fulfill(response=answer, json=dataset)

    page.route("**/v1/datasets/breast-cancer", without_counts)
    page.goto(f"{service}/#/?dataset=breast-cancer")
    expect(page.locator(".histogram")).to_have_count(30)
    expect(page.locator("[aria-labelledby=step-columns]")).to_contain_text(
        "An earlier release stored this dataset."
    )


def test_the_target_is_guessed_by_the_service(page, service):
    """A usual name comes before the last column, which here is a date."""
    text = "is_canceled,price_per_night,day\n" + "".join(
        f"{i % 2},{i * 7 % 31},2024-01-{i % 28 + 1:02}\n" for i in range(80)
    )
    page.goto(service)
    file = {"name": "stays.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_label("Predict is_canceled")).to_be_checked()
    spec = json.loads(page.locator("textarea").input_value())
    assert spec == {"dataset": "stays", "target": "is_canceled", "preset": "default"}


def test_a_column_is_read_with_another_type(page, service, trained):
    """The menu of a column sets `features.types`, and its own type removes the key."""
    page.goto(f"{service}/#/?dataset=breast-cancer")
    kind = page.get_by_label("Read mean radius as")
    kind.select_option("datetime")
    expect(page.locator(".plan .bad")).to_contain_text("mean radius")
    expect(kind).to_have_attribute("aria-invalid", "true")
    kind.select_option("categorical")
    text = page.locator("textarea")
    spec = json.loads(text.input_value())
    assert spec["features"] == {"types": {"mean radius": "categorical"}}
    expect(page.locator(".plan .words")).to_contain_text("30 columns")
    kind.select_option("numeric")
    assert "features" not in json.loads(text.input_value())
