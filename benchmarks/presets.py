"""Measure quality and time of each preset on the same splits of a dozen tables.

Scores are computed as in `benchmarks.quality`. A run of `thorough` takes minutes, so
there is one seed, and tables have up to 5,000 rows.
"""

import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.quality import measure, write_page
from benchmarks.tables import TABLES

PRESETS = ("linear", "small", "default", "thorough")
_SEEDS = (0,)
_NAMES = (
    "attrition",
    "churn",
    "orange juice",
    "breast cancer",
    "job queue",
    "mail",
    "wages",
    "Friedman 1",
    "Sacramento houses",
    "Saratoga houses",
    "used cars",
    "colleges",
)
_RESULTS = Path(__file__).with_name("presets.json")
_PAGE = Path(__file__).parent.parent / "docs" / "presets-method.md"


def page_table(lines: list[dict[str, Any]]) -> str:
    """Return the lines as Markdown, with the medians of `thorough` against `default`."""
    head = ("table", "task", "rows", *PRESETS, "boosting", *(f"{p}, s" for p in PRESETS))
    rule = ["---", "---", *["--:"] * (len(head) - 2)]
    rows = [head, rule, *map(_cells, lines)]
    text = [f"| {' | '.join(row)} |" for row in rows]
    gains = [line["thorough"]["score"] - line["default"]["score"] for line in lines]
    took = [line["thorough"]["seconds"] / line["default"]["seconds"] for line in lines]
    text.append("")
    text.append(
        f"`thorough` is better than `default` on {sum(g > 0 for g in gains)} of "
        f"{len(gains)} tables. Its median gain is {statistics.median(gains):+.4f} (worst "
        f"{min(gains):+.4f}, best {max(gains):+.4f}), and it takes "
        f"{statistics.median(took):.1f} times as long."
    )
    return "\n".join(text)


def _cells(line: dict[str, Any]) -> list[str]:
    scores = [f"{line[side]['score']:.4f}" for side in (*PRESETS, "boosting")]
    seconds = [f"{line[preset]['seconds']:.0f}" for preset in PRESETS]
    return [line["table"], line["task"], f"{line['rows']:,}", *scores, *seconds]


def main() -> None:
    """Print one line of JSON per table; write `presets.json` and the page."""
    lines: list[dict[str, Any]] = []
    for table in TABLES:
        if table.name in _NAMES:
            for line in measure(table, PRESETS, _SEEDS):
                lines.append(line)
                print(json.dumps(line), flush=True)
    print(page_table(lines), flush=True)
    _RESULTS.write_text(json.dumps(lines, indent=1) + "\n")
    write_page(_PAGE, page_table(lines))


if __name__ == "__main__":
    main()
