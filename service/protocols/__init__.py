"""Wire shapes that existing clients speak, each over the one predictor."""
