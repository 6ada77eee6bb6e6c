// The text of a layer.

const DEFAULTS = {
  activation: "linear", use_bias: true, kernel_initializer: "glorot_uniform",
  bias_initializer: "zeros", momentum: 0.99, epsilon: 0.001, center: true, scale: true,
};
const UNNAMED = ["units", "activation", "rate", "stddev"];

/** Return a layer with its arguments that differ from the defaults: `Dense 64 relu`. */
export function layerText({ type, ...rest }) {
  const shown = Object.entries(rest)
    .filter(([name, value]) => value !== null && value !== DEFAULTS[name])
    .map(([name, value]) => (UNNAMED.includes(name) ? value : `${name}=${JSON.stringify(value)}`));
  return [type, ...shown].join(" ");
}
