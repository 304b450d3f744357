"""Everything that imports napari, Qt or magicgui.

A folder for each dock; below them `session`, `layers` and `widgets`, which they share.
"""
