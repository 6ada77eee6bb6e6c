"""Write the artifacts of a run, and publish each file in one step."""

import hashlib
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from core.models.signature import Signature
from core.models.tables import Artifact
from core.storage import Storage
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
    """Save, hash and publish the files. They count once the returned rows are committed.

    Keys contain the attempt, so a worker that was replaced overwrites nothing.
    """
    with storage.scratch() as folder:
        save_keras(network, signature, folder / "model.keras")
        save_onnx(network, signature, folder / "model.onnx")
        _save_weights(network, folder / "weights.npz")
        (folder / "signature.json").write_text(signature.model_dump_json(indent=1))
        prefix = f"runs/{run_id}/{attempt}"
        return [_publish(file, prefix, storage) for file in sorted(folder.iterdir())]


def save_json(
    name: str, content: BaseModel, storage: Storage, run_id: str, attempt: int
) -> Artifact:
    """Save one more JSON file. It counts once the returned row is committed."""
    with storage.scratch() as folder:
        file = folder / f"{name}.json"
        file.write_text(content.model_dump_json(indent=1))
        return _publish(file, f"runs/{run_id}/{attempt}", storage)


def _save_weights(network: Network, path: Path) -> None:
    """Save arrays named `<layer index>/<weight name>`, and `embedding/<index>`."""
    arrays = {
        f"{i}/{variable.name}": variable.numpy()
        for i, layer in enumerate(network.body.layers)
        for variable in layer.weights
        if variable.name != "seed_generator_state"
    }
    for i, embedding in enumerate(network.embeddings):
        arrays[f"embedding/{i}"] = embedding.embeddings.numpy()
    np.savez(path, **arrays)


def _publish(file: Path, prefix: str, storage: Storage) -> Artifact:
    content = file.read_bytes()
    key = f"{prefix}/{file.name}"
    storage.publish(file, key)
    return Artifact(
        name=file.name,
        key=key,
        sha256=hashlib.sha256(content).hexdigest(),
        num_bytes=len(content),
    )
