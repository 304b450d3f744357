import numpy as np
import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("bracketseg", deadline=None)
settings.load_profile("bracketseg")


@pytest.fixture
def rng():
    """A seeded random generator."""
    return np.random.default_rng(20211)
