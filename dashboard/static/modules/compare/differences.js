// Where specs differ.

/** `[{place, values}]`: dotted places whose values are not the same in all specs. */
export function differences(specs) {
  const flats = specs.map((spec) => flat(spec));
  const places = [...new Set(flats.flatMap((one) => [...one.keys()]))];
  return places
    .map((place) => ({ place, values: flats.map((one) => one.get(place) ?? "–") }))
    .filter(({ values }) => new Set(values).size > 1);
}

function flat(value, place = "", found = new Map()) {
  if (place === "model.layers") value.forEach((layer, i) => found.set(`layers[${i}]`, layerText(layer)));
  else if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value)) flat(inner, place ? `${place}.${name}` : name, found);
  } else if (value !== undefined && value !== null) found.set(place, Array.isArray(value) ? value.join(", ") : String(value));
  return found;
}

const QUIET = { activation: "linear", use_bias: true, kernel_initializer: "glorot_uniform", bias_initializer: "zeros", momentum: 0.99, epsilon: 0.001, center: true, scale: true };

/** `Dense 64 relu`: a layer with what is not as by default. */
function layerText({ type, ...rest }) {
  const told = Object.entries(rest).filter(([name, value]) => value !== null && value !== QUIET[name]);
  const plain = ["units", "activation", "rate", "stddev"];
  return [type, ...told.map(([name, value]) => (plain.includes(name) ? String(value) : `${name}=${JSON.stringify(value)}`))].join(" ");
}
