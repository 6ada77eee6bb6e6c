"""Compute the shapes and parameter counts of a spec's network, without Keras."""

from collections.abc import Sequence
from dataclasses import dataclass

from fitserve.enums import Task
from fitserve.problems import FieldError, pointer
from fitserve.schemas.runs import LayerPlan
from fitserve.specs.layers import ActivationLayer, Dense, Layer, ModelSpec, Output

_HEADS = {
    Task.REGRESSION: None,
    Task.BINARY: "sigmoid",
    Task.MULTICLASS: "softmax",
}


@dataclass(frozen=True)
class Head:
    """The units and the activation that a task requires of the last layer."""

    task: Task
    units: int

    @classmethod
    def of(cls, task: Task, num_classes: int) -> "Head":
        """Return the head for a task; `num_classes` is used only for multiclass."""
        return cls(task, num_classes if task == Task.MULTICLASS else 1)

    @property
    def activation(self) -> str | None:
        """Return the required activation, or None if any is allowed."""
        return _HEADS[self.task]

    def as_dense(self) -> Dense:
        """Return the dense layer that replaces `{"type": "Output"}`."""
        activation = self.activation or "linear"
        return Dense.model_validate(
            {"type": "Dense", "units": self.units, "activation": activation}
        )


def with_head(layers: Sequence[Layer], head: Head) -> list[Layer]:
    """Return the layers with each `Output` replaced by its dense layer."""
    return [head.as_dense() if isinstance(x, Output) else x for x in layers]


def plan_layers(model: ModelSpec, num_inputs: int) -> list[LayerPlan]:
    """Return the output shape and parameter count of each layer, as Keras builds it.

    An ensemble adds three layers: one repeats the inputs, one scales them for each
    member, and the last one takes the mean of the members.
    """
    width, plans = num_inputs, []
    for layer in model.layers:
        params = layer.params(width)
        width = layer.output_width(width)
        plans.append(LayerPlan(type=layer.type, output_shape=[width], params=params))
    return plans if model.ensemble == 1 else _in_members(plans, model, num_inputs)


def _in_members(
    plans: list[LayerPlan], model: ModelSpec, num_inputs: int
) -> list[LayerPlan]:
    members = model.ensemble
    inputs = [members, num_inputs]
    scales = members * num_inputs
    between = [
        LayerPlan(
            type="EinsumDense" if place == model.last_dense else plan.type,
            output_shape=[members, *plan.output_shape],
            params=plan.params * (members if place == model.last_dense else 1),
        )
        for place, plan in enumerate(plans)
    ]
    return [
        LayerPlan(type="RepeatVector", output_shape=inputs, params=0),
        LayerPlan(type="EinsumDense", output_shape=inputs, params=scales),
        *between,
        LayerPlan(
            type="GlobalAveragePooling1D",
            output_shape=plans[-1].output_shape,
            params=0,
        ),
    ]


def bias_errors(model: ModelSpec) -> list[FieldError]:
    """Return an error for each bias that Keras cannot initialize.

    The spec's schema accepts these, because earlier releases stored runs with them.
    """
    return [
        FieldError(
            pointer=pointer(*model.place(i), "bias_initializer"),
            detail="a bias has one dimension, and `orthogonal` needs at least two",
            hint="leave it out (biases are 0 at first), or write `random_normal`",
        )
        for i, layer in enumerate(model.layers)
        if isinstance(layer, Dense)
        and layer.use_bias
        and layer.bias_initializer == "orthogonal"
    ]


def head_errors(
    layers: Sequence[Layer], plans: Sequence[LayerPlan], head: Head, at: str
) -> list[FieldError]:
    """Return the errors of the last layer for this task, at the pointer `at`."""
    width = plans[-1].output_shape[-1]
    hint = '{"type": "Output"} as the last layer fits every task'
    if width != head.units:
        detail = f"the network has {width} outputs; {head.task} needs {head.units}"
        return [FieldError(pointer=at, detail=detail, hint=hint)]
    last = layers[-1]
    ending = last.activation if isinstance(last, Dense | ActivationLayer) else None
    if head.activation and ending != head.activation:
        detail = (
            f"the network ends in {ending or last.type}; "
            f"{head.task} needs the activation {head.activation}"
        )
        return [FieldError(pointer=at, detail=detail, hint=hint)]
    return []
