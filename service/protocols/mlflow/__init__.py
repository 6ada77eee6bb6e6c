"""MLflow's scoring server, over the one predictor."""
