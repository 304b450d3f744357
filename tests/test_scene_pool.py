import threading
from functools import partial

import pytest

from bracketseg.errors import FrameError
from bracketseg.scene_pool import OneByOne, Threads


@pytest.fixture
def scenes():
    return ["s1", "s2", "s3"]


def test_results_come_in_the_order_of_the_scenes_whichever_is_done_first(scenes):
    last_done = threading.Event()

    def work(scene):
        if scene == "s1":
            assert last_done.wait(timeout=30)
        if scene == "s3":
            last_done.set()
        return scene.upper()

    found = list(Threads(3).in_order(scenes, work))
    assert found == [("s1", "S1"), ("s2", "S2"), ("s3", "S3")]


@pytest.mark.parametrize("pool", [OneByOne(), Threads(1)])
def test_errors_of_ours_are_results_and_others_are_raised(scenes, pool):
    def work(scene):
        raise FrameError("broken") if scene == "s1" else KeyError(scene)

    results = pool.in_order(scenes, work)
    assert isinstance(next(results)[1], FrameError)
    with pytest.raises(KeyError, match="s2"):
        next(results)


@pytest.mark.parametrize(("pool", "most"), [(OneByOne(), 1), (Threads(1), 9)])
def test_closing_ends_the_work(scenes, pool, most):
    started = []
    results = pool.in_order(scenes * 100, started.append)
    next(results)
    results.close()
    assert len(started) <= most


def test_few_are_ahead_of_what_is_given(scenes):
    begun, most = [], []
    results = Threads(2).in_order(range(100), partial(_begin, begun))
    for number, _ in results:
        most.append(len(begun) - number)
    assert len(begun) == 100
    assert max(most) <= 4


def _begin(begun, number):
    begun.append(number)
