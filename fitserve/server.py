"""Find the server's packages, and run a module of the server.

`python -m fitserve.server workers runs` starts a worker of an installed fitserve.
An installation keeps the server in a private folder, because packages called `core` or
`service` in site-packages would collide with other packages (docs/decisions/0041).
"""

import os
import runpy
import sys
from collections.abc import Iterable
from pathlib import Path


def server_path() -> Path:
    """Return the folder of `core` and `service`: private, or the root of a checkout."""
    package = Path(__file__).parent
    private = package / "_server"
    return private if private.is_dir() else package.parent


def use_server_path() -> None:
    """Put the server's packages first on the path of this process and its children.

    `PYTHONSAFEPATH` prevents a folder `service` in the current directory from replacing
    the server's package.
    """
    folder = str(server_path())
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = _first(folder, sys.path)
    os.environ["PYTHONPATH"] = os.pathsep.join(_first(folder, filter(None, inherited)))
    os.environ["PYTHONSAFEPATH"] = "1"


def _first(folder: str, paths: Iterable[str]) -> list[str]:
    return [folder, *(path for path in paths if path != folder)]


def main() -> None:
    """Run the module that the command line names, with the arguments after it."""
    if len(sys.argv) == 1:
        sys.exit("usage: python -m fitserve.server MODULE [ARGUMENT ...]")
    use_server_path()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
