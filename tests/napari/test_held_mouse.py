"""What waits until a stroke comes to its end."""

from types import SimpleNamespace

import pytest

from bracketseg._napari.session.held_mouse import HeldMouse


class Hand:
    """Presses, moves and lets go over a picture; what is put off waits for :meth:`turn`."""

    def __init__(self, viewer, monkeypatch):
        self.turns = []
        monkeypatch.setattr("bracketseg._napari.widgets.turns.next_turn", self.turns.append)
        self.mouse = HeldMouse(viewer)
        self.pressed = viewer.mouse_drag_callbacks[-1]
        self.event = SimpleNamespace(type="mouse_press", is_dragging=True)
        self.called = []

    def press(self):
        self.event.type, self.event.is_dragging = "mouse_press", True
        self.stroke = self.pressed(None, self.event)
        next(self.stroke)

    def move(self, *, dragging=True):
        self.event.type, self.event.is_dragging = "mouse_move", dragging
        next(self.stroke, None)

    def release(self):
        self.event.type, self.event.is_dragging = "mouse_release", False
        next(self.stroke, None)

    def turn(self):
        self.turns.pop(0)()

    def wait(self, name="scene"):
        self.mouse.let_go_first(lambda: self.called.append(name))


@pytest.fixture
def hand(viewer, monkeypatch):
    return Hand(viewer, monkeypatch)


def test_nothing_waits_where_no_button_is_held(hand):
    hand.wait()
    assert hand.called == ["scene"]


def test_what_comes_meanwhile_waits_for_the_turn_after_the_release(hand):
    hand.press()
    hand.move()
    hand.wait()
    assert hand.mouse.held
    hand.release()
    assert not hand.mouse.held
    assert hand.called == []
    hand.turn()
    assert hand.called == ["scene"]


def test_who_presses_again_at_once_holds_it_up_once_more(hand):
    hand.press()
    hand.wait()
    hand.release()
    hand.press()
    hand.turn()
    assert hand.called == []
    hand.release()
    hand.turn()
    assert hand.called == ["scene"]


def test_a_release_that_nobody_heard_of_shows_at_the_next_move(hand):
    hand.press()
    hand.wait()
    hand.move(dragging=False)
    hand.turn()
    assert hand.called == ["scene"]


def test_only_the_scene_that_was_asked_for_last_comes(hand):
    hand.press()
    hand.wait("first")
    hand.wait("second")
    hand.release()
    hand.turn()
    assert hand.called == ["second"]
