import threading

import pytest

from bracketseg.errors import FrameError
from bracketseg.labeling.scene_pool import in_order


def test_results_come_in_the_order_of_the_brackets_whichever_is_done_first(brackets):
    last_done = threading.Event()

    def work(bracket):
        if bracket.scene == "s1":
            assert last_done.wait(timeout=30)
        if bracket.scene == "s3":
            last_done.set()
        return bracket.scene.upper()

    found = [(bracket.scene, result) for bracket, result in in_order(brackets, work, workers=3)]
    assert found == [("s1", "S1"), ("s2", "S2"), ("s3", "S3")]


def test_errors_of_ours_are_results_and_others_are_raised(brackets):
    def work(bracket):
        raise FrameError("broken") if bracket.scene == "s1" else KeyError(bracket.scene)

    results = in_order(brackets, work, workers=1)
    assert isinstance(next(results)[1], FrameError)
    with pytest.raises(KeyError, match="s2"):
        next(results)


def test_closing_ends_the_work(brackets):
    started = []
    results = in_order(brackets * 100, lambda bracket: started.append(bracket.scene), workers=1)
    next(results)
    results.close()
    assert len(started) < 10
