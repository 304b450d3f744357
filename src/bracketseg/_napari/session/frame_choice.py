"""Which of the open Image layers are the dark and the bright frame."""

from collections.abc import Callable
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image
from psygnal import Signal

from bracketseg._napari.layers.frames import frame_layers, guess_roles, index_of
from bracketseg._napari.layers.provenance import find_layer, provenance_of
from bracketseg._napari.session.session import Session
from bracketseg.brackets.bracket import MASK_ROLES, Bracket, MaskRole


class FrameChoice:
    """Follows the session's scenes and, beside them, whatever images are opened.

    As long as nobody has chosen by hand, the choice is guessed anew when layers come
    and go. A scene of the session always is the choice.

    Attributes
    ----------
    images : dict of role to Image
        Empty where no image is open.
    later : callable
        Calls what it is given once the layer list has come to rest. Several layers may
        be on their way in or out, and adding others meanwhile would confuse napari.

    Signals
    -------
    listed()
        The images that can be chosen, or their names, are others.
    leaving()
        The chosen images are about to show another scene.
    changed()
        Other images are chosen, or they show something else.
    role_shown(role)
        The frame of the other role is shown, whichever dock turned to it.
    """

    listed = Signal()
    leaving = Signal()
    changed = Signal()
    role_shown = Signal(str)

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._viewer = viewer
        self._session = session
        self.later: Callable[[Callable[[], None]], object] = _now
        self._following = False
        self._looking = False
        self.images: dict[MaskRole, Image] = {}
        self._by_hand = False
        self._between_scenes = False
        self._index: tuple[tuple[int, ...], ...] = ()
        self._watched: list[Image] = []

    def start(self) -> None:
        """Begin to follow, with the scene or the images that are open now."""
        self._following = True
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed):
            event.connect(self._layers_changed)
        events.renamed.connect(self._renamed)
        self._viewer.dims.events.point.connect(self._slider_moved)
        self._session.scene_leaving.connect(self._scene_leaving)
        self._session.scene_changed.connect(self._scene_changed)
        self._session.folder_changed.connect(self._folder_changed)
        self._session.role_shown.connect(self.role_shown.emit)
        if self._session.current is None or not self._take_scene(self._session.current):
            self._guess()

    def close(self) -> None:
        """Let go of the viewer."""
        self._following = False
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed):
            event.disconnect(self._layers_changed)
        events.renamed.disconnect(self._renamed)
        self._viewer.dims.events.point.disconnect(self._slider_moved)
        self._session.scene_leaving.disconnect(self._scene_leaving)
        self._session.scene_changed.disconnect(self._scene_changed)
        self._session.folder_changed.disconnect(self._folder_changed)
        self._session.role_shown.disconnect(self.role_shown.emit)
        self._watch({})

    @property
    def role(self) -> MaskRole:
        """Whose frame is shown."""
        return self._session.role

    @property
    def between_scenes(self) -> bool:
        """Whether the session has left a scene and shows no other one yet."""
        return self._between_scenes

    @property
    def awaits_scene(self) -> bool:
        """Whether the session is about to show another scene."""
        return self._session.scanning or self._session.loading is not None

    def candidates(self) -> list[Image]:
        """List the images that can be chosen, bottom to top."""
        return frame_layers(self._viewer.layers)

    def choose(self, role: MaskRole, image: Image | None) -> None:
        """Take an image, or none, for a role."""
        if self.images.get(role) is image:
            return
        self._by_hand = True
        if image is not None:
            # Who picks a frame wants to see it.
            self._session.role = role
        others = {other: chosen for other, chosen in self.images.items() if other != role}
        self._take({**others, role: image} if image is not None else others)

    def show_only(self, role: MaskRole) -> None:
        """Show the frame of a role, and hide the other frames of its scene."""
        image = self.images.get(role)
        if image is None:
            return
        scene = provenance_of(image.metadata)
        for other in self.candidates():
            ours = provenance_of(other.metadata)
            same_scene = scene is not None and ours is not None and ours["scene"] == scene["scene"]
            hidden = other is not image and (other in self.images.values() or same_scene)
            if hidden and other.visible:
                other.visible = False
        if not image.visible:
            image.visible = True
        self._session.show_role(role)

    def slices(self) -> list[tuple[int, ...]]:
        """Give the slices of a stack in their order; one empty position for a picture."""
        image = next(iter(self.images.values()), None)
        if image is None:
            return []
        data = image.data[0] if image.multiscale else image.data
        positions: list[tuple[int, ...]] = [()]
        for length in data.shape[: image.ndim - 2]:
            positions = [(*position, i) for position in positions for i in range(length)]
        return positions

    def go_to(self, index: tuple[int, ...]) -> None:
        """Move the viewer's sliders to a slice of the stack."""
        image = next(iter(self.images.values()))
        point = image.data_to_world((*index, 0, 0))
        first = self._viewer.dims.ndim - image.ndim
        axes = range(first, first + len(index))
        self._viewer.dims.set_point(tuple(axes), tuple(float(p) for p in point[: len(index)]))

    def _take(self, images: dict[MaskRole, Image]) -> None:
        self.images = {role: images[role] for role in MASK_ROLES if role in images}
        self._watch(self.images)
        self._index = self._indices()
        self.changed.emit()

    def _watch(self, images: dict[MaskRole, Image]) -> None:
        for image in self._watched:
            image.events.data.disconnect(self._data_changed)
        self._watched = list(dict.fromkeys(images.values()))
        for image in self._watched:
            image.events.data.connect(self._data_changed)

    def _guess(self) -> None:
        self._by_hand = False
        guessed = guess_roles(self.candidates())
        if guessed != self.images or not guessed:
            self._take(guessed)

    def _indices(self) -> tuple[tuple[int, ...], ...]:
        return tuple(index_of(image, self._viewer) for image in self.images.values())

    def _layers_changed(self, event: Any) -> None:
        ours = provenance_of(event.value.metadata)
        spare = ours is not None and ours["kind"] == "spare"
        looks = isinstance(event.value, Image) and not spare
        if looks and not self._between_scenes and not self._looking:
            self._looking = True
            self.later(self._look_again)

    def _look_again(self) -> None:
        self._looking = False
        if self._between_scenes or not self._following:
            return
        self.listed.emit()
        open_now = self.candidates()
        kept = {role: image for role, image in self.images.items() if image in open_now}
        lost = len(kept) < len(self.images)
        if lost or not (self._by_hand or self._is_scene()):
            if lost:
                self.leaving.emit()
            self._guess()

    def _renamed(self, _event: Any) -> None:
        if not self._between_scenes:
            self.listed.emit()

    def _slider_moved(self, _event: Any) -> None:
        if any(self._index) and not self._between_scenes and self._indices() != self._index:
            self.leaving.emit()
            self._index = self._indices()
            self.changed.emit()

    def _data_changed(self, _event: Any) -> None:
        if not self._between_scenes:
            self.leaving.emit()
            self.changed.emit()

    def _scene_leaving(self, _bracket: Bracket) -> None:
        self.leaving.emit()
        self._between_scenes = True

    def _folder_changed(self, _folder: object) -> None:
        self._between_scenes = False
        # The frames of the scene before were closed meanwhile.
        if not self._looking:
            self._looking = True
            self.later(self._look_again)

    def _scene_changed(self, bracket: Bracket) -> None:
        self._between_scenes = False
        self.listed.emit()
        self._take_scene(bracket)

    def _take_scene(self, bracket: Bracket) -> bool:
        found = {
            role: find_layer(self._viewer.layers, "frame", bracket.scene, role)
            for role in MASK_ROLES
        }
        images = {role: image for role, image in found.items() if isinstance(image, Image)}
        if images:
            self._by_hand = False
            self._take(images)
        return bool(images)

    def _is_scene(self) -> bool:
        """Whether the choice is the session's scene."""
        scenes = {
            ours["scene"] if (ours := provenance_of(image.metadata)) else None
            for image in self.images.values()
        }
        current = self._session.current
        return current is not None and scenes == {current.scene}


def _now(call: Callable[[], None]) -> None:
    call()
