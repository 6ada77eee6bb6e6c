"""Test that invalid parts of a spec are underlined."""

import json

import pytest

from fitserve.cli.sources import Source, spans
from fitserve.problem_types import ProblemType
from fitserve.problems import FieldError
from tests.fitserve.client.wire import problem

TEXT = """{
  "target": "qualty",
  "model": {"layers": [{"type": "Dens", "a/b~c": 1}]},
  "fit":\t{"epochs": -1, "epcohs": 2}
}
"""


def marked(path, text, pointer, detail="got it", hint=None):
    """Return the underlined text, and all printed text."""
    path.write_text(text, encoding="utf-8")
    fault = FieldError(pointer=pointer, detail=detail, hint=hint)
    refusal = ProblemType.INVALID_SPEC.problem("Not so.", [fault])
    _, shown = Source.read(path).refused(refusal).split("\n", 1)
    _, line, marks, *_ = shown.splitlines()
    start = marks.index("^")
    return line[start : start + marks.count("^")], shown


@pytest.mark.parametrize(
    ("pointer", "detail", "expected"),
    [
        ("#/target", "no column", '"qualty"'),
        ("#/fit/epochs", "got -1", "-1"),
        ("#/fit/epcohs", "`epcohs` is not a key of this object", '"epcohs"'),
        ("#/model/layers/0", "got type 'Dens'; expected …", '"Dens"'),
        ("#/model/layers/0", "too wide", '{"type": "Dens", "a/b~c": 1}'),
        ("#/model/layers/0/a~1b~0c", "got 1", "1"),
        ("#/dataset", "this key is required and is absent", "{"),
        ("#/model/layers/7/units", "absent", "["),
        ("#/model/keras/config", "absent", "{"),
        ("#", "not so", "{"),
    ],
)
def test_the_target_of_a_fault_is_underlined(tmp_path, pointer, detail, expected):
    """A value or key is underlined, or the opening bracket of an incomplete object."""
    assert marked(tmp_path / "s.json", TEXT, pointer, detail)[0] == expected


def test_a_fault_is_shown_like_a_compiler_error(tmp_path):
    """The text has path, line, marks, pointer, sentence and hint."""
    path = tmp_path / "s.json"
    _, shown = marked(path, TEXT, "#/target", "no column 'qualty'", "`quality`?")
    assert shown.splitlines() == [
        f"  {path}:2:13",
        '    2 |   "target": "qualty",',
        "      |             ^^^^^^^^",
        "    #/target: no column 'qualty'",
        "    `quality`?",
    ]


def test_a_long_line_is_cut_around_the_fault(tmp_path):
    """A spec without line breaks remains readable."""
    text = json.dumps({"tags": {f"k{i}": "v" for i in range(900)}, "fit": {"epochs": 0}})
    found, shown = marked(tmp_path / "s.json", text, "#/fit/epochs")
    assert found == "0"
    assert max(len(line) for line in shown.splitlines()[1:]) < 110


def test_wide_characters_take_two_columns(tmp_path):
    """The marks are below the faulty text."""
    _, shown = marked(tmp_path / "s.json", '{"品質": 1, "fit": 2}', "#/fit")
    _, line, marks, _ = shown.splitlines()
    assert marks.index("^") == line.index("2}") + 2


def test_every_value_has_a_position():
    """Escapes, empty objects and blanks do not matter."""
    text = ' { "a\\"b" : [ ] , "c":[1 , {"d":"\\u00e9, {"} ], "e": {} , "f": -1.5e3 } '
    found = {place: text[s.start : s.end] for place, s in spans(text).items()}
    assert json.loads(found.pop(())) == json.loads(text)
    assert found == {
        ('a"b',): "[ ]",
        ("c",): '[1 , {"d":"\\u00e9, {"} ]',
        ("c", "0"): "1",
        ("c", "1"): '{"d":"\\u00e9, {"}',
        ("c", "1", "d"): '"\\u00e9, {"',
        ("e",): "{}",
        ("f",): "-1.5e3",
    }


def test_train_underlines_refused_values(wire, fitserve, tmp_path):
    """A sentence that is printed below its line is not repeated above."""
    path = tmp_path / "s.json"
    path.write_text(TEXT)
    line = {"pointer": "#/target", "detail": "no column 'qualty'"}
    detail = "#/target: no column 'qualty'."
    wire.answers("POST /v1/runs", problem(422, "invalid-spec", detail, (line,)))
    done = fitserve("train", path)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.count("no column") == 1
    assert "      |             ^^^^^^^^\n" in done.stderr


def test_a_refusal_without_a_pointer_is_a_sentence(wire, fitserve, tmp_path):
    path = tmp_path / "s.json"
    path.write_text(TEXT)
    wire.answers("POST /v1/runs", problem(409, "dataset-not-ready", "It is being read."))
    assert fitserve("train", path).stderr == "It is being read.\n"


def test_invalid_json_is_underlined(wire, fitserve, tmp_path):
    """The exit code is that of wrong usage, and no request is sent."""
    path = tmp_path / "s.json"
    path.write_text('{\n  "a": 1,,\n}')
    done = fitserve("train", path)
    assert done.exit_code == 2
    assert f"{path}:2:10\n" in done.stderr
    assert wire.asked == []
