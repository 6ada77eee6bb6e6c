"""The versions of a model: what each one changed, and which one serves."""

import re

import pytest
from playwright.sync_api import expect

from fitserve import Client
from fitserve.main_figure import figure_text
from tests.dashboard.conftest import opened
from tests.dashboard.test_pages import sound

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
SPEC = {
    "target": "price",
    "preset": "linear",
    "report": {"baselines": ["constant"], "importance": False},
    "fit": {"epochs": 3, "seed": 1},
}
_DONE = "[aria-labelledby=versions] > .done"


def listings(num_rows, num_ids):
    """Return a table; after `num_ids` rows the ids repeat."""
    lines = [
        f"{1000 + 7 * (i % num_ids)},{20 + i % 97},{('flat', 'house')[i % 2]},"
        f"{200 + 10 * (i % 97) + 50 * (i % 2) + i % 11}"
        for i in range(num_rows)
    ]
    return "\n".join(["listing_id,area,kind,price", *lines]) + "\n"


def train(client, name, **changes):
    spec = SPEC | {"model_name": name, "dataset": name} | changes
    run = client.runs.wait(client.runs.create(spec).id, timeout=120)
    assert run.status == "succeeded", run.error


def train_twice(client, name, folder):
    """Train version 1, append 600 rows, and train version 2, which needs one more input."""
    table = folder / "listings.csv"
    table.write_text(listings(300, 300))
    client.datasets.upload(table, name=name)
    train(client, name)
    head, *lines = listings(900, 300).splitlines()
    table.write_text("\n".join([head, *lines[300:]]) + "\n")
    client.datasets.append(name, table)
    train(client, name, features={"as": "table"}, fit=SPEC["fit"] | {"epochs": 4})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_new_contract_serves_only_when_asked_and_is_rolled_back(
    browser, service, tmp_path, scheme
):
    """The page shows what differs, refuses, promotes, rolls back, and keeps the history."""
    name = f"listings-{scheme}"
    with (
        Client(service) as client,
        opened(browser, color_scheme=scheme, bypass_csp=True) as page,
    ):
        train_twice(client, name, tmp_path)
        page.goto(f"{service}/#/models/{name}")
        newest = page.locator(".lineage > li").first
        oldest = page.locator(".lineage > li").last
        expect(newest).to_contain_text("listing_id")
        for said in (
            "than version 1 (",
            "version 2",
            "new contract",
            "900 rows",
            "version 1, which served when this one was trained",
            "+600 against version 1",
            "fit.epochs 3 → 4",
            "+ listing_id 'listing_id' is a new required input",
            "R²",
            f"{name}@2",
        ):
            expect(newest).to_contain_text(said)
        expect(newest).not_to_contain_text("not comparable")
        expect(oldest).to_contain_text("serves")
        expect(oldest).to_contain_text("2 columns: area, kind")
        expect(page.locator("h1 + .chip")).to_have_text("version 1")
        sound(page, "a lineage")

        page.set_viewport_size({"width": 360, "height": 800})
        page.get_by_role("button", name="Promote version 2").press("Enter")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("callers are ready")
        dialog.get_by_role("button", name="Promote", exact=True).click()
        expect(dialog.get_by_role("alert")).to_contain_text("new required input")
        sound(page, "a refusal of a new contract")
        assert client.models.get(name).serving_version == 1
        dialog.get_by_role("button", name="Promote with the new contract").click()
        done = page.locator(_DONE)
        expect(done).to_have_text("Version 2 serves now.")
        expect(newest).to_contain_text("serves")
        point = page.get_by_role("button", name="Point an alias at version 2")
        expect(point).to_be_focused()
        assert client.models.get(name).serving_version == 2

        _say_how_it_compares(page, service, client, name)
        _serve_only_on_request(page, client, name)
        _roll_back(page, client, name)
        expect(done).to_have_text("Requests without a version get version 1 again.")
        expect(
            page.get_by_role("button", name="Roll back the serving version")
        ).to_have_count(0)
        changes = page.get_by_role("group", name="Changes").locator("tbody tr")
        expect(changes).to_have_count(3)
        for said in ("version 2", "undo (undoes change 2)", "a local program"):
            expect(changes.first).to_contain_text(said)
        expect(changes.nth(1)).to_contain_text("callers are ready")
        _compare(page)
        page.goto(f"{service}/#/models")
        expect(page.locator("main h1")).to_have_text("Models")
        row = page.locator("tr", has_text=name)
        expect(row).to_contain_text("version 1")
        client.models.delete(name)


def _say_how_it_compares(page, service, client, name):
    """The pages of the run and of the model compare version 2 to version 1."""
    new, old = client.models.versions(name)
    assert new.changes.main_figure == old.main_figure
    is_better = new.main_figure.value > old.main_figure.value
    told = f"is {'better' if is_better else 'worse'} than that of version 1 ("
    for place in (f"runs/{new.run_id}", f"models/{name}"):
        page.goto(f"{service}/#/{place}")
        notice = page.locator("main .notice", has_text="Version 2 serves.")
        expect(notice).to_contain_text(f"Its main figure, {figure_text(new.main_figure)}")
        expect(notice).to_contain_text(told)
        expect(notice).to_contain_text("which served before")
    page.goto(f"{service}/#/runs/{old.run_id}")
    expect(page.locator(".importance, .report").first).to_be_visible()
    expect(page.locator("main .notice", has_text="serve")).to_have_count(0)
    page.goto(f"{service}/#/models/{name}")


def _compare(page):
    """The advice is one sentence, and the difference names the better run."""
    page.get_by_role("link", name="Compare version 2 with version 1").click()
    expect(page.locator(".line")).to_have_count(2)
    expect(page.locator("main .notice")).to_have_text(
        re.compile(r"600 rows more than .* so compare R² on the .* both held out\.$")
    )
    expect(page.locator("main .warn")).to_have_count(0)
    summary = page.locator("[aria-labelledby=summary]")
    expect(summary).to_contain_text("common validation rows")
    difference = summary.locator("tr", has_text="Difference (95 % interval)")
    expect(difference).to_contain_text(
        re.compile(r"[+-]\d\.\d+ \(.* to .*\).* is better")
    )


def _serve_only_on_request(page, client, name):
    rule = page.get_by_label("New versions")
    expect(rule).to_have_value("automatic")
    rule.focus()
    rule.select_option("explicit")
    expect(page.locator(_DONE)).to_have_text("New versions serve only on request.")
    expect(rule).to_be_focused()
    assert client.models.get(name).promotion == "explicit"


def _roll_back(page, client, name):
    back = page.get_by_role("button", name="Roll back the serving version to version 1")
    back.press("Enter")
    sure = page.get_by_role("alertdialog", name="Roll back to version 1?")
    for said in ("version 1 again, instead of version 2", "undoes change 2"):
        expect(sure).to_contain_text(said)
    sound(page, "the confirmation of a rollback")
    sure.press("Escape")
    assert client.models.get(name).serving_version == 2
    back.press("Enter")
    sure.get_by_role("button", name="Roll back").click()
