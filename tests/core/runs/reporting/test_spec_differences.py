"""The parts in which specs differ, in words."""

import pytest

from core.datasets.tables import Dataset
from core.runs.reporting.spec_differences import different_parts
from core.runs.spec import RunPlan
from core.runs.tables import Run
from tests.core.runs.rows import resolved_spec

COSINE = {"type": "CosineDecay", "warmup_epochs": 3, "alpha": 0.1}


def run(inputs=("a", "b"), version=1, digest="sha256:0", **changes):
    """Return a run of the smallest network, with `changes` of its spec."""
    fit = {"batch_size": 32, "epochs": 10, "seed": 1} | changes.pop("fit", {})
    plan = RunPlan(layers=[], features=dict.fromkeys(inputs, "numeric"))
    dataset = Dataset(name="table", version=version, digest=digest)
    return Run(spec=resolved_spec(fit=fit, **changes), plan=plan, dataset=dataset)


def told(*runs):
    return {one.part: one.texts for one in different_parts(runs)}


def layers(*layers):
    return {"layers": [*layers, {"type": "Dense", "units": 1}]}


def compiled(**optimizer):
    return {"optimizer": {"type": "Adam"} | optimizer, "loss": "mse", "metrics": []}


def test_a_changed_scheduler_is_one_difference():
    """Its three keys are in one text."""
    assert told(run(), run(fit={"learning_rate_scheduler": COSINE})) == {
        "learning rate schedule": ["none", "CosineDecay, warmup epochs 3, alpha 0.1"]
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"compile": compiled(learning_rate=0.001, beta_1=0.9)},
        {"model": layers() | {"layers": [{"type": "Dense", "units": 1, "activation": "linear"}]}},
        {"fit": {"shuffle": True, "validation_split": 0.2}},
        {"compile": compiled() | {"metrics": ["mae"]}},
        {"tags": {"team": "red"}},
        {"preset": "linear"},
        {"model_name": "other"},
        {"report": {"baselines": False}},
        {"features": {"exclude": ["an id that is left out anyway"]}},
    ],
)  # fmt: skip
def test_a_default_or_a_key_that_changes_no_figure_is_no_difference(changes):
    assert told(run(), run(**changes)) == {}


def test_the_seed_counts_only_if_nothing_else_differs():
    """A run draws its seed, so that it differs without a decision."""
    assert told(run(), run(fit={"seed": 2})) == {"seed": ["1", "2"]}
    assert told(run(), run(fit={"seed": 2, "epochs": 5})) == {"epochs": ["10", "5"]}


def test_members_of_one_part_are_in_one_text():
    """The learning rate and the patience are named even if they are the defaults."""
    other = run(compile=compiled(type="SGD", momentum=0.9))
    stopping = run(fit={"early_stopping": {"monitor": "val_mae"}})
    assert told(run(), other, stopping) == {
        "optimizer": [
            *("Adam, learning rate 0.001", "SGD, momentum 0.9, learning rate 0.01"),
            "Adam, learning rate 0.001",
        ],
        "early stopping": ["none", "none", "monitor val_mae, patience 10"],
    }


def test_layers_of_the_same_types_are_compared_one_by_one():
    """Another sequence of types is compared as a whole."""
    wide, narrow = (
        run(model=layers({"type": "Dense", "units": n, "activation": "relu"}))
        for n in (64, 8)
    )
    assert told(wide, narrow) == {"layer 1": ["Dense 64 relu", "Dense 8 relu"]}
    assert told(wide, run()) == {"network": ["Dense 64 relu → Dense 1", "Dense 1"]}


def test_the_same_file_uploaded_again_is_no_difference():
    assert told(run(), run(version=2)) == {}
    other = run(version=2, digest="sha256:1")
    assert told(run(), other) == {"dataset": ["table@1", "table@2"]}


def test_inputs_that_others_lack_are_named():
    names = [f"c{i}" for i in range(13)]
    assert told(run(["a", "b"]), run(["a"])) == {"inputs that others lack": ["b", "none"]}
    shown = told(run(["a", *names]), run(["a"]))["inputs that others lack"]
    assert shown == [f"{', '.join(names[:10])}, and 3 more", "none"]
