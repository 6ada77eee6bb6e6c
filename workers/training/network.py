"""The network of a run: embeddings of categories in front, the spec's layers behind."""

from dataclasses import dataclass, field

import keras

from core.models.signature import EmbeddingEncoder, Signature
from fitserve.specs.layers import ModelSpec
from workers.training.build import build


@dataclass(frozen=True)
class Network:
    """What is trained.

    `model` takes the encoded table `[N, signature.num_encoded]`; `body` is what the spec
    describes and takes `[N, len(signature.inputs)]`. Without embeddings both are one.
    """

    model: keras.Model
    body: keras.Sequential
    embeddings: list[keras.layers.Embedding] = field(default_factory=list)
    """One for each feature with an embedding, in the signature's order."""


def build_network(spec: ModelSpec, signature: Signature) -> Network:
    """The network of `spec` over the features of `signature`, not compiled."""
    body = build(spec, len(signature.inputs))
    features = signature.encoded_as("embedding")
    if not features:
        return Network(body, body)
    encoders = [f.encoder for f in features if isinstance(f.encoder, EmbeddingEncoder)]
    embeddings = [
        keras.layers.Embedding(
            len(encoder.vocabulary) + 1, encoder.dim, name=f"embed_{i}"
        )
        for i, encoder in enumerate(encoders)
    ]
    encoded = keras.Input((signature.num_encoded,), name="encoded")
    width = signature.num_encoded - len(embeddings)
    parts = [encoded[:, :width]] if width else []
    parts += [embed(encoded[:, width + i]) for i, embed in enumerate(embeddings)]
    joined = parts[0] if len(parts) == 1 else keras.layers.Concatenate()(parts)
    return Network(keras.Model(encoded, body(joined)), body, embeddings)
