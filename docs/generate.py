"""Writes what is made from the code: `python -m docs.generate`.

A test compares the files with what comes out here, so none of them can fall behind.
"""

from pathlib import Path

from docs.generating import http, problems, spec

ROOT = Path(__file__).parents[1]
PAGES = {
    "docs/problems.md": problems.page,
    "docs/reference/http.md": http.page,
    "docs/reference/spec.md": spec.page,
    "fitserve/client/problem_errors.pyi": problems.stub,
}


def main() -> None:
    """Write every file."""
    for name, page in PAGES.items():
        (ROOT / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
