"""Which of the open layers are compared."""

from collections.abc import Callable, Sequence
from typing import Any

from napari.layers import Image, Labels
from psygnal import Signal

from bracketseg._napari.layers.provenance import provenance_of
from bracketseg._napari.metrics.layers import (
    LayerPair,
    guess_pair,
    mask_layers,
    pair_of,
    partner_of,
    probability_layers,
)
from bracketseg._napari.session.session import Session
from bracketseg.brackets.bracket import MASK_ROLES, Bracket, MaskRole


class PairChoice:
    """Follows the layers that come and go, and the scene of the session.

    What is compared is guessed until somebody has chosen by hand; that holds until the
    scene changes or one of the chosen layers is closed.

    Attributes
    ----------
    reference, prediction : Labels or None
    later : callable
        Calls what it is given once the layer list has come to rest.

    Signals
    -------
    listed()
        The masks that can be chosen, or their names, are others.
    changed()
        Other layers are compared.
    """

    listed = Signal()
    changed = Signal()

    def __init__(self, session: Session) -> None:
        self._session = session
        self._layers = session.viewer.layers
        self.later: Callable[[Callable[[], None]], object] = _now
        self.reference: Labels | None = None
        self.prediction: Labels | None = None
        self._by_hand = False
        self._selected: Labels | None = None
        # Whose masks somebody turned to last.
        self._turned_to: MaskRole | None = None
        self._looking = False
        self._closed = False
        self._said: list[object] = []

    def start(self) -> None:
        """Begin to follow, with what is open now."""
        events = self._layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.connect(self._layers_changed)
        self._layers.selection.events.active.connect(self._active_changed)
        self._session.scene_changed.connect(self._scene_changed)
        self._session.role_shown.connect(self._role_shown)
        self._look_again()

    def close(self) -> None:
        """Let go of the viewer."""
        self._closed = True
        self._said, self._selected = [], None
        events = self._layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.disconnect(self._layers_changed)
        self._layers.selection.events.active.disconnect(self._active_changed)
        self._session.scene_changed.disconnect(self._scene_changed)
        self._session.role_shown.disconnect(self._role_shown)

    def candidates(self) -> list[Labels]:
        """List the layers that can be chosen, the topmost first."""
        return mask_layers(self._layers)

    @property
    def pair(self) -> LayerPair | None:
        """The two layers that were chosen or guessed."""
        return pair_of(self.reference, self.prediction)

    def pairs(self) -> list[LayerPair]:
        """Give the pair, and the same of the other role where it is open; low before high."""
        pair = self.pair
        if pair is None:
            return []
        partner = partner_of(pair, self.candidates())
        found = [pair] if partner is None else [pair, partner]
        return sorted(found, key=lambda one: MASK_ROLES.index(one.role) if one.role else 0)

    def choose(self, reference: Labels | None, prediction: Labels | None) -> None:
        """Compare these two."""
        self._by_hand = True
        self._take(reference, prediction)

    def _take(self, reference: Labels | None, prediction: Labels | None) -> None:
        self.reference, self.prediction = reference, prediction
        self.changed.emit()

    def _layers_changed(self, event: Any) -> None:
        # A renamed layer may have been filled with another scene.
        layer = getattr(event, "value", None)
        if not self._looking and (layer is None or isinstance(layer, (Image, Labels))):
            self._looking = True
            self.later(self._look_again)

    def _scene_changed(self, _bracket: Bracket) -> None:
        self._by_hand = False
        self._layers_changed(None)

    def _active_changed(self, event: Any) -> None:
        masks = self.candidates()
        if event.value not in masks or event.value is self._selected:
            # A layer of ours was added, and what was selected before is so again.
            return
        self._selected = event.value
        pair = self.pair
        partner = None if pair is None else partner_of(pair, masks)
        if partner is not None and event.value in (partner.reference, partner.prediction):
            self._turn_to(partner)

    def _keep_role(self, masks: Sequence[Labels]) -> None:
        # What is guessed is of the role of the layer that is selected, which may be another.
        pair = self.pair
        if pair is None or self._turned_to is None or pair.role == self._turned_to:
            return
        partner = partner_of(pair, masks)
        if partner is not None:
            self.reference, self.prediction = partner.reference, partner.prediction

    def _role_shown(self, role: MaskRole) -> None:
        pair = self.pair
        self._turned_to = role
        partner = None if pair is None else partner_of(pair, self.candidates())
        if partner is not None and partner.role == role:
            self._turn_to(partner)

    def _turn_to(self, pair: LayerPair) -> None:
        self._turned_to = pair.role
        self._take(pair.reference, pair.prediction)
        self.listed.emit()

    def _look_again(self) -> None:
        self._looking = False
        if self._closed:
            return
        masks = self.candidates()
        chosen = (self.reference, self.prediction)
        if not self._by_hand or any(mask is not None and mask not in masks for mask in chosen):
            self._by_hand = False
            current = self._session.current
            scene = None if current is None else current.scene
            active = self._layers.selection.active
            self.reference, self.prediction = guess_pair(masks, scene, active)
            self._keep_role(masks)
        self.listed.emit()
        # Also where they are the same layers: they may show another scene by now.
        says: list[object] = [(m, m.name, provenance_of(m.metadata)) for m in masks]
        says += [self.reference, self.prediction, *probability_layers(self._layers)]
        if says != self._said:
            self._said = says
            self.changed.emit()


def _now(call: Callable[[], None]) -> None:
    call()
