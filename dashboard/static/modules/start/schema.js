// What a spec may say, read from the service's own OpenAPI document.

import { get } from "../api.js";

let asked = null;

/** Layers with their schemas, optimizers, losses by task, and presets; fetched once. */
export function vocabulary() {
  asked ??= get("openapi.json").then(read);
  asked.catch(() => (asked = null)); // who asks next fetches it anew
  return asked;
}

function read({ paths, components: { schemas } }) {
  const body = paths["/v1/runs"].post.requestBody.content["application/json"].schema;
  const kinds = ({ oneOf }) => oneOf.map(({ $ref }) => schemas[$ref.split("/").at(-1)]).map((schema) => [schema.properties.type.const, schema]);
  const { optimizer, loss } = schemas.CompileSpec.properties;
  return {
    layers: new Map(kinds(schemas.ModelSpec.properties.layers.items)),
    optimizers: kinds(optimizer.oneOf.find((one) => one.discriminator)).map(([name]) => name),
    losses: loss["x-by-task"],
    presets: body.properties.preset.anyOf.find((one) => one.enum).enum,
  };
}

/** The fields that the form shows of a layer: what is required, and what has an example. */
export function shownFields({ properties, required = [] }) {
  return Object.entries(properties).filter(([name, field]) => name !== "type" && (required.includes(name) || field.examples));
}

/** A new layer of a type, by the examples of its fields. */
export function newLayer(layers, type) {
  const first = ({ examples, enum: names, minimum }) => examples?.[0] ?? names?.[0] ?? minimum ?? "";
  return { type, ...Object.fromEntries(shownFields(layers.get(type)).map(([name, field]) => [name, first(field)])) };
}
