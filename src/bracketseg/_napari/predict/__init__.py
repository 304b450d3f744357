"""The dock Predict: masks by trained networks."""
