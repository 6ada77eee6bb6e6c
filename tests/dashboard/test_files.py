"""What the page is made of, without a browser."""

import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "dashboard" / "static"
MODULES = sorted(STATIC.rglob("*.js"))


def test_every_word_is_in_the_list_of_texts():
    """And the list holds nothing that is never said."""
    known = set(
        re.findall(
            r'^ {2}"([\w.]+)":',
            (STATIC / "modules/texts/en.js").read_text(),
            re.MULTILINE,
        )
    )
    code = "\n".join(path.read_text() for path in MODULES if path.stem != "en")
    said = set(re.findall(r'"([a-z]+\.[a-z_]+)"', code)) & known
    asked = set(re.findall(r'\bt\("([\w.]+)"', code))
    assert asked - known == set()
    made = {f"{kind}." for kind in re.findall(r'word\("(\w+)"', code)}
    made |= set(re.findall(r"\bt\(`([\w.]+?)\$\{", code))
    unsaid = {one for one in known - said if not one.startswith(tuple(made))}
    assert unsaid == set()


def test_modules_are_small_and_parse_no_html():
    """About a hundred lines each; text is never read as markup."""
    for path in MODULES:
        text = path.read_text()
        if path.stem != "en":
            assert len(text.splitlines()) <= 200, path.name
        assert not re.search(
            r"innerHTML|insertAdjacentHTML|document\.write|\beval\(", text
        )


def test_nothing_names_another_host():
    """No content network, no font, no tracker."""
    allowed = {"http://www.w3.org/2000/svg"}
    for path in [*MODULES, *STATIC.glob("*.*")]:
        found = set(re.findall(r"https?://[^\"'` )>]+", path.read_text()))
        assert found - allowed == set(), path.name


def test_imports_lead_to_files():
    """Also those that are loaded late."""
    for path in MODULES:
        for name in re.findall(r'(?:from|import\()\s*"(\.[^"]+)"', path.read_text()):
            assert (path.parent / name).resolve().is_file(), (path.name, name)


def test_what_the_first_page_needs_is_asked_for_at_once():
    """All modules of it, and no more: a chain of imports would be a chain of waits."""
    text = (STATIC / "index.html").read_text()
    asked = set(re.findall(r'rel="modulepreload" href="dashboard/([^"]+)"', text))
    needed: set[Path] = set()
    waiting = [STATIC / "modules/main.js", STATIC / "modules/start/page.js"]
    while waiting:
        path = waiting.pop().resolve()
        if path not in needed:
            needed.add(path)
            names = re.findall(r'from\s+"(\.[^"]+)"', path.read_text())
            waiting += [path.parent / name for name in names]
    assert asked == {str(path.relative_to(STATIC.resolve())) for path in needed}
