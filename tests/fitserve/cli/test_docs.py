"""docs/cli.md is compared with the command line."""

import re
from pathlib import Path

from typer.main import get_command

from fitserve.cli.app import HELP, make_app

PAGE = (Path(__file__).parents[3] / "docs/cli.md").read_text()


def lines(group, path="fitserve"):
    """A line a command: arguments, options but --help, the first sentence of its help."""
    for name, command in group.commands.items():
        place = f"{path} {name}"
        if hasattr(command, "commands"):
            yield from lines(command, place)
            continue
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
        call = " ".join([place, *arguments])
        yield f"| `{call}` | {sentence} | {' '.join(options)} |"


def test_every_command_is_in_the_table_and_nothing_else():
    """Arguments, options, sentence."""
    shown = re.findall(r"^\| `fitserve (?!up|doctor).*\|$", PAGE, re.MULTILINE)
    assert shown == list(lines(get_command(make_app())))


def test_every_exit_code_is_in_the_table():
    """Those of --help."""
    told = " ".join(HELP.split()).partition("Exit codes: ")[2].removesuffix(".")
    codes = [part.split(" ", 1)[0] for part in told.split(", ")]
    assert re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE) == codes
