"""Trees of this repository whose processes run beside each other: two releases."""

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.processes import ManagedProcess
from tests.e2e_service import ROOT

_PACKAGES = ("core", "fitserve", "migrations", "service", "workers")
_ORIGINS = (
    f"import {', '.join(_PACKAGES)}; "
    f"print(*(m.__file__ for m in ({', '.join(_PACKAGES)})), sep=chr(10))"
)


class NoHistory(Exception):
    """This checkout does not contain an earlier release; the message says why."""


@dataclass(frozen=True)
class Release:
    """A folder with the packages of a release, for the interpreter of the tests."""

    folder: Path

    def start(
        self, module: str, environment: dict[str, str], log: Path
    ) -> ManagedProcess:
        """Start `python -m module` with the packages of this release."""
        given = {**environment, **self._path}
        return ManagedProcess(module, given, log, cwd=self.folder)

    def run(self, *arguments: str, **environment: str) -> str:
        """Run Python with the packages of this release; return what it prints."""
        given = {**os.environ, **environment, **self._path}
        command = [sys.executable, *arguments]
        return subprocess.check_output(command, cwd=self.folder, env=given, text=True)

    @property
    def revision(self) -> str:
        """Return the newest revision of the database that this release knows."""
        scripts = (self.folder / "migrations" / "versions").glob("[0-9]*_*.py")
        return max(path.name for path in scripts).partition("_")[0]

    def origins(self) -> list[Path]:
        """Return the file of each package that a process of this release imports."""
        return [Path(line) for line in self.run("-c", _ORIGINS).splitlines()]

    @property
    def _path(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder)}  # comes before the installed packages


CHECKOUT = Release(ROOT)


def release_before(migration: str, folder: Path) -> Release:
    """Export the commit before the one that added a migration.

    Raises NoHistory in a shallow clone and outside of a clone.
    """
    commit = _commit_before(migration)
    archive = folder / "release.tar"
    _git("archive", f"--output={archive}", commit, *_PACKAGES, "dashboard")
    tree = folder / "release"
    with tarfile.open(archive) as file:
        file.extractall(tree, filter="data")
    archive.unlink()
    return Release(tree)


def _commit_before(migration: str) -> str:
    path = f"migrations/versions/{migration}_*.py"  # it may have been renamed since
    added = _git("log", "--diff-filter=A", "--format=%H", "--", path).split()
    if not added:
        raise NoHistory(f"no commit of this clone adds migration {migration}")
    try:
        return _git("rev-parse", "--verify", "--quiet", f"{added[-1]}^").strip()
    except NoHistory:
        raise NoHistory(
            f"this shallow clone does not contain the commit before migration {migration}; "
            "`git fetch --unshallow` fetches it"
        ) from None


def _git(*words: str) -> str:
    program = shutil.which("git")
    if program is None:
        raise NoHistory("there is no git, which exports the earlier release")
    done = subprocess.run(
        [program, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoHistory(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout
