"""Read the weights of a version from its `weights.npz`."""

import io

import numpy as np

from core.errors import ArtifactNotFound, OverLimit
from core.models.signature import OTHERS, EmbeddingEncoder
from core.models.tables import Version
from core.storage import Storage
from core.storage.recorded import read_recorded
from fitserve.schemas.models import (
    EmbeddingRead,
    LayerWeights,
    WeightRead,
    WeightsRead,
)

FILE = "weights.npz"
_MOST_VALUES = 200_000


def read_weights(version: Version, storage: Storage) -> WeightsRead:
    """Return every array of every layer as lists.

    Raises OverLimit for large networks, ArtifactDamaged if the file has changed.
    """
    count = sum(layer.params for layer in version.layers)
    if count > _MOST_VALUES:
        raise OverLimit(
            f"This network has {count:,} weights; at most {_MOST_VALUES:,} are sent "
            f"as JSON. Download the artifact {FILE} and open it with numpy.load."
        )
    arrays = np.load(io.BytesIO(_checked(version, storage)), allow_pickle=False)
    layers = [
        LayerWeights(index=i, type=layer.type, weights=[])
        for i, layer in enumerate(version.layers)
    ]
    signature = version.signature
    for key in arrays.files:
        index, _, name = key.partition("/")
        if index == "embedding":
            continue
        value = arrays[key]
        layers[int(index)].weights.append(
            WeightRead(name=name, shape=list(value.shape), values=value.tolist())
        )
    return WeightsRead(
        inputs=signature.inputs,
        embeddings=[
            EmbeddingRead(
                column=feature.name,
                categories=[OTHERS, *encoder.vocabulary],
                values=arrays[f"embedding/{i}"].tolist(),
            )
            for i, (feature, encoder) in enumerate(signature.encoded_by(EmbeddingEncoder))
        ],
        layers=layers,
    )


def _checked(version: Version, storage: Storage) -> bytes:
    artifact = version.artifact(FILE)
    if artifact is None:
        raise ArtifactNotFound(FILE, [a.name for a in version.artifacts])
    what = f"{FILE} of this version"
    return read_recorded(storage, artifact.key, artifact.sha256, artifact.num_bytes, what)
