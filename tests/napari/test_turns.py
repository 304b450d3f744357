from bracketseg._napari.widgets import jobs
from bracketseg._napari.widgets.turns import turns_of


def test_one_thing_is_done_in_each_turn(viewer, qtbot):
    done, rounds = [], []
    queue = turns_of(viewer)
    assert turns_of(viewer) is queue
    for number in range(3):
        queue.add(lambda number=number: done.append(number))
    jobs.next_turn(lambda: rounds.append(list(done)))
    assert done == []
    qtbot.waitUntil(lambda: done == [0, 1, 2])
    assert rounds == [[0]]


def test_what_fails_does_not_keep_the_rest_from_being_done(viewer, monkeypatch):
    waiting, done = [], []
    monkeypatch.setattr("bracketseg._napari.widgets.turns.next_turn", waiting.append)
    queue = turns_of(viewer)
    queue.add(lambda: 1 / 0)
    queue.add(lambda: done.append("second"))
    try:
        waiting.pop()()
    except ZeroDivisionError:
        done.append("failed")
    waiting.pop()()
    assert done == ["failed", "second"]
    assert waiting == []


def test_without_an_event_loop_it_is_done_at_once(viewer, monkeypatch):
    monkeypatch.setattr(jobs, "_way_to_main_thread", lambda: None)
    done = []
    turns_of(viewer).add(lambda: done.append(1))
    assert done == [1]
