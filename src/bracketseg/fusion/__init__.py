"""From a bracket and its masks to one picture to look at, and to a radiance map."""
