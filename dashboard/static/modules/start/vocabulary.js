// What a spec may say; tests compare it with fitserve/specs.

export const LAYERS = ["Dense", "Activation", "Dropout", "BatchNormalization", "LayerNormalization", "GaussianNoise", "Output"];

export const ACTIVATIONS = [
  "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "mish",
  "sigmoid", "hard_sigmoid", "tanh", "softmax", "softplus", "softsign", "exponential",
];

export const OPTIMIZERS = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Nadam"];

export const LOSSES = {
  regression: ["mae", "mse", "huber", "mape", "log_cosh"],
  binary: ["binary_crossentropy"],
  multiclass: ["sparse_categorical_crossentropy", "categorical_crossentropy"],
};

export const PRESETS = ["linear", "small", "default", "thorough"];
