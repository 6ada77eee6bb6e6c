"""The network of a run: embeddings of categories in front, the spec's layers behind."""

from dataclasses import dataclass, field

import keras

from core.models.signature import EmbeddingEncoder, Signature
from fitserve.specs.layers import ModelSpec
from workers.training.build import build
from workers.training.ensemble import Members, build_ensemble, members_of
from workers.training.target_scale import TargetScale


@dataclass(frozen=True)
class Network:
    """What is trained.

    `model` takes the encoded table `[N, signature.num_encoded]`; `body` is what the spec
    describes and takes `[N, len(signature.inputs)]`. Without embeddings both are one. In
    an ensemble, `model` gives what the members say and `body` their mean; embeddings are
    shared.
    """

    model: keras.Model
    body: keras.Sequential
    members: int = 1
    embeddings: list[keras.layers.Embedding] = field(default_factory=list)
    """One for each feature with an embedding, in the signature's order."""

    @property
    def last_layer(self) -> keras.layers.Layer:
        """The layer of the last one in the spec; a mean may follow."""
        return self.body.layers[-1 if self.members == 1 else -2]

    def in_target_units(self, scale: TargetScale | None) -> keras.Model:
        """What is compiled and fitted: `model`, its outputs scaled if need be."""
        if scale is None and self.members == 1:
            return self.model
        outputs = self.model.outputs[0]
        kind = keras.Model if self.members == 1 else Members
        return kind(self.model.inputs[0], outputs if scale is None else scale(outputs))


def build_network(spec: ModelSpec, signature: Signature) -> Network:
    """The network of `spec` over the features of `signature`, not compiled."""
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
