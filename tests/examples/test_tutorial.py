"""Test that the chapters show shipped specs and existing curves."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial"
CHAPTERS = sorted(TUTORIAL.glob("0*.md"))


def test_the_table_of_contents_names_every_chapter():
    """Chapters are in order."""
    named = re.findall(
        r"^\d\. \[.+\]\((.+)\):", (TUTORIAL / "README.md").read_text(), re.MULTILINE
    )
    assert named == [path.name for path in CHAPTERS]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_shows_a_spec_that_is_shipped(path):
    """The JSON is equal except for line breaks."""
    shown = re.findall(r"```json (\S+)\n(.+?)```", path.read_text(), re.DOTALL)
    assert shown
    for name, spec in shown:
        assert json.loads(spec) == json.loads((ROOT / name).read_text())


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_everything_a_chapter_refers_to_exists(path):
    """The test checks curves, chapters, and the files of commands."""
    text = path.read_text()
    curves = re.findall(r"!\[.+?\]\((.+?)\)", text)
    assert curves
    for link in [*curves, *re.findall(r"[^!]\[.+?\]\((.+?)\)", text)]:
        assert (TUTORIAL / link).is_file(), link
    for file in re.findall(r"examples/\S+\.(?:json|csv)", text):
        assert (ROOT / file).is_file(), file
