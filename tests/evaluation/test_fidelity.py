import math

import numpy as np
import pytest

from bracketseg.errors import FrameError
from bracketseg.evaluation.fidelity import log_radiance_error, mu_law, psnr_mu


def test_the_mu_law_by_hand():
    compressed = mu_law(np.array([-1.0, 0.0, 2 / 5000, 2.0, 9.0]), white=2.0)
    np.testing.assert_allclose(compressed, [0, 0, math.log(2) / math.log(5001), 1, 1])


def test_psnr_by_hand():
    truth, merged = np.array([0.0, 0.0]), np.array([0.0, 4.0])
    # Half of the pixels are off by 1 after compression.
    assert psnr_mu(truth, merged, white=4.0) == pytest.approx(10 * math.log10(2))


def test_equal_pictures_and_what_is_above_white_count_as_equal():
    truth = np.array([0.1, 7.0])
    assert psnr_mu(truth, np.array([0.1, 4.0]), white=4.0) == math.inf
    assert log_radiance_error(truth, np.array([0.1, 4.0]), white=4.0) == 0


def test_the_error_in_stops_by_hand():
    truth = np.array([1.0, 1.0, 0.0])
    merged = np.array([0.5, 2.0, 1e-9])
    assert log_radiance_error(truth, merged, white=4.0) == pytest.approx(math.sqrt(2 / 3))


@pytest.mark.parametrize("measure", [psnr_mu, log_radiance_error])
def test_radiances_of_two_shapes_are_refused(measure):
    with pytest.raises(FrameError, match=r"\(2,\) and \(3,\)"):
        measure(np.ones(2), np.ones(3), 1.0)
