"""Layers of every type, drawn from the schema, so that new types are tested too."""

from hypothesis import strategies as st

from fitserve.specs.layers import LAYERS

FEW = 9
"""The largest integer in a drawn layer."""


def layers(names):
    """Draw specs of layers of these types, with any fields that the schema allows."""
    every = st.one_of([_object(LAYERS[name].model_json_schema()) for name in names])
    # Keras cannot draw an orthogonal vector
    return every.filter(lambda layer: layer.get("bias_initializer") != "orthogonal")


def _object(schema, defs=None):
    defs = schema.get("$defs", {}) if defs is None else defs
    fields = {name: _value(s, defs) for name, s in schema["properties"].items()}
    required = {name: fields.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=fields)


def _value(schema, defs):
    if "$ref" in schema:
        return _object(defs[schema["$ref"].rpartition("/")[2]], defs)
    for either in ("anyOf", "oneOf"):
        if either in schema:
            return st.one_of([_value(option, defs) for option in schema[either]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return {
        "boolean": st.booleans,
        "null": st.none,
        "integer": lambda: st.integers(schema["minimum"], FEW),
        "number": lambda: _number(schema),
    }[schema["type"]]()


def _number(schema):
    """Draw a number between the bounds, or an inclusive lower bound."""
    low, high = (
        schema.get(end, schema.get(f"exclusive{end.capitalize()}"))
        for end in ("minimum", "maximum")
    )
    inner = st.floats(0.01, 0.99).map(lambda share: low + share * (min(high, 1) - low))
    ends = [schema[end] for end in ("minimum",) if end in schema]
    return inner | st.sampled_from(ends) if ends else inner


def exported(body, path):
    """Return a function that computes rows with the network's ONNX file."""
    import onnxruntime as ort

    from core.models.signature import Feature, NumericEncoder, Signature
    from workers.training.network import Network
    from workers.training.saving.onnx_file import save_onnx

    names = [f"x{i}" for i in range(body.input_shape[-1])]
    as_it_is = NumericEncoder(center=0, scale=1, fill=0)
    signature = Signature(
        model_name="m",
        task="regression",
        target="y",
        classes=None,
        features=[Feature(name=n, type="numeric", encoder=as_it_is) for n in names],
        ignored=[],
    )
    save_onnx(Network(body, body), signature, path)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])

    def computed(rows):
        raw = {name: rows[:, [i]] for i, name in enumerate(names)}
        return session.run(None, raw)[0]

    return computed
