"""Run `python -m tests.chaos`: rows by profile, or a soak; exit with 1 on a violation."""

import argparse
import os
import random
import sys

from tests.chaos.profiles import NAMES
from tests.chaos.registry import ROWS
from tests.chaos.scenario import run_scenario, workspace
from tests.chaos.soak import soak


def main() -> int:
    """Parse the command line, and run rows or a soak."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--rows", default="", help="numbers, by comma; all of them")
    parser.add_argument("--profiles", default=",".join(NAMES))
    parser.add_argument("--times", type=int, default=0, help="instead of each row's own")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--full", action="store_true", help="the numbers of the table")
    parser.add_argument("--soak", type=float, default=0, help="minutes, instead of rows")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    if given.soak:
        return _soak(given)
    return _rows(given)


def _soak(given: argparse.Namespace) -> int:
    """Run a soak for an equal share of the minutes in each profile."""
    names = given.profiles.split(",")
    bad = []
    for name in names:
        with workspace(name) as (where, folder):
            bad += soak(where, folder, given.soak / len(names), given.seed)
    print(f"{len(bad)} violations; seed {given.seed}", flush=True)
    return 1 if bad else 0


def _rows(given: argparse.Namespace) -> int:
    numbers = [int(word) for word in given.rows.split(",") if word] or sorted(ROWS)
    bad = 0
    for name in given.profiles.split(","):
        with workspace(name) as (where, folder):
            for number in numbers:
                one = ROWS[number]
                if name not in one.profiles:
                    continue
                times = given.times or (one.full if given.full else one.default)
                home = folder / f"row-{number}"
                outcome = run_scenario(one, where, home, times, given.seed)
                print(outcome, flush=True)
                bad += len(outcome.violations)
    return 1 if bad else 0


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main())
