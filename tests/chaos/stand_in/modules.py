"""Replace Keras, and modules that need it, by light modules before importing `workers`."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from core.models.signature import Signature


class _Class:
    """A class for annotations and for inheritance."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.model: Any = None


class _Reporter:
    """A reporter that reports nothing: a run may end without a report."""

    def __init__(self, *_: Any) -> None:
        pass

    def report(self, *_: Any) -> None:
        return None


def put_in_place() -> None:
    """Register the light modules for all later imports."""
    _module(
        "keras",
        Model=_Class,
        Sequential=_Class,
        Variable=_Class,
        layers=_module("keras.layers", Embedding=_Class),
        callbacks=_module(
            "keras.callbacks",
            Callback=_Class,
            EarlyStopping=type("EarlyStopping", (_Class,), {}),
            LearningRateScheduler=type("LearningRateScheduler", (_Class,), {}),
            ReduceLROnPlateau=type("ReduceLROnPlateau", (_Class,), {}),
        ),
        utils=_module("keras.utils", clear_session=lambda: None),
    )
    threading = _module(
        "tensorflow.config.threading",
        set_intra_op_parallelism_threads=lambda _: None,
        set_inter_op_parallelism_threads=lambda _: None,
    )
    config = _module(
        "tensorflow.config",
        threading=threading,
        list_physical_devices=lambda _: [],
    )
    _module("tensorflow", config=config)
    _module("workers.training.batches", Batches=object)
    _module("workers.training.build", build=None)
    _module("workers.training.xla", XlaSwitch=_Class)
    _module("workers.training.network", Network=_Class)
    _module("workers.report.report", Report=_Class, Reporter=_Reporter)
    _module("workers.training.saving.keras_file", save_keras=_save_keras)
    _module("workers.training.saving.onnx_file", save_onnx=_save_onnx)
    from tests.chaos.stand_in import fit, train

    sys.modules["workers.training.epoch_loop"] = fit
    sys.modules["workers.training.train"] = train


def _module(name: str, **contents: Any) -> ModuleType:
    module = sys.modules[name] = ModuleType(name)
    vars(module).update(contents)
    return module


def _save_keras(network: Any, _signature: Signature, path: Path) -> None:
    path.write_bytes(repr(network.weight).encode() * 500)


def _save_onnx(network: Any, signature: Signature, path: Path) -> None:
    """Write a graph for real ONNX Runtime that adds the row and the weight."""
    from onnx import TensorProto, helper, numpy_helper

    constant = numpy_helper.from_array(np.float32([network.weight]), "w")
    inputs = [
        helper.make_tensor_value_info(f.name, TensorProto.DOUBLE, ["N", 1])
        for f in signature.features
    ]
    nodes = [
        helper.make_node("Sum", [f.name for f in signature.features], ["s"]),
        helper.make_node("Cast", ["s"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["f", "w"], ["output"]),
    ]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["N", 1])
    graph = helper.make_graph(nodes, "g", inputs, [output], [constant])
    opset = [helper.make_opsetid("", 20)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    path.write_bytes(model.SerializeToString())
