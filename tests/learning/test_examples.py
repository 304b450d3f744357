import numpy as np
import pytest

from bracketseg.learning.events import Cached, EpochDone, ExamplesSeen
from bracketseg.learning.examples import SIDE, are_due, seen, thinned
from bracketseg.learning.training import train


@pytest.mark.parametrize("epochs", [1, 2, 19, 20])
def test_a_short_training_shows_every_epoch(epochs):
    assert all(are_due(epoch, epochs) for epoch in range(1, epochs + 1))


@pytest.mark.parametrize("epochs", [21, 50, 199, 1000])
def test_a_long_training_shows_about_twenty_epochs_evenly(epochs):
    due = [epoch for epoch in range(1, epochs + 1) if are_due(epoch, epochs)]
    assert len(due) in (20, 21)
    assert (due[0], due[-1]) == (1, epochs)
    gaps = np.diff(due[:-1])
    assert gaps.max() - gaps.min() <= 1


def test_large_pictures_are_thinned_and_small_ones_are_not():
    assert thinned(np.zeros((SIDE, SIDE, 3), np.uint8)).shape == (SIDE, SIDE, 3)
    large = np.arange(1040 * 1040).reshape(1040, 1040)
    small = thinned(large)
    assert max(small.shape) <= SIDE
    np.testing.assert_array_equal(small, large[::3, ::3])


def test_probabilities_become_eight_bits():
    levels = np.array([[[0.0, 0.5], [0.998, 1.0]]], np.float32)
    event = seen(
        3,
        ("a", "b"),
        np.zeros((1, 2, 2, 3), np.uint8),
        np.zeros((1, 2, 2), np.bool_),
        levels,
    )
    assert event.scenes == ("a",)
    assert event.probabilities.dtype == np.uint8
    assert event.probabilities.tolist() == [[[0, 128], [254, 255]]]


@pytest.fixture
def shown(setting, tiny):
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"validation": 0.7, "batch_size": 3, "learning_rate": 0.01})
    return list(train(brackets, masks, config, folder / "run"))


def test_a_training_shows_the_first_validation_scenes_after_each_epoch(shown):
    cached = next(event for event in shown if isinstance(event, Cached))
    assert len(cached.validation) == 5
    examples = [event for event in shown if isinstance(event, ExamplesSeen)]
    assert [event.epoch for event in examples] == [1, 2]
    for event in examples:
        before = shown[shown.index(event) - 1]
        assert isinstance(before, EpochDone)
        assert before.epoch == event.epoch
        assert event.scenes == cached.validation[:4]
        assert (event.images.shape, event.images.dtype) == ((4, 32, 32, 3), np.uint8)
        assert (event.masks.shape, event.masks.dtype) == ((4, 32, 32), np.bool_)
        assert (event.probabilities.shape, event.probabilities.dtype) == ((4, 32, 32), np.uint8)
    first, last = examples
    np.testing.assert_array_equal(first.images, last.images)
    np.testing.assert_array_equal(first.masks, last.masks)
    assert (first.probabilities != last.probabilities).any()


def test_what_is_shown_is_what_was_measured(setting, tiny):
    """The Dice of the epoch follows from the probabilities that are shown."""
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"epochs": 8, "learning_rate": 0.01})
    events = list(train(brackets, masks, config, folder / "run"))
    last = [event for event in events if isinstance(event, ExamplesSeen)][-1]
    done = [event for event in events if isinstance(event, EpochDone)][-1]
    dices = []
    for mask, probability in zip(last.masks, last.probabilities, strict=True):
        guess = probability >= 128
        dices.append(2 * (guess & mask).sum() / (guess.sum() + mask.sum()))
    assert 0.0 < done.validation_dice < 1.0
    assert np.mean(dices) == pytest.approx(done.validation_dice, abs=0.01)


def test_a_run_is_the_same_whatever_is_shown_and_done_with_it(
    setting, tiny, monkeypatch, assert_same_run
):
    brackets, masks, folder = setting
    for event in train(brackets, masks, tiny, folder / "spoiled"):
        if isinstance(event, ExamplesSeen):
            for shown in (event.images, event.masks, event.probabilities):
                shown.fill(1)
    monkeypatch.setattr("bracketseg.learning.loop.are_due", lambda *_: False)
    events = list(train(brackets, masks, tiny, folder / "blind"))
    assert not any(isinstance(event, ExamplesSeen) for event in events)
    assert_same_run(folder / "spoiled", folder / "blind")
