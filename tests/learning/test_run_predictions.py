"""What a run says of the scenes that were kept back, made once and kept."""

import cv2

from bracketseg.brackets.masks import mask_name
from bracketseg.learning.run_files import PREDICTIONS
from bracketseg.learning.run_predictions import predict_kept_back
from bracketseg.learning.runs import read_split
from bracketseg.learning.training import train


def test_scenes_kept_back_are_predicted_again_where_their_frame_is_another(setting, tiny):
    brackets, masks, folder = setting
    run = folder / "run"
    assert list(train(brackets, masks, tiny, run))
    kept_back = set(read_split(run).validation)

    def predicted():
        return {event.scene for event in predict_kept_back(run, brackets)}

    first = predicted()
    assert first <= kept_back
    assert all((run / PREDICTIONS / mask_name(scene, tiny.role)).is_file() for scene in kept_back)
    assert predicted() == set()
    changed = next(bracket for bracket in brackets if bracket.scene in kept_back)
    frame = changed.frame(tiny.role)
    assert cv2.imwrite(str(frame.path), frame.read()[::-1])
    assert predicted() == {changed.scene}
