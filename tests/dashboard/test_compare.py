"""The Compare page: figures, the differences that matter, and runs that can be removed."""

import pytest
from playwright.sync_api import expect

from fitserve import Client
from tests.dashboard.conftest import opened
from tests.dashboard.test_pages import sound

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
COSINE = {"type": "CosineDecay", "warmup_epochs": 1, "alpha": 0.1}


@pytest.fixture(scope="module")
def runs(service, trained) -> list[str]:
    """Return three runs: the second has a schedule, the third other rows and a dropout."""
    with Client(service) as client:
        spec = client.runs.get(trained).spec | {"model_name": "rivals"}
        fit = spec["fit"]
        layers = [{"type": "Dropout", "rate": 0.4}, {"type": "Output"}]
        others = [
            spec | {"fit": fit | {"learning_rate_scheduler": COSINE}},
            spec | {"fit": fit | {"seed": 2}, "model": {"layers": layers}},
        ]
        made = [client.runs.create(other).id for other in others]
        for run in made:
            client.runs.wait(run, timeout=120)
            client.runs.report(run)
    return [trained, *made]


def rows(page, section):
    return page.locator(f"[aria-labelledby={section}] tbody tr")


def test_figures_come_first_and_a_changed_schedule_is_one_difference(page, service, runs):
    """The figures are those of the reports; what is equal has no row."""
    with Client(service) as client:
        metrics = [client.runs.report(run).metrics for run in runs[:2]]
    page.goto(f"{service}/#/runs")
    for run in runs[:2]:
        page.locator(f"input[value={run}]").check()
    page.get_by_role("link", name="Compare 2 runs").click()
    expect(page.locator(".line")).to_have_count(2)
    heads = rows(page, "summary").locator("th").all_text_contents()
    assert heads[:2] == ["Main figure", "Best baseline"]
    assert "accuracy" in heads
    assert "Parameters" not in heads
    accuracy = rows(page, "summary").filter(has=page.get_by_text("accuracy", exact=True))
    shown = accuracy.first.locator("td").all_text_contents()
    assert len({len(text) for text in shown}) == 1, "the same decimals"
    assert sorted(map(float, shown)) == sorted(
        round(one["accuracy"], len(shown[0]) - 2) for one in metrics
    )
    differences = rows(page, "differences")
    expect(differences).to_have_count(1)
    expect(differences).to_contain_text("learning rate schedule")
    expect(differences).to_contain_text("CosineDecay, warmup epochs 1, alpha 0.1")
    expect(page.locator(".warn")).to_have_count(0)


def test_a_run_is_removed_and_the_address_follows(page, service, runs):
    """Runs that were scored on other rows have a sentence, which leaves with them."""
    page.goto(f"{service}/#/compare/{','.join(runs)}")
    expect(page.locator(".warn li")).to_have_text(
        "The seeds differ, so the runs were scored on different rows."
    )
    expect(page.locator(".line")).to_have_count(3)
    page.get_by_role("button", name=f"Remove rivals {runs[2][-6:]}").press("Enter")
    expect(page).to_have_url(f"{service}/#/compare/{','.join(runs[:2])}")
    expect(page.locator(".line")).to_have_count(2)
    expect(page.locator(".warn")).to_have_count(0)
    page.go_back()
    expect(page.locator(".line")).to_have_count(3)
    for name in (f"tumours {runs[0][-6:]}", *(f"rivals {run[-6:]}" for run in runs[1:])):
        page.get_by_role("button", name=f"Remove {name}").click()
    expect(page.locator(".empty")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_comparison_fits_a_phone(browser, service, runs, scheme):
    """At 380 px neither the page nor a table scrolls horizontally, and no text is cut."""
    with opened(browser, color_scheme=scheme, bypass_csp=True) as page:
        page.set_viewport_size({"width": 380, "height": 800})
        page.goto(f"{service}/#/compare/{','.join(runs)}")
        expect(page.locator(".line")).to_have_count(3)
        for section in ("summary", "differences"):
            box = page.locator(f"[aria-labelledby={section}] .scroll")
            assert box.evaluate("one => one.scrollWidth <= one.clientWidth"), section
            cells = box.locator("td:visible, th:visible")
            assert cells.evaluate_all(
                "all => all.every((one) => one.scrollWidth <= one.clientWidth)"
            )
        page.get_by_role("button", name="Remove").first.scroll_into_view_if_needed()
        sound(page, "a comparison")
