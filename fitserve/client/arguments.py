"""Check the arguments that callers often mix up, and say what is expected instead."""

from typing import Any

from fitserve.schemas.runs import RunRead

RunRef = str | RunRead
"""A run, or its id."""
_PREDICT = "predict(name, instances), such as predict('wine', [{'alcohol': 9.4}])"
_PREDICT_FILE = "predict_file(name, path), such as predict_file('wine', 'new.csv')"


def run_id_of(run: object) -> str:
    """Return the id of a run; raise TypeError if it is neither a run nor an id."""
    if isinstance(run, RunRead):
        return run.id
    if isinstance(run, str):
        return run
    raise TypeError(f"got {run!r:.80}; expected a run, or its id such as 'run_1a22f2c4'")


def run_ids_of(runs: tuple[Any, ...]) -> list[str]:
    """Return the ids of runs, which may be one list."""
    is_list = len(runs) == 1 and isinstance(runs[0], list | tuple)
    return [run_id_of(run) for run in (runs[0] if is_list else runs)]


def refuse_no_model(name: object, *, of_file: bool = False) -> None:
    """Raise TypeError if the name of a model to predict with is not a text."""
    if not isinstance(name, str):
        call = _PREDICT_FILE if of_file else _PREDICT
        got = type(name).__name__
        raise TypeError(f"got {got} as the name of the model; expected {call}")


def refuse_no_rows(instances: object) -> None:
    """Raise TypeError if the rows to predict cannot be rows."""
    if isinstance(instances, str | bytes):
        raise TypeError(
            f"got the text {instances!r:.80} as rows; expected {_PREDICT}. The rows of a "
            f"file: {_PREDICT_FILE}"
        )
    if not hasattr(instances, "__iter__"):
        got = "None" if instances is None else type(instances).__name__
        raise TypeError(
            f"got {got} as rows; expected dicts or lists, one dict, an array, or a "
            f"DataFrame: {_PREDICT}"
        )
