"""Presets, promotion with a condition, deletion, and keys that lack scopes."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from fitserve import Client
from tests.dashboard.conftest import open_settings, opened
from tests.dashboard.test_pages import sound
from tests.live import live

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
READS = ["datasets:read", "runs:read", "models:read"]


def test_a_preset_fills_the_form(page, service, trained):
    """A preset updates JSON, plan and placeholders; the form can copy the preset's layers."""
    page.goto(f"{service}/#/?dataset=breast-cancer")
    page.locator("summary", has_text="Spec as JSON").click()
    page.get_by_label("Preset").select_option("thorough")
    text = page.locator("textarea")
    expect(text).to_have_value(re.compile('"preset": "thorough"'))
    assert '"layers"' not in text.input_value()
    expect(page.locator(".preset .hint")).to_contain_text("at most ten minutes")
    expect(page.locator(".stack")).to_contain_text("GlobalAveragePooling1D")
    page.get_by_label("Preset").select_option("linear")
    expect(page.locator(".stack li")).to_have_count(1)
    expect(page.locator(".layers")).to_be_hidden()
    open_settings(page)
    page.get_by_role("button", name="Edit these layers").click()
    expect(page.locator(".layers li")).to_have_count(1)
    assert '"layers"' in text.input_value()
    text.fill('{"dataset": "breast-cancer", "target": "diagnosis", "preset": "small"}')
    expect(page.get_by_label("Preset")).to_have_value("small")
    page.get_by_label("Preset").select_option("")
    expect(page.locator(".layers li")).to_have_count(3)


@pytest.fixture
def spare(service, trained) -> str:
    """Train two versions of a model that no other test uses."""
    with Client(service) as client:
        spec = client.runs.get(trained).spec | {
            "dataset": "breast-cancer",
            "model_name": "spare",
            "report": {"baselines": False, "importance": False},
        }
        runs = [client.runs.create(spec | {"tags": {"n": str(n)}}) for n in (1, 2)]
        for run in runs:
            client.runs.wait(run.id, timeout=120)
    return "spare"


def test_an_alias_moves_only_if_figures_hold_and_what_it_holds_stays(
    page, service, spare
):
    """A refusal shows a sentence and changes nothing; then the deletion succeeds."""
    page.goto(f"{service}/#/models/{spare}/1")
    versions = page.locator("[aria-labelledby=versions]").first
    dialog = page.get_by_role("dialog")
    condition = dialog.get_by_label("Conditions")
    promote = dialog.get_by_role("button", name="Promote")
    first = page.get_by_role("button", name="Promote version 1")
    first.click()
    dialog.get_by_label("For", exact=True).select_option("another alias")
    expect(dialog.get_by_label("Alias", exact=True)).to_have_value("live")
    condition.fill("very good")
    promote.click()
    expect(dialog.get_by_role("alert")).to_contain_text("ROC AUC >= current")
    condition.fill("ROC AUC >= 1.5, accuracy > 0")
    promote.click()
    expect(dialog.get_by_role("alert")).to_contain_text("ROC AUC")
    expect(dialog.get_by_role("alert")).not_to_contain_text("roc_auc")
    with Client(service) as client:
        assert client.models.get(spare).aliases == {}
    condition.fill("auc >= current")
    condition.press("Enter")
    expect(page.locator(".pointers .alias")).to_have_text("live")
    expect(first).to_be_focused()
    done = versions.get_by_role("status")
    expect(done).to_have_text("live now points to version 1.")
    page.get_by_role("button", name="Point an alias at version 2").click()
    dialog.get_by_label("For", exact=True).select_option("live")
    dialog.get_by_role("button", name="Point the alias").click()
    expect(done).to_have_text("live now points to version 2.")
    page.get_by_role("button", name="Roll back live to version 1").click()
    sure = page.get_by_role("alertdialog")
    expect(sure).to_contain_text("live points to version 1 again, instead of version 2.")
    sure.get_by_role("button", name="Roll back").click()
    expect(done).to_have_text("live points to version 1 again.")
    expect(page.get_by_role("button", name="Roll back live")).to_have_count(0)

    _delete(page, service)


def _delete(page, service):
    """Delete version 1, to which `live` points, and then the model.

    The confirmation says that a rollback to the version would be impossible.
    """
    remove = page.get_by_role("button", name="Delete version 1", exact=True)
    sure = page.get_by_role("alertdialog")
    remove.press("Enter")
    expect(sure.get_by_role("button", name="Cancel")).to_be_focused()
    expect(sure).to_contain_text(
        "Version 1 served and had the alias live before. After the deletion, you cannot "
        "roll back to it."
    )
    page.keyboard.press("Escape")
    expect(sure).to_have_count(0)
    expect(remove).to_be_focused()
    remove.click()
    sure.get_by_role("button", name="Delete").click()
    expect(page.locator(".delete [role=alert]")).to_contain_text("alias")
    page.get_by_role("button", name="Remove live").click()
    expect(page.locator(".pointers .alias")).to_have_count(0)
    remove.click()
    sure.get_by_role("button", name="Delete").click()
    expect(page.locator(".lineage h3")).to_have_text(["version 2"])
    expect(page.locator(".outcome")).to_have_text("Version 1 of spare was deleted.")
    page.get_by_role("button", name="Delete the model spare").click()
    sure.get_by_role("button", name="Delete").click()
    expect(page.locator("main h1")).to_have_text("Models")
    with Client(service) as client:
        assert "spare" not in [model.name for model in client.models.list()]


