"""Write and store the files of a version."""

from pathlib import Path

import numpy as np
from pydantic import BaseModel

from core.models.signature import Signature
from core.models.tables import Artifact
from core.storage import Storage, scratch
from core.storage.recorded import put_recorded
from workers.training.network import Network
from workers.training.saving.keras_file import save_keras
from workers.training.saving.onnx_file import save_onnx


def save_artifacts(
    network: Network,
    signature: Signature,
    storage: Storage,
    run_id: str,
    attempt: int,
) -> list[Artifact]:
    """Store the files of a network. They are used only after their rows are committed.

    Keys contain the attempt, so that a replaced worker overwrites nothing.
    """
    with scratch() as folder:
        save_keras(network, signature, folder / "model.keras")
        save_onnx(network, signature, folder / "model.onnx")
        _save_weights(network, folder / "weights.npz")
        (folder / "signature.json").write_text(signature.model_dump_json(indent=1))
        prefix = f"runs/{run_id}/{attempt}"
        return [_store(file, prefix, storage) for file in sorted(folder.iterdir())]


def save_json(
    name: str, content: BaseModel, storage: Storage, run_id: str, attempt: int
) -> Artifact:
    """Store a model as JSON. The file is used only after its row is committed."""
    with scratch() as folder:
        file = folder / f"{name}.json"
        file.write_text(content.model_dump_json(indent=1))
        return _store(file, f"runs/{run_id}/{attempt}", storage)


def _save_weights(network: Network, path: Path) -> None:
    """Write arrays named `<layer index>/<weight name>`, and `embedding/<index>`."""
    arrays = {
        f"{i}/{variable.name}": variable.numpy()
        for i, layer in enumerate(network.body.layers)
        for variable in layer.weights
        if variable.name != "seed_generator_state"
    }
    for i, embedding in enumerate(network.embeddings):
        arrays[f"embedding/{i}"] = embedding.embeddings.numpy()
    np.savez(path, **arrays)


def _store(file: Path, prefix: str, storage: Storage) -> Artifact:
    recorded = put_recorded(storage, file, f"{prefix}/{file.name}")
    return Artifact(name=file.name, **recorded)
