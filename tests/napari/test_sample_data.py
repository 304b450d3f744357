import pytest


@pytest.mark.parametrize(("key", "width"), [("large_bracket", 1024), ("small_bracket", 448)])
def test_samples_open_as_brackets(viewer, key, width):
    layers = viewer.open_sample("bracketseg", key)
    assert [layer.name.rsplit(" ", 1)[1] for layer in layers] == ["low", "medium", "high"]
    assert {layer.data.shape[1] for layer in layers} == {width}
    assert [layer.visible for layer in layers] == [False, True, False]
