"""Pages that do what they say: their blocks run in order, and print what stands below."""

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
_FLOAT = re.compile(r"(?:\\-)?\d+\\\.\d+(?:e(?:\\-)?\d+)?")  # as re.escape has it


@dataclass(frozen=True)
class Block:
    """A command, or a file to save; `prints` is what it shows, if that is told."""

    kind: str
    name: str
    text: str
    prints: str


def blocks(page: str) -> list[Block]:
    """Everything on a page that is to be run."""
    return [Block(*(part or "" for part in found)) for found in _BLOCK.findall(page)]


def run(
    page: Path, folder: Path, url: str, **environment: str
) -> Iterator[tuple[Block, str]]:
    """Each block of a page and what it printed, run one by one in `folder`."""
    (folder / "examples").symlink_to(ROOT / "examples")
    names: dict[str, object] = {}
    told = {"FITSERVE_URL": url, **environment}
    with contextlib.chdir(folder), _closing(names):
        for block in blocks(page.read_text()):
            if block.kind == "json":
                Path(block.name).write_text(block.text)
            elif block.kind == "sh":
                yield block, _shell(block.text, told)
            else:
                yield block, _python(block.text, names)


@contextlib.contextmanager
def _closing(names: dict[str, object]) -> Iterator[None]:
    """Clients that a page leaves open, as an interactive session does."""
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
    """Word for word; `…` is anything, and a number with a point any such number.

    Figures of a training differ from processor to processor. A line of `…` is any lines.
    """
    lines = "".join(_pattern(line) for line in _tidy(expected))
    text = "".join(f"{line}\n" for line in _tidy(printed))
    return re.fullmatch(lines, text, re.DOTALL) is not None


def follow(page: Path, folder: Path, url: str, **environment: str) -> None:
    """Run a page to its end; AssertionError where it prints something else."""
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
    """Blanks only where there is one; a column is as wide as its figures."""
    return [" ".join(line.split()) for line in text.strip().splitlines()]
