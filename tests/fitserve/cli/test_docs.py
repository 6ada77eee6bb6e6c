"""docs/cli.md is compared with the command line."""

import re
from pathlib import Path

from fitserve.cli.app import HELP
from tests.fitserve.cli.commands import every_command

PAGE = (Path(__file__).parents[3] / "docs/cli.md").read_text()


def lines():
    """A line a command: arguments, options but --help, the first sentence of its help."""
    for path, command in every_command():
        arguments = [
            p.name.upper() if p.required else f"[{p.name.upper()}]"
            for p in command.params
            if p.param_type_name == "argument"
        ]
        options = [
            f"`{max(p.opts, key=len)}`"
            for p in command.params
            if p.param_type_name == "option" and p.name not in ("help", "as_json")
        ]
        sentence = re.split(r"[.;:]\s|\.$", command.help)[0]
        call = " ".join(["fitserve", *path, *arguments])
        yield f"| `{call}` | {sentence} | {' '.join(options)} |"


def test_every_command_is_in_the_table_and_nothing_else():
    """Arguments, options, sentence."""
    shown = re.findall(r"^\| `fitserve .*\|$", PAGE, re.MULTILINE)
    assert shown == list(lines())


def test_every_exit_code_is_in_the_table():
    """Those of --help."""
    told = " ".join(HELP.split()).partition("Exit codes: ")[2].removesuffix(".")
    codes = [part.split(" ", 1)[0] for part in told.split(", ")]
    assert re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE) == codes
