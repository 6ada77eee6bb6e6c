"""Check that the docs describe everything in the code, and nothing else."""

import re
from pathlib import Path

import pytest

from docs.generate import PAGES
from fitserve import __version__
from fitserve.client.transport import DEFAULT_URL
from fitserve.specs.closed import Closed

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", PAGES)
def test_generated_files_are_up_to_date(name):
    """`make reference` writes these files."""
    assert (ROOT / name).read_text() == PAGES[name]()


def test_every_key_of_a_spec_is_explained():
    silent = [
        f"{schema.__name__}.{name}"
        for schema in every_schema(Closed)
        for name, field in schema.model_fields.items()
        if schema.__module__.startswith("fitserve.specs")
        if name != "type" and not field.description
    ]
    assert silent == []


def every_schema(kind):
    for child in kind.__subclasses__():
        yield child
        yield from every_schema(child)


def test_the_changelog_has_an_entry_for_the_version():
    """The version is the one in pyproject.toml."""
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_every_link_in_the_docs_has_a_target():
    """The test checks the relative links in all Markdown files."""
    pages = [path for path in ROOT.glob("**/*.md") if ".venv" not in path.parts]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)", page.read_text())
        if not target.startswith("http") and not (page.parent / target).exists()
    ]
    assert broken == []


def test_a_how_to_page_sets_the_address_that_its_commands_use():
    """A reader who started the service with `fitserve up` has no FITSERVE_URL."""
    setting = f"```sh\nexport FITSERVE_URL={DEFAULT_URL}\n```\n"
    for page in (ROOT / "docs/how-to").glob("*.md"):
        text = page.read_text()
        assert 'environ["FITSERVE_URL"]' not in text, page
        before, used, _ = text.partition("$FITSERVE_URL")
        assert not used or setting in before, page


def test_decisions_are_numbered_without_a_gap():
    """Numbers start at 0000, the template; each title contains the number of its file."""
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(len(pages))]
    for number, page in enumerate(pages[1:], 1):
        assert page.read_text().startswith(f"# {number}. "), page.name
