// Reads the allowed values of a spec from the service's OpenAPI document.

import { get } from "../api.js";

let asked = null;

/** Return layers with their schemas, optimizers, losses by task, and presets. Fetch once. */
export function vocabulary() {
  asked ??= get("openapi.json").then(read);
  asked.catch(() => (asked = null)); // the next call retries
  return asked;
}

function read({ paths, components: { schemas } }) {
  const body = paths["/v1/runs"].post.requestBody.content["application/json"].schema;
  const kinds = ({ oneOf }) => oneOf.map(({ $ref }) => schemas[$ref.split("/").at(-1)])
    .map((schema) => [schema.properties.type.const, schema]);
  const { optimizer, loss } = schemas.CompileSpec.properties;
  return {
    layers: new Map(kinds(schemas.ModelSpec.properties.layers.items)),
    optimizers: kinds(optimizer.oneOf.find((one) => one.discriminator)).map(([name]) => name),
    losses: loss["x-by-task"],
    presets: body.properties.preset.anyOf.find((one) => one.enum).enum,
  };
}

/** Return the fields of a layer in the form: required fields and fields with examples. */
export function shownFields({ properties, required = [] }) {
  const isShown = ([name, schema]) =>
    name !== "type" && (required.includes(name) || schema.examples);
  return Object.entries(properties).filter(isShown);
}

/** Build a new layer of a type from the examples of its fields. */
export function newLayer(layers, type) {
  const first = ([name, { examples, enum: names, minimum }]) =>
    [name, examples?.[0] ?? names?.[0] ?? minimum ?? ""];
  return { type, ...Object.fromEntries(shownFields(layers.get(type)).map(first)) };
}
