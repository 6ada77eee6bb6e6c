"""Writes docs/reference from the code: `python -m docs.generate`.

A test compares the pages with what comes out here, so none of them can fall behind.
"""

from pathlib import Path

from docs.generating import http, spec

FOLDER = Path(__file__).parent / "reference"
PAGES = {"spec.md": spec.page, "http.md": http.page}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
