"""How long it takes until the fused picture follows a stroke of the brush."""

import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from bracketseg._napari.layers.provenance import METADATA_KEY

if TYPE_CHECKING:
    from event_loop import Gap
    from window import Bench

SIZES = {"2 MP": (1060, 1900), "12 MP": (3000, 4000), "24 MP": (4000, 6000)}
STROKES = 15
MOVED = {"low": (9, -14), "medium": (0, 0), "high": (-6, 11)}
"""Pixels by which the frames of a bracket that was held in the hand lie apart."""


def paint_fused(bench: "Bench") -> None:
    """Paint on the masks of open frames, with and without all that makes fusing dearer."""
    # Ground truth of theirs would go before the masks that are painted here.
    for other in bench.docks.values():
        bench.viewer.window.remove_dock_widget(other)
    bench.viewer.layers.clear()
    dock = bench.viewer.window.add_plugin_dock_widget("bracketseg", "Fusion")[0]
    titles = f"{'median s':>9}{'worst s':>9}{'cpu s':>9}{'longest gap':>13}{'its cpu':>9}"
    print(f"\n{'a stroke, until the fused picture is drawn':48}{titles}")
    for size, shape in SIZES.items():
        for moved in (False, True):
            for soft in (False, True):
                words = ["moved frames"] * moved + ["probabilities"] * soft
                title = ", ".join([size, *words])
                _add_layers(bench.viewer, shape, moved=moved, soft=soft)
                bench.control("fusion.align").setCurrentIndex(int(moved))
                bench.until(bench.control("fusion.fuse").isEnabled)
                taken, cpu, gap = _paint(bench)
                median, worked = statistics.median(taken), statistics.median(cpu)
                times = f"{median:9.3f}{max(taken):9.3f}{worked:9.3f}"
                times += f"{gap.seconds:13.3f}{gap.cpu:9.3f}"
                print(f"{title:48}{times}", flush=True)
                bench.viewer.layers.clear()
                bench.spin(0.5)
    bench.viewer.window.remove_dock_widget(dock)


def _paint(bench: "Bench") -> "tuple[list[float], list[float], Gap]":
    layers = bench.viewer.layers
    bench.control("fusion.fuse").setChecked(True)
    bench.until(lambda: "fused," in bench.control("fusion.status").text())
    fused = next(layer for layer in layers if layer.name.endswith("fused"))
    mask = layers["garden low prediction"]
    layers.selection.active = mask
    mask.brush_size = max(mask.data.shape) // 60
    bench.spin(1)
    shown: list[int] = []
    fused.events.set_data.connect(lambda _event: shown.append(1))
    taken, cpu, gaps = [], [], []
    for turn in range(STROKES):
        shown.clear()
        at = [length * (turn + 1) // (STROKES + 1) for length in mask.data.shape]
        bench.probe.start()
        start, worked = time.perf_counter(), time.process_time()
        # As the mouse does it: what is painted can be undone as a whole at its end.
        with mask.block_history():
            mask.paint(at, 1 - turn % 2)
            bench.until(lambda: bool(shown))
        taken.append(time.perf_counter() - start)
        cpu.append(time.process_time() - worked)
        gaps.append(bench.probe.stop()[0])
        bench.spin(0.3)
    bench.control("fusion.fuse").setChecked(False)
    return taken, cpu, max(gaps, key=lambda gap: gap.seconds)


def _add_layers(viewer: Any, shape: tuple[int, int], *, moved: bool, soft: bool) -> None:
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (shape[0] // 20, shape[1] // 20), np.uint8)
    garden = np.kron(coarse, np.ones((20, 20), np.uint8))
    for (role, move), gain in zip(MOVED.items(), (0.4, 1.0, 2.0), strict=True):
        grey = np.clip(garden * gain, 0, 255).astype(np.uint8)
        pixels = np.repeat(np.roll(grey, move if moved else 0, (0, 1))[..., None], 3, axis=2)
        _add(viewer.add_image, pixels, "frame", role, visible=role == "medium")
    for role in ("low", "high"):
        probability = garden.astype(np.float32) / 255
        probability = 1 - probability if role == "high" else probability
        if soft:
            _add(viewer.add_image, probability, "probability", role, visible=False)
        _add(viewer.add_labels, (probability >= 0.5).astype(np.uint8), "prediction", role)


def _add(add: Any, data: Any, kind: str, role: str, **options: Any) -> None:
    metadata = {METADATA_KEY: {"kind": kind, "scene": "garden", "role": role}}
    add(data, name=f"garden {role} {kind}", metadata=metadata, **options)
