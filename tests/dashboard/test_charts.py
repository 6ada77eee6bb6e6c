"""Charts and tables of the report at every width and scale, with artificial values."""

import itertools

import pytest

from tests.dashboard.files import open_blank

pytestmark = [pytest.mark.e2e, pytest.mark.heavy]
WIDTHS = (360, 800, 1280)
SCALES = {
    "small": (0.00001, 0.00003),
    "share": (0.0, 1.0),
    "years": (1951, 2013),
    "loss": (0.2134, 0.2197),
    "money": (52_345.5, 398_765.25),
    "cents": (206_855.1, 206_855.9),
    "millions": (1_200_000, 9_800_000),
    "gdp": (2e10, 1.9e11),
    "both": (-3e5, 2.2e5),
    "one": (7.0, 7.0),
}
DRAW = """async ([low, high, options]) => {
  const { lineChart } = await import("/dashboard/modules/charts/lines.js");
  const at = (i) => low + ((high - low) * i) / 40;
  const values = Array.from({ length: 41 }, (_, i) => at(i));
  const chart = lineChart({ title: "Made", xLabel: "x", ...options });
  document.getElementById("main").replaceChildren(chart.element);
  chart.update({ series: [{ name: "a", colour: 0, xs: values, ys: values }], ...options });
  const isDrawn = () => document.querySelector(".plot svg text.tick");
  for (let i = 0; i < 500 && !isDrawn(); i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const svg = document.querySelector(".plot svg");
  const frame = svg.getBoundingClientRect();
  const boxes = (selector) => [...svg.querySelectorAll(selector)].map((one) => {
    const { left, right, top, bottom } = one.getBoundingClientRect();
    return { text: one.textContent, left, right, top, bottom };
  });
  const width = document.documentElement.clientWidth;
  return { x: boxes("text.tick"), y: boxes("g.tick text"), left: frame.left, width };
}"""
CURVES = """async ([run, epochs]) => {
  const { curves } = await import("/dashboard/modules/runs/curves.js");
  const { History } = await import("/dashboard/modules/runs/history.js");
  const history = new History();
  epochs.forEach((metrics, i) => history.add(i + 1, metrics));
  const charts = curves(history);
  document.getElementById("main").replaceChildren(charts.element);
  charts.update({ spec: { fit: { epochs: 5 } }, ...run });
}"""
REPORT = """async (count) => {
  const { classification } = await import("/dashboard/modules/runs/report/charts.js");
  const { card } = await import("/dashboard/modules/parts.js");
  const { h } = await import("/dashboard/modules/dom.js");
  const name = (i) => `class ${i} of unhappy customers`;
  const classes = Array.from({ length: count }, (_, i) => ({
    label: name(i), precision: 0.5123 + i / 100, recall: i ? 0.7575 : null, f1: 0.6789,
    num_rows: 1200,
  }));
  const read = {
    classes, confusion_matrix: classes.map(() => classes.map((_, i) => 100 + i)),
    calibration: [], thresholds: [], positive_class: null,
  };
  const shown = card("report", "Report", h("div.charts", classification(read)),
    { className: "report" });
  document.getElementById("main").replaceChildren(shown);
}"""


def are_apart(boxes, start, end):
    """Return whether no two labels overlap."""
    ordered = sorted(boxes, key=lambda box: box[start])
    return all(a[end] <= b[start] for a, b in itertools.pairwise(ordered))


@pytest.mark.parametrize("width", WIDTHS)
def test_axes_have_round_ticks_at_every_width_and_scale(page, width):
    """There are at least two different ticks, in plain digits, which do not overlap."""
    open_blank(page, width)
    for name, (low, high) in SCALES.items():
        for options in ({}, {"isLog": True}, {"isWhole": True}):
            if options and (low < 1 or high - low < 1):
                continue
            found = page.evaluate(DRAW, [low, high, options])
            where = (name, options, found)
            for axis, ends in (("x", ("left", "right")), ("y", ("top", "bottom"))):
                texts = [one["text"] for one in found[axis]]
                assert len(set(texts)) == len(texts) >= 2, where
                assert name == "small" or not any("e" in text for text in texts), where
                assert are_apart(found[axis], *ends), where
                assert all(one["left"] >= 0 for one in found[axis]), where
                assert all(one["right"] <= found["width"] for one in found[axis]), where


def test_ticks_are_written_for_readers(page):
    """Years have no marks, money is whole, large numbers have a unit."""
    open_blank(page, 800)
    texts = {
        name: [one["text"] for one in page.evaluate(DRAW, [*SCALES[name], {}])["y"]]
        for name in ("years", "money", "gdp")
    }
    assert texts["years"] == ["1960", "1980", "2000"]
    assert texts["money"] == ["100,000", "200,000", "300,000", "400,000"]
    assert texts["gdp"] == ["50B", "100B", "150B"]


@pytest.mark.parametrize(
    ("run", "epochs", "said"),
    [
        ({"status": "queued", "ended_at": None}, [], "No epoch yet"),
        ({"status": "running", "ended_at": None}, [], "No epoch yet"),
        ({"status": "failed", "ended_at": "x"}, [], "the run failed before the end of"),
        ({"status": "cancelled", "ended_at": "x"}, [], "the run ended before the end of"),
        ({"status": "failed", "ended_at": "x"}, [{"loss": None}], "not a finite number"),
    ],
)
def test_a_chart_without_values_is_replaced_by_a_sentence(page, run, epochs, said):
    open_blank(page)
    page.evaluate(CURVES, [run, epochs])
    assert page.locator("svg").count() == 0
    assert said in page.locator(".hint").inner_text()
    assert page.get_by_label("Logarithmic loss scale").is_hidden()


def test_the_first_epoch_replaces_the_sentence(page):
    open_blank(page)
    run = {"status": "running", "ended_at": None}
    page.evaluate(CURVES, [run, [{"loss": 0.5, "val_loss": 0.6}]])
    page.locator("g.tick").first.wait_for()
    assert page.locator(".hint").is_hidden()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_a_confusion_matrix_is_not_cut(page, width, count):
    """All columns are visible without scrolling, and every class is named."""
    open_blank(page, width)
    page.evaluate(REPORT, count)
    for figure in (".matrix", ".classes"):
        box = page.locator(f"{figure} .scroll")
        sizes = box.evaluate("one => [one.scrollWidth, one.clientWidth]")
        assert sizes[0] <= sizes[1], (figure, sizes)
    rows = page.locator(".classes tbody tr")
    assert rows.count() == count
    assert "class 0 of unhappy customers" in rows.first.inner_text()
    assert rows.last.locator("td").all_inner_texts()[:2] == [
        f"{0.5123 + (count - 1) / 100:.4g}",
        "0.7575",
    ]
