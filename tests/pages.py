"""Run the blocks of a page in order and compare their output with the page."""

import contextlib
import io
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fitserve import Client
from tests.e2e_service import FITSERVE, ROOT

_BLOCK = re.compile(
    r"^```(sh|python|json)(?: (\S+))?\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
_FLOAT = re.compile(r"(?:\\-)?\d+\\\.\d+(?:e(?:\\-)?\d+)?")  # as re.escape writes it


@dataclass(frozen=True)
class Block:
    """A command or a file to save; `prints` is the output that the page shows, if any."""

    kind: str
    name: str
    text: str
    prints: str


def blocks(page: str) -> list[Block]:
    """Return all blocks of a page that are to be run."""
    return [Block(*(part or "" for part in found)) for found in _BLOCK.findall(page)]


def run(
    page: Path, folder: Path, url: str, **environment: str
) -> Iterator[tuple[Block, str]]:
    """Run the blocks of a page in `folder`; yield each block with its output."""
    (folder / "examples").symlink_to(ROOT / "examples")
    names: dict[str, object] = {}
    variables = {"FITSERVE_URL": url, **environment}
    with contextlib.chdir(folder), _closing(names):
        for block in blocks(page.read_text()):
            if block.kind == "json":
                Path(block.name).write_text(block.text)
            elif block.kind == "sh":
                yield block, _shell(block.text, variables)
            else:
                yield block, _python(block.text, names)


@contextlib.contextmanager
def _closing(names: dict[str, object]) -> Iterator[None]:
    """Close clients that a page leaves open."""
    try:
        yield
    finally:
        for found in names.values():
            if isinstance(found, Client):
                found.close()


def _shell(script: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
        env={
            **os.environ,
            "PATH": f"{FITSERVE.parent}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            **environment,
        },
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _python(code: str, names: dict[str, object]) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(code, names)
    return shown.getvalue()


def says(expected: str, printed: str) -> bool:
    """Return whether the output matches; `…` is any text, a line of `…` any lines.

    A number with a decimal point matches any such number, because the figures of a
    training differ between processors.
    """
    lines = "".join(_pattern(line) for line in _tidy(expected))
    text = "".join(f"{line}\n" for line in _tidy(printed))
    return re.fullmatch(lines, text, re.DOTALL) is not None


def follow(page: Path, folder: Path, url: str, **environment: str) -> None:
    """Run a page to its end and assert that it prints what it shows."""
    ran = list(run(page, folder, url, **environment))
    assert any(block.prints for block, _ in ran)
    for block, printed in ran:
        if block.prints:
            assert says(block.prints, printed), f"{block.text}\nprinted\n{printed}"


def _pattern(line: str) -> str:
    if line == "…":
        return r"(?:.*\n)?"
    words = re.escape(line).replace("…", "[^\n]*?")
    return _FLOAT.sub(r"-?\\d+\\.?\\d*(?:e-?\\d+)?", words) + "\n"


def _tidy(text: str) -> list[str]:
    """Collapse runs of blanks, because the width of a column depends on its figures."""
    return [" ".join(line.split()) for line in text.strip().splitlines()]
