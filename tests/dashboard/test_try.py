"""Predictions on the page of a model: fields, errors in a reader's words, and files."""

import csv
import random
import re

import polars as pl
import pytest
from playwright.sync_api import expect

from fitserve.spreadsheets import harmless
from tests.dashboard.conftest import opened
from tests.dashboard.files import ORIGIN, open_blank
from tests.dashboard.test_pages import sound
from tests.fitserve.test_spreadsheets import FORMULAS, NUMBERS
from tests.live import live

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
ROWS = [
    f"{i / 4:g},{('Rom', 'Bern')[i % 2]},{'' if i % 9 == 0 else i % 5},"
    f"{i % 28 + 1:02}.01.2024,{('no', 'yes')[i % 3 == 0]}"
    for i in range(60)
]
TABLE = "\n".join(["size,town,rooms,built,sold", *ROWS]) + "\n"
FILE = "id;size;town;rooms;built\n=1;3;Rom;2;05.01.2024\n2;99;Oslo;;01.02.2031\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory, broker_url, browser):
    """Train a classifier of a table with a date; yield the URL of its page."""
    from service.app import create_app
    from tests.conftest import bench_in

    with bench_in(tmp_path_factory.mktemp("try") / "home", broker_url) as bench:
        bench.upload(TABLE, "homes")
        run = bench.train({"dataset": "homes", "target": "sold", "fit": {"epochs": 2}})
        assert run["status"] == "succeeded", run["error"]
        with live(create_app(bench.settings)) as url:
            yield f"{url}/#/models/homes"


@pytest.fixture
def page(browser, model):
    with opened(browser, bypass_csp=True) as page:
        page.goto(model)
        expect(page.locator("main h1")).to_have_text("homes")
        yield page


def field(page, name):
    return page.get_by_label(name, exact=True)


def test_fields_say_what_they_expect(page):
    """Required or not, the range, and how dates are written."""
    day = r"\d\d\.01\.2024"
    for name, told in (
        ("size", r"required, [\d.]+ to [\d.]+"),
        ("rooms", "may be empty, 0 to 4"),
        ("built", rf"required, {day} to {day}, DD\.MM\.YYYY"),
    ):
        pattern = re.compile(f"^{told}$")
        expect(field(page, name)).to_have_accessible_description(pattern)
    expect(field(page, "size")).to_have_attribute("aria-required", "true")


def test_an_error_is_shown_at_its_field(page):
    """In the words of the page; the field is focused, and the mark goes with the error."""
    built, predict = field(page, "built"), page.get_by_role("button", name="Predict sold")
    page.set_viewport_size({"width": 380, "height": 500})
    built.fill("2024/13/45")
    predict.click()
    expect(built).to_have_attribute("aria-invalid", "true")
    expect(built).to_be_focused()
    expect(built).to_be_in_viewport()
    note = page.locator(".field", has=built).locator(".wrong")
    expect(note).to_contain_text("Got '2024/13/45', expected a date")
    box = page.locator(".answer [role=alert]")
    expect(box).to_contain_text("built: Got")
    assert "#/" not in box.inner_text()
    assert "row 0" not in box.inner_text()
    sound(page, "a field with an error")
    page.set_viewport_size({"width": 380, "height": 500})
    built.fill("05.02.2031")
    predict.click()
    expect(built).not_to_have_attribute("aria-invalid", "true")
    warning = page.locator(".answer .warn")
    expect(warning).to_contain_text("built: 05.02.2031 is outside the training rows'")
    expect(warning).to_be_in_viewport()
    expect(page.locator(".prediction output")).to_be_in_viewport()


def test_an_empty_required_field_is_marked(page):
    """Nothing is sent, and an earlier prediction does not stay next to the mark."""
    size, rooms = field(page, "size"), field(page, "rooms")
    page.get_by_role("button", name="Predict sold").click()
    expect(page.locator(".prediction")).to_have_count(1)
    size.fill("")
    rooms.fill("")
    page.get_by_role("button", name="Predict sold").click()
    expect(size).to_have_attribute("aria-invalid", "true")
    expect(size).to_be_focused()
    expect(rooms).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator(".prediction")).to_have_count(0)
    size.fill("3")
    page.get_by_role("button", name="Predict sold").click()
    expect(page.locator(".prediction output")).to_have_text("no")


