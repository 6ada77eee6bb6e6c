"""Write the generated pages: `python -m docs.generate`.

Some pages are generated completely; in others, only a table between two comments. A test
compares the files with the output of this module.
"""

from docs.generating import cli, client, http, metrics, problems, settings, spec
from docs.generating.tables import ROOT

PAGES = {
    "docs/cli.md": cli.page,
    "docs/client.md": client.page,
    "docs/metrics.md": metrics.page,
    "docs/problems.md": problems.page,
    "docs/reference/http.md": http.page,
    "docs/reference/spec.md": spec.page,
    "docs/settings.md": settings.page,
    "fitserve/client/problem_errors.pyi": problems.stub,
}


def main() -> None:
    """Write every file."""
    for name, page in PAGES.items():
        (ROOT / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
