"""Write TypeScript snippets, for Node 22 and newer and for browsers."""

from typing import Any

from core.models.description import Described, answer_schemas
from core.models.properties import property_schema
from core.models.snippets import KEY, json_text
from fitserve.schemas.predict import Cell

_MOST_LITERALS = 50
_TYPES = {"number": "number", "string": "string", "boolean": "boolean", "null": "null"}
_SNIPPET = """\
interface Instance {{
{instance}}}

interface Warning {{
  row: number | null;
  column: string;
  detail: string;
}}

interface Answer {{
  model_name: string;
  model_version: number;
  predictions: Array<{prediction}>;
{probabilities}  warnings?: Array<Warning>;
}}

async function predict(instances: Instance[]): Promise<Answer> {{
  const response = await fetch({url}, {{
    method: "POST",
    headers: {{
      "Content-Type": "application/json",{key}
    }},
    body: JSON.stringify({{ instances }}),
  }});
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Answer;
}}

const example: Instance = {{
{example}}};

predict([example]).then((answer) => console.log(JSON.stringify(answer, null, 2)));
"""
_HEADER = """
      Authorization: `Bearer ${key}`,"""
# browsers have no `process`, and TypeScript declares it only with Node's types
_PROCESS = f"""\
type Environment = {{ process?: {{ env: Record<string, string | undefined> }} }};
const key = (globalThis as Environment).process?.env.{KEY};

"""


def typescript_snippet(described: Described) -> str:
    """Return an interface of instances with the known categories, and a `fetch` call."""
    snippet = _SNIPPET.format(
        instance=_instance(described),
        url=json_text(described.url),
        key=_HEADER * described.wants_key,
        example="".join(_cell(name, cell) for name, cell in described.example.items()),
        **_answers(described),
    )
    return _PROCESS * described.wants_key + snippet


def _instance(described: Described) -> str:
    lines = []
    for feature in described.signature.features:
        schema = property_schema(feature, described.signature)
        line = f"  {json_text(feature.name)}: {_type(schema)};"
        if "minimum" in schema:
            line += f" // {schema['minimum']} to {schema['maximum']}"
        lines.append(line + "\n")
    return "".join(lines)


def _answers(described: Described) -> dict[str, str]:
    schemas = answer_schemas(described.signature)
    found = {"prediction": _type(schemas["prediction"]), "probabilities": ""}
    if "probabilities" in schemas:
        names = _type({"enum": schemas["probabilities"]["required"], "type": "string"})
        found["probabilities"] = f"  probabilities: Array<Record<{names}, number>>;\n"
    return found


def _type(schema: dict[str, Any]) -> str:
    """Return the TypeScript type of a scalar schema."""
    values = schema.get("enum")
    if values is not None and len(values) <= _MOST_LITERALS:
        return " | ".join(json_text(value) for value in values)
    if "type" not in schema:  # too many labels to list
        return "string | number | boolean"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " | ".join(_TYPES[kind] for kind in kinds)


def _cell(name: str, cell: Cell) -> str:
    # the plain key `__proto__` would set the object's prototype
    key = '["__proto__"]' if name == "__proto__" else json_text(name)
    return f"  {key}: {json_text(cell)},\n"
