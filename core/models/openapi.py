"""Build an OpenAPI document of one model's predict route, for client generators."""

from typing import Any

from pydantic.json_schema import models_json_schema

from core.models.description import Described, answer_schemas, instance_schema
from core.models.snippets import python_snippet, shell_snippet
from core.models.typescript import typescript_snippet
from fitserve.problems import MEDIA_TYPE, Problem
from fitserve.schemas.predict import CellWarning

Json = dict[str, Any]
_STRICT: Json = {
    "name": "strict",
    "in": "query",
    "description": "Refuse the request if an instance gets a warning.",
    "schema": {"type": "boolean", "default": False},
}
_FAILURES = {
    "400": "The body is not JSON, or cannot be decompressed.",
    "401": "The service requires an API key; the request has none or an invalid one.",
    "403": "A service without API keys answers only requests from its own machine.",
    "404": "The model, version or alias does not exist.",
    "413": "The body is too large, or has too many instances.",
    "422": "An instance is invalid; the problem names row, column and remedy.",
    "503": "The version's file is damaged, or the database is unavailable. Retry.",
}


def openapi_document(described: Described) -> Json:
    """Return an OpenAPI 3.1 document: the route, schemas, errors and sample code."""
    security: list[Json] = [{"bearer": []}]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": described.name,
            "version": str(described.version),
            "description": f"Predicts {described.signature.target!r}.",
        },
        "servers": [{"url": described.server}],
        "security": security if described.wants_key else [{}, *security],
        "paths": {described.path: {"post": _operation(described)}},
        "components": {
            "schemas": _schemas(described),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(described: Described) -> Json:
    request = _content("application/json", "PredictRequest")
    request["application/json"]["example"] = {"instances": [described.example]}
    answer = {"description": "One prediction for each instance, in the same order."}
    return {
        "operationId": "predict",
        "summary": f"Predict {described.signature.target!r}",
        "parameters": [_STRICT],
        "requestBody": {"required": True, "content": request},
        "responses": {
            "200": answer | {"content": _content("application/json", "PredictResponse")},
            **{
                status: {"description": text, "content": _content(MEDIA_TYPE, "Problem")}
                for status, text in _FAILURES.items()
            },
        },
        "x-codeSamples": _samples(described),
    }


def _samples(described: Described) -> list[Json]:
    written = (
        ("Shell", "curl", shell_snippet),
        ("Python", "Python", python_snippet),
        ("TypeScript", "TypeScript", typescript_snippet),
    )
    return [
        {"lang": language, "label": label, "source": write(described)}
        for language, label, write in written
    ]


def _content(media_type: str, name: str) -> Json:
    return {media_type: {"schema": _ref(name)}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str) -> Json:
    return {"type": "array", "items": _ref(name)}


def _schemas(described: Described) -> Json:
    answers = answer_schemas(described.signature)
    _, shared = models_json_schema(
        [(Problem, "serialization"), (CellWarning, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "Instance": instance_schema(described),
        **{name.capitalize(): schema for name, schema in answers.items()},
        "PredictRequest": _request(described.most_rows),
        "PredictResponse": _response(described.name, list(answers)),
        **shared["$defs"],
    }


def _request(most_rows: int) -> Json:
    instances = {**_list("Instance"), "minItems": 1, "maxItems": most_rows}
    return {
        "type": "object",
        "properties": {"instances": instances},
        "required": ["instances"],
        "additionalProperties": False,
    }


def _response(model: str, answers: list[str]) -> Json:
    per_instance = {"predictions": _list("Prediction")}
    if "probabilities" in answers:
        per_instance["probabilities"] = _list("Probabilities")
    return {
        "type": "object",
        "properties": {
            "model_name": {"const": model},
            "model_version": {"type": "integer", "minimum": 1},
            **per_instance,
            "warnings": _list("CellWarning"),
        },
        "required": ["model_name", "model_version", *per_instance],
    }
