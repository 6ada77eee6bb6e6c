"""TensorFlow Serving's REST API, over the one predictor."""
