"""What the Fusion dock says of a picture."""

from bracketseg._napari.fusion.material import Material
from bracketseg.fusion.laid_frames import LaidFrames


def fused_text(
    material: Material, whole: LaidFrames, shape: tuple[int, ...], *, deghost: bool
) -> str:
    """Say what is shown, and what came of aligning and of looking for what moved.

    Parameters
    ----------
    material : Material
    whole : LaidFrames
        Its frames laid on each other.
    shape : (h, w) or (h, w, 3)
        Of the picture.
    deghost : bool
        Whether what moved was looked for.
    """
    height, width = shape[:2]
    size = f"{width} x {height}"
    save = save_title(stack=bool(material.index))
    where = "below the masks, which it follows"
    words = [f"{material.scene} fused, {size}, {where}. {save} makes it in full size."]
    apart = [
        layer.name
        for layer, placement in zip(material.layers, whole.placements, strict=True)
        if not placement.reliable
    ]
    if apart:
        words.append(f"⚠ {' and '.join(apart)} not aligned: too little in common.")
    unseen = [material.layers[k].name for k in whole.not_compared]
    if unseen:
        words.append(f"⚠ What moved in {' and '.join(unseen)} cannot be seen: unknown exposure.")
    if deghost and whole.ghost_share:
        words.append(f"One frame alone on {whole.ghost_share:.1%} of the picture.")
    elif deghost:
        words.append("Nothing that moved was found.")
    return " ".join(words)


def save_title(*, stack: bool) -> str:
    """Say what the button saves: the picture, or the slice of a stack that is shown."""
    return "Save this slice…" if stack else "Save…"