def parquet(path):
    rows = {
        "id": [1, 2],
        "size": [3.0, 99.0],
        "town": ["Rom", "Oslo"],
        "rooms": [2, None],
    }
    pl.DataFrame(rows | {"built": ["05.01.2024", "01.02.2031"]}).write_parquet(path)
    return path


def test_the_rows_of_a_file_are_predicted(page, tmp_path):
    """A table with warnings, and a CSV that has the columns of the file."""
    text = tmp_path / "new homes.csv"
    text.write_text(FILE)
    for path in (parquet(tmp_path / "homes.parquet"), text):
        page.get_by_label("File", exact=True).set_input_files(path)
        heading = page.locator(".of-file .head h3")
        expect(heading).to_have_text(f"2 rows of {path.name} predicted by version 1")
    table = page.locator(".predicted")
    heads = table.locator("thead th").all_text_contents()
    assert heads == ["Row", "predicted sold", "P(no)", "P(yes)", "id", "size", "town", "rooms", "built"]  # fmt: skip
    expect(table.locator("tbody tr")).to_have_count(2)
    warnings = page.locator(".of-file .warn")
    for told in ("Row 2, size: 99 is outside", "Row 2, town: 'Oslo'", "01.02.2031"):
        expect(warnings).to_contain_text(told)
    sound(page, "predicted rows")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download as CSV").click()
    assert saved.value.suggested_filename == "new homes-predicted.csv"
    header, first, second = csv.reader(saved.value.path().read_text().splitlines())
    assert header == ["id", "size", "town", "rooms", "built", "predicted sold", "P(no)", "P(yes)"]  # fmt: skip
    assert first[:5] == ["'=1", "3", "Rom", "2", "05.01.2024"]
    assert second[3] == ""
    assert first[5] in ("no", "yes")
    assert abs(float(first[6]) + float(first[7]) - 1) < 1e-4


def test_an_error_in_a_file_names_its_row(page, tmp_path):
    """Rows count from 1, as in the table."""
    path = tmp_path / "bad.csv"
    path.write_text(FILE.replace("99", "wide"))
    page.get_by_label("File", exact=True).set_input_files(path)
    box = page.locator(".of-file [role=alert]")
    expect(box).to_contain_text("Row 2, size: Got 'wide', expected a number")


def test_an_absent_column_of_a_file_is_explained_for_a_file(page, tmp_path):
    """A file has columns and cells, not fields."""
    path = tmp_path / "short.csv"
    path.write_text("size;rooms;built\n3;2;05.01.2024\n")
    page.get_by_label("File", exact=True).set_input_files(path)
    box = page.locator(".of-file [role=alert]")
    expect(box).to_contain_text("town: The column 'town' is missing. Add the column")
    expect(box).not_to_contain_text("field")


def test_the_page_and_python_quote_formulas_alike(browser):
    """The rule of the CSV of the command line, over its examples and random texts."""
    dice = random.Random(1)
    marks = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20 0159.,'eE%ax\u00a0"
    texts = ["".join(dice.choices(marks, k=dice.randint(0, 6))) for _ in range(3_000)]
    cells = [*FORMULAS, *NUMBERS, *texts, "a=1", -1.5, None, True]
    with opened(browser) as page:
        open_blank(page)
        shown = page.evaluate(
            """async ([url, cells]) => {
              const { harmless } = await import(url);
              return cells.map((cell) => harmless(cell));
            }""",
            [f"{ORIGIN}/dashboard/modules/models/predictions.js", cells],
        )
    assert shown == [harmless(cell) for cell in cells]


def test_a_key_is_asked_for_in_the_words_of_a_page(browser, settings):
    """The dialog does not mention a header."""
    from pydantic import SecretStr

    from service.app import create_app

    app = create_app(settings.model_copy(update={"api_key": SecretStr("a" * 30)}))
    with live(app) as url, opened(browser) as page:
        page.goto(f"{url}/#/runs")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Enter the key that you were given.")
        assert "Bearer" not in dialog.inner_text()
