"""The estimated cost of a run is that of Keras, and a cost above its limit is refused."""

import itertools
from dataclasses import replace

import pytest

from core.runs.planning.cost import Cost, estimate, limit_errors, slots
from core.runs.planning.layer_plan import plan_layers
from core.runs.spec import ResolvedFit
from core.settings import MIB, Limits
from fitserve.specs.layers import ModelSpec
from fitserve.specs.optimizers import BY_NAME, SGD, Adagrad, Adam, AdamW, Nadam, RMSprop

OPTIMIZERS = [
    *(kind() for kind in BY_NAME.values()),
    SGD(momentum=0.9),
    SGD(momentum=0.9, nesterov=True),
    Adam(amsgrad=True),
    AdamW(amsgrad=True),
    RMSprop(momentum=0.5),
    RMSprop(centered=True),
    RMSprop(centered=True, momentum=0.5),
    Adagrad(learning_rate=0.1),
    Nadam(clipnorm=1.0),
]
SMALL = Cost(num_params=1, num_layers=1, widest=1, steps=1, memory_bytes=MIB)


def network(widths, norm, use_bias):
    layers = []
    for width in widths:
        layers.append({"type": "Dense", "units": width, "use_bias": use_bias})
        layers += [{"type": kind} for kind in norm]
    return ModelSpec.model_validate({"layers": layers})


@pytest.mark.keras
def test_parameters_are_counted_as_keras_does():
    """The counts are equal over a grid of widths, depths, biases and normalizations."""
    from workers.training.build import build

    grid = itertools.product(
        (1, 7, 300),
        ((1,), (64, 1), (512, 512, 3), (33, 1, 8_192)),
        ((), ("BatchNormalization",), ("LayerNormalization", "BatchNormalization")),
        (True, False),
    )
    for num_inputs, widths, norm, use_bias in grid:
        spec = network(widths, norm, use_bias)
        planned = sum(plan.params for plan in plan_layers(spec, num_inputs))
        assert planned == build(spec, num_inputs).count_params()


@pytest.mark.keras
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_slots_are_the_numbers_that_an_optimizer_keeps_per_weight(optimizer):
    """Scalars such as the learning rate are not counted."""
    from workers.training.build import _optimizer, build

    model = build(network((8, 1), (), use_bias=True), 4)
    built = _optimizer(optimizer)
    built.build(model.trainable_variables)
    kept = sum(v.value.numpy().size for v in built.variables if v.shape != ())
    assert kept == slots(optimizer) * model.count_params()


def test_memory_grows_with_weights_batches_and_rows():
    """A large table is never whole in memory."""
    plans = plan_layers(network((1_000, 1), (), use_bias=True), 100)
    sgd = SGD()
    known = {"num_inputs": 100, "num_rows": 1_000, "train_rows": 800, "batch_size": 32, "epochs": 5}  # fmt: skip

    def memory(optimizer=sgd, **changes):
        return estimate(plans, optimizer, **{**known, **changes}).memory_bytes

    params = sum(plan.params for plan in plans)
    assert memory() >= 8 * params
    assert memory(Adam()) - memory() == 2 * 4 * params
    assert memory(batch_size=64) > memory()
    assert memory(batch_size=8_000) == memory(batch_size=1_000)
    assert memory(num_rows=2_000) - memory() == 2 * 4 * 100 * 1_000
    assert memory(num_rows=10**9) == memory(num_rows=10**12) < 2**30


def test_a_batch_larger_than_the_rows_is_one_step_an_epoch():
    plans = plan_layers(network((8, 1), (), use_bias=True), 4)
    known = {"num_inputs": 4, "num_rows": 300, "train_rows": 245}
    cost = estimate(plans, SGD(), **known, batch_size=512, epochs=30)
    assert cost.steps == 30


def fit(batch_size, epochs):
    return ResolvedFit(batch_size=batch_size, epochs=epochs, seed=0)


@pytest.mark.parametrize(
    ("changes", "pointer", "message"),
    [
        ({"num_layers": 65}, "#/model/layers", "65 layers; the limit here is 64"),
        ({"widest": 8_193}, "#/model/layers", "8,193 outputs in one layer; the limit here is 8,192"),
        ({"num_params": 5_000_001}, "#/model/layers", "5,000,001 parameters; the limit here is 5,000,000"),
        ({"steps": 10**15}, "#/fit", "1,000,000,000,000,000 gradient steps; the limit here is 2,000,000"),
        ({"memory_bytes": 1_025 * MIB}, "#/model", "1,025 MiB of memory; the limit here is 1,024"),
    ],
)  # fmt: skip
def test_the_error_above_a_limit_has_figure_and_limit(changes, pointer, message):
    """A cost at its limit is accepted."""
    at = "#/model/layers"
    (error,) = limit_errors(replace(SMALL, **changes), Limits(), fit(1, 1), at)
    assert error.pointer == pointer
    assert message in error.detail
    at_limit = Cost(5_000_000, 64, 8_192, 2_000_000, 1_024 * MIB)
    assert limit_errors(at_limit, Limits(), fit(8_192, 10_000), at) == []


@pytest.mark.parametrize(
    ("batch_size", "epochs", "pointer"),
    [(8_193, 1, "#/fit/batch_size"), (1, 10_001, "#/fit/epochs")],
)
def test_batch_size_and_epochs_have_their_own_limits(batch_size, epochs, pointer):
    given = fit(batch_size, epochs)
    (error,) = limit_errors(SMALL, Limits(), given, "#/model/layers")
    assert error.pointer == pointer


def test_an_ensemble_costs_as_much_as_its_members():
    """Memory counts the members' outputs and gradients; many inputs are not a wide layer."""
    known = {"num_inputs": 9_000, "num_rows": 10, "train_rows": 10, "batch_size": 8, "epochs": 1}  # fmt: skip
    layers = network((64, 1), (), use_bias=True)
    costs = [
        estimate(plan_layers(spec, 9_000), SGD(), **known)
        for spec in (layers, layers.model_copy(update={"ensemble": 4}))
    ]
    assert [cost.widest for cost in costs] == [64, 64]
    repeated = 4 * 2 * 8 * 4 * 2 * 9_000  # bytes of values and gradients
    assert costs[1].memory_bytes - costs[0].memory_bytes > repeated
