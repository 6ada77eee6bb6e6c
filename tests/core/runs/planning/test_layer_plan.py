"""Planned shapes and parameters equal those that Keras builds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.runs.planning.layer_plan import Head, plan_layers, with_head
from fitserve.enums import Task
from fitserve.specs.layers import LAYERS, ModelSpec
from tests.layers import layers


@pytest.mark.keras
@settings(max_examples=25)
@given(
    st.lists(layers(LAYERS), min_size=1, max_size=5), st.integers(1, 7), st.integers(1, 3)
)
def test_the_plan_is_what_keras_builds(given_layers, num_inputs, ensemble):
    """Type, parameters and output shape are equal for every layer of random networks."""
    from workers.training.build import build
    from workers.training.ensemble import build_ensemble

    spec = ModelSpec.model_validate({"layers": given_layers})
    resolved = with_head(spec.layers, Head.of(Task.MULTICLASS, 3))
    model = ModelSpec(layers=resolved, ensemble=ensemble)
    network = (build if ensemble == 1 else build_ensemble)(model, num_inputs)
    plans = plan_layers(model, num_inputs)
    assert [p.type for p in plans] == [type(x).__name__ for x in network.layers]
    assert [p.params for p in plans] == [x.count_params() for x in network.layers]
    shapes = [list(x.output.shape[1:]) for x in network.layers]
    assert [p.output_shape for p in plans] == shapes
