"""Build the network of a run: embeddings of categories, then the layers of the spec."""

from dataclasses import dataclass, field

import keras

from core.models.signature import EmbeddingEncoder, Signature
from fitserve.specs.layers import ModelSpec
from workers.training.build import build
from workers.training.ensemble import Members, build_ensemble, members_of
from workers.training.target_scale import TargetScale


@dataclass(frozen=True)
class Network:
    """The network of a run.

    Args:
        model: takes the encoded table `[N, signature.num_encoded]`. For an ensemble it
            returns the outputs of the members.
        body: the layers of the spec; takes `[N, len(signature.inputs)]`. For an ensemble
            it returns the mean of the members. For a single network without embeddings,
            `body` is `model`.
        members: the size of the ensemble, 1 for a single network.
        embeddings: one for each feature with an embedding, in the signature's order. The
            members of an ensemble share the embeddings.

    """

    model: keras.Model
    body: keras.Sequential
    members: int = 1
    embeddings: list[keras.layers.Embedding] = field(default_factory=list)

    @property
    def last_layer(self) -> keras.layers.Layer:
        """Return the last layer of the spec. In an ensemble the mean follows it."""
        return self.body.layers[-1 if self.members == 1 else -2]

    def in_target_units(self, scale: TargetScale | None) -> keras.Model:
        """Return the model to compile and fit: `model`, with scaled outputs if needed."""
        if scale is None and self.members == 1:
            return self.model
        outputs = self.model.outputs[0]
        kind = keras.Model if self.members == 1 else Members
        return kind(self.model.inputs[0], outputs if scale is None else scale(outputs))


def build_network(spec: ModelSpec, signature: Signature) -> Network:
    """Return the network of `spec` over the features of `signature`, not compiled."""
    members = spec.ensemble
    body = (build if members == 1 else build_ensemble)(spec, len(signature.inputs))
    trained = body if members == 1 else members_of(body)
    encoders = [encoder for _, encoder in signature.encoded_by(EmbeddingEncoder)]
    if not encoders:
        return Network(trained, body, members)
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
    model = keras.Model(encoded, trained(joined))
    return Network(model, body, members, embeddings)
