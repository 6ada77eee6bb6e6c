"""A served network takes all its numbers as one input, and gives the same results."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from core.models.packed_inputs import pack_numbers

ROWS = 5


def model(columns, nodes, texts=(), opset=20):
    """Return a model over columns of numbers and of texts, encoded."""
    kinds = [(TensorProto.DOUBLE, columns), (TensorProto.STRING, texts)]
    inputs = [
        helper.make_tensor_value_info(name, kind, ["N", 1])
        for kind, names in kinds
        for name in names
    ]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", None])
    graph = helper.make_graph(
        nodes,
        "test",
        inputs,
        [output],
        [helper.make_tensor("weights", TensorProto.FLOAT, [3, 2], [*range(1, 7)])],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def joined(columns, name="joined"):
    return helper.make_node("Concat", columns, [name], axis=1)


def network(name="joined", output="output"):
    """Return the nodes of a Dense over three numbers."""
    narrow = helper.make_node("Cast", [name], ["narrow"], to=TensorProto.FLOAT)
    return [narrow, helper.make_node("MatMul", ["narrow", "weights"], [output])]


def with_texts():
    """Return the nodes of a Dense over numbers, next to an index of a text."""
    index = helper.make_node(
        "LabelEncoder",
        ["city"],
        ["index"],
        domain="ai.onnx.ml",
        keys_strings=["a", "b"],
        values_floats=[1.0, 2.0],
        default_float=0.0,
    )
    both = helper.make_node("Concat", ["index", "dense"], ["output"], axis=1)
    return [index, *network(output="dense"), both]


def with_date():
    """Return the nodes of a Dense over two of the numbers and a sum with the third."""
    date = helper.make_node("Add", ["b", "b"], ["date"])
    return [joined(["a", "c"], "two"), date, joined(["two", "date"]), *network()]


CASES = {
    "numbers": model(["a", "b", "c"], [joined(["a", "b", "c"]), *network()]),
    "other order": model(["a", "b", "c"], [joined(["c", "b", "a"]), *network()]),
    "date": model(["a", "b", "c"], with_date()),
    "date and join": model(
        ["a", "b", "c"],
        [
            joined(["a", "b", "c"], "all"),
            helper.make_node("Add", ["all", "b"], ["joined"]),
            *network(),
        ],
    ),
    "own name": model(
        ["numbers", "x y", "ü"], [joined(["numbers", "x y", "ü"]), *network()]
    ),
    "texts": model(
        ["a", "b", "c"], [joined(["a", "b", "c"]), *with_texts()], texts=["city"]
    ),
}


def run(content, feed):
    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, feed)[0]


@pytest.mark.parametrize("case", CASES)
def test_the_results_are_those_of_the_file(case):
    given = CASES[case]
    columns = [i.name for i in given.graph.input if i.name != "city"]
    numbers = np.random.default_rng(1).normal(size=(ROWS, len(columns)))
    texts = {"city": np.array([["a"], ["b"], ["?"], [""], ["a"]], object)}
    texts = texts if case == "texts" else {}
    content = given.SerializeToString()
    packed = pack_numbers(content)
    onnx.checker.check_model(onnx.load_from_string(packed.model), full_check=True)
    by_column = {name: numbers[:, i : i + 1] for i, name in enumerate(columns)}
    expected = run(content, by_column | texts)
    assert np.array_equal(run(packed.model, {packed.numbers: numbers} | texts), expected)


def test_only_the_inputs_of_numbers_are_replaced():
    """The new input has an unused name, and the rest of the file is the same."""
    for case, name in (("own name", "numbers_"), ("texts", "numbers")):
        given = CASES[case]
        found = onnx.load_from_string(pack_numbers(given.SerializeToString()).model)
        texts = [i.name for i in given.graph.input if i.name == "city"]
        assert [i.name for i in found.graph.input] == [name, *texts]
        assert found.graph.initializer == given.graph.initializer
        assert found.graph.output == given.graph.output
        assert found.opset_import == given.opset_import


def test_a_model_of_another_form_stays_as_it_is():
    """It has no numbers, or an unknown version of ONNX's operators."""
    old = model(["a", "b", "c"], [joined(["a", "b", "c"]), *network()], opset=17)
    assert pack_numbers(old.SerializeToString()) is None
    texts = model([], [helper.make_node("Identity", ["city"], ["o"])], texts=["city"])
    assert pack_numbers(texts.SerializeToString()) is None