def test_a_table_is_deleted(page, service):
    """The confirmation names the version, which is then not in the list of datasets."""
    with Client(service) as client:
        httpx.post(
            f"{service}/v1/datasets?name=unwanted", content="x,y\n1,2\n3,4\n"
        ).raise_for_status()
        page.goto(f"{service}/#/?dataset=unwanted")
        page.get_by_role("button", name="Delete version 1").click()
        sure = page.get_by_role("alertdialog")
        expect(sure).to_contain_text("Delete version 1 of the table unwanted?")
        sure.get_by_role("button", name="Delete").click()
        expect(page.locator(".outcome")).to_have_text(
            "Version 1 of the table unwanted was deleted."
        )
        expect(page.get_by_text("Or use an uploaded dataset")).to_be_visible()
        expect(page.locator(".facts")).to_have_count(0)
        assert "unwanted" not in [one.name for one in client.datasets.list()]


def test_notes_about_an_append_are_not_warnings(page, service):
    """A new category is for information; rows that are there already are a warning."""
    url, first = f"{service}/v1/datasets", "town,x\nRome,1\nOslo,2\nRome,3\n"
    httpx.post(f"{url}?name=noted", content=first).raise_for_status()
    more = "town,x\nRome,1\nOslo,2\nBern,4\n"
    httpx.post(f"{url}/noted/rows", content=more).raise_for_status()
    page.goto(f"{service}/#/?dataset=noted")
    warning = page.locator(".said .notice.warn")
    expect(warning).to_contain_text("2 of the 3 appended rows are")
    expect(warning).not_to_contain_text("Bern")
    notes = page.locator(".said .notice:not(.warn)")
    expect(notes).to_contain_text("Notes")
    expect(notes).to_contain_text("1 category occurs first in rows 4 to 6")
    sound(page, "notes about a dataset")
    httpx.delete(f"{url}/noted@2").raise_for_status()
    httpx.delete(f"{url}/noted").raise_for_status()


def test_a_type_can_be_changed_before_the_upload(page, service):
    """The preview shows the first rows; a type that fits no cell is refused there."""
    page.goto(service)
    file = {"name": "codes.csv", "mimeType": "text/csv", "buffer": b"zip,y\n7,1\n8,2\n"}
    page.set_input_files("input[type=file]", file)
    kind = page.get_by_label("Type of zip")
    expect(kind).to_have_value("numeric")
    expect(page.locator(".first-rows tbody tr")).to_have_count(2)
    kind.select_option("datetime")
    expect(page.locator(".said .bad")).to_contain_text("are not datetime")
    kind.select_option("categorical")
    expect(page.locator(".said .bad")).to_have_count(0)
    sound(page, "a preview")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_label("Predict y")).to_be_visible()
    with Client(service) as client:
        assert client.datasets.get("codes").columns[0].type == "categorical"


def test_a_notation_can_be_changed_before_the_upload(page, service):
    """The options of a column depend on its type; the preview follows each choice."""
    page.goto(service)
    text = "day;size;y\n1/2/2024;1,234;7\n3/4/2024;5,678;8\n"
    file = {"name": "notes.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.set_input_files("input[type=file]", file)
    cells = page.locator(".first-rows tbody td")
    page.locator("summary", has_text="Notation").first.click()
    page.get_by_label("Day first of day").focus()
    page.get_by_label("Day first of day").select_option("true")
    expect(cells.first).to_contain_text("2024-02-01")
    expect(page.get_by_label("Day first of day")).to_be_focused()
    page.get_by_label("Day first of day").select_option("false")
    expect(cells.first).to_contain_text("2024-01-02")
    page.locator("summary", has_text="Notation").nth(1).click()
    page.get_by_label("Decimal mark of size").select_option(",")
    expect(cells.nth(1)).to_have_text("1.234")
    page.get_by_label("Unit of size").fill("kg")
    page.get_by_label("Unit of size").press("Enter")
    sound(page, "a preview with notations")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_label("Predict y")).to_be_visible()
    with Client(service) as client:
        day, size, _ = client.datasets.get("notes").columns
    assert (day.min, size.min) == ("2024-01-02T00:00:00", 1.234)


def test_a_key_of_the_database_is_told_what_it_may_not_do(browser, settings):
    """The page asks for the key, shows its workspace, and names the missing scope."""
    from service.app import create_app

    with live(create_app(settings)) as url, opened(browser, bypass_csp=True) as page:
        admin = httpx.post(f"{url}/v1/keys", json={"name": "boss", "scopes": ["admin"]})
        given = {"name": "phone", "workspace": "team-a", "scopes": READS}
        head = {"Authorization": f"Bearer {admin.json()['key']}"}
        made = httpx.post(f"{url}/v1/keys", json=given, headers=head).json()
        page.goto(url)
        dialog = page.get_by_role("dialog")
        for key in (made["key"][:-1], made["key"]):
            dialog.get_by_role("textbox", name="API key").fill(key)
            dialog.get_by_role("button", name="Use this key").click()
        expect(page.locator("#session")).to_contain_text("phone in team-a")
        lacking = page.locator("main .warn code")
        expect(lacking).to_have_text(["datasets:write", "runs:write"])
        page.set_input_files(
            "input[type=file]",
            {"name": "t.csv", "mimeType": "text/csv", "buffer": b"x,y\n1,2\n"},
        )
        expect(page.locator(".said .bad")).to_contain_text("datasets:write")
        sound(page, "a key that may only read")
        httpx.delete(f"{url}/v1/keys/{made['id']}", headers=head).raise_for_status()
        page.goto(f"{url}/#/models")
        expect(dialog).to_contain_text("revoked")
