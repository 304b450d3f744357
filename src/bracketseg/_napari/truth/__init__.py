"""The dock Ground truth: masks by range, by Otsu and by hand, and what keeps them."""
