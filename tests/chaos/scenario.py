"""Play rows: start a cluster, cause the fault, run the checker."""

import contextlib
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from core.runs.tables import Run
from tests.chaos.checker import violations
from tests.chaos.cluster import Cluster, cluster
from tests.chaos.profiles import Profile, profile
from tests.chaos.registry import Row
from tests.chaos.rows import (  # noqa: F401  imported to register their rows
    api,
    database,
    files,
    machine,
    queue,
    workers,
)
from tests.disks import small_disk


@dataclass(frozen=True)
class Outcome:
    """The figure and the violations of one row."""

    row: Row
    profile: str
    times: int
    seed: int
    figure: str
    violations: list[str]
    seconds: float

    def __str__(self) -> str:
        verdict = "ok" if not self.violations else f"{len(self.violations)} VIOLATIONS"
        head = f"row {self.row.number:2} {self.profile:10} x{self.times:<4}"
        summary = f"{verdict}  {self.row.title}: {self.figure}"
        lines = [f"{head} {self.seconds:6.1f} s  {summary}"]
        lines += [f"    {sentence}" for sentence in self.violations[:20]]
        if self.violations:
            lines.append(f"    again: {self.again()}")
        return "\n".join(lines)

    def again(self) -> str:
        """Return the command that repeats the row with the same random choices."""
        return (
            f"make chaos ROWS={self.row.number} PROFILES={self.profile} "
            f"TIMES={self.times} SEED={self.seed}"
        )


def run_scenario(
    row: Row, where: Profile, home: Path, times: int, seed: int, **environment: str
) -> Outcome:
    """Start a cluster, cause the fault so many times, and run the checker."""
    began = time.monotonic()
    given = {**row.environment, **environment}
    figure = "not played to its end"
    with (
        small_disk(home, row.tmpfs) if row.tmpfs else contextlib.nullcontext(),
        cluster(where, home, row.apis, row.workers, **given) as built,
    ):
        try:
            figure = row.play(built, times, random.Random(seed))
            wrong = violations(built, allowed=row.allowed)
        except (TimeoutError, AssertionError) as error:
            wrong = [f"{type(error).__name__}: {error}", *built.request_log.wrong]
        if wrong:
            wrong.append(f"logs in {kept(built)}")
    seconds = time.monotonic() - began
    return Outcome(row, where.name, times, seed, figure, wrong, seconds)


def kept(built: Cluster) -> Path:
    """Keep logs and run rows of a cluster that broke a promise; return the folder of logs."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-logs-", dir="/var/tmp"))
    with built.database.read() as session:
        rows = session.scalars(select(Run)).unique().all()
        columns = [
            {c.key: getattr(r, c.key) for c in Run.__table__.columns} for r in rows
        ]
    (folder / "runs.txt").write_text("\n".join(map(str, columns)))
    return Path(shutil.copytree(built.log_dir, folder / "logs"))


@contextmanager
def workspace(name: str) -> Iterator[tuple[Profile, Path]]:
    """Start a profile, with a folder for its clusters."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir="/var/tmp"))
    try:
        with profile(name, folder) as where:
            yield where, folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
