"""Everything that imports napari, Qt or magicgui."""
