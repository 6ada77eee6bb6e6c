"""Test that the how-to pages run, and print the results that they show."""

import re

import pytest

from service.app import create_app
from tests.e2e_service import ROOT, running
from tests.live import live
from tests.pages import follow, says
from tests.servers import IS_SCALE_OUT

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
HOW_TO = ROOT / "docs/how-to"
OWN = {"keys-for-two-apps"}
"""Pages that change the allowed keys, which need a separate service."""
EVERY = sorted(page.stem for page in HOW_TO.glob("*.md"))
SKIPPED = OWN | ({"back-up"} if IS_SCALE_OUT else set())
PAGES = [name for name in EVERY if name not in SKIPPED]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("how-to")


@pytest.fixture(scope="module")
def url(home):
    with running(home, FITSERVE_WEBHOOKS__ALLOW_LOOPBACK="true") as (url, _):
        yield url


@pytest.mark.parametrize("page", PAGES)
def test_a_page_prints_what_it_shows(page, url, home, tmp_path, monkeypatch):
    """Each page runs block by block in a new folder."""
    monkeypatch.setenv("FITSERVE_URL", url)
    follow(HOW_TO / f"{page}.md", tmp_path, url, FITSERVE_HOME=str(home))


def test_the_page_of_keys_grants_and_revokes_access(bench, tmp_path):
    """The page runs on the database of a running service."""
    with live(create_app(bench.settings)) as url:
        database = bench.settings.resolved_database_url
        home = str(bench.settings.home_dir)
        environment = {"FITSERVE_HOME": home, "FITSERVE_DATABASE_URL": database}
        (tmp_path / "page").mkdir()
        follow(HOW_TO / "keys-for-two-apps.md", tmp_path / "page", url, **environment)


def test_the_index_names_every_how_to_page():
    named = re.findall(r"\(how-to/([a-z-]+)\.md\)", (ROOT / "docs/README.md").read_text())
    assert sorted(named) == EVERY


@pytest.mark.parametrize(
    ("expected", "printed", "is_equal"),
    [
        ("loss 0.5\nrun_…", "loss  0.61\nrun_1", True),
        ("loss 0.5", "loss none", False),
        ("epoch 3", "epoch 4", False),
        ("a\n…\nb", "a\n1\n2\nb", True),
        ("a", "a b", False),
    ],
)
def test_shown_and_printed_text_are_compared(expected, printed, is_equal):
    """Words and whole numbers must be equal."""
    assert says(expected, printed) is is_equal
