import shutil

import pytest

from bracketseg.errors import TrainingError
from bracketseg.learning.config import TrainConfig
from bracketseg.learning.run_plan import plan_runs

CONFIG = TrainConfig(epochs=2, image_size=32)


def begun(path, **settings):
    """A run that has only begun."""
    path.mkdir(parents=True)
    config = CONFIG.model_copy(update=settings)
    (path / "config.json").write_text(config.model_dump_json())


def test_each_loss_for_each_role_seed_by_seed(tmp_path):
    plan = plan_runs(tmp_path, CONFIG, ["bce", "focal"], [1, 0])
    assert [planned.path.name for planned in plan] == [
        *("low-bce-seed1", "low-focal-seed1", "high-bce-seed1", "high-focal-seed1"),
        *("low-bce-seed0", "low-focal-seed0", "high-bce-seed0", "high-focal-seed0"),
    ]
    last = plan[-1].config
    assert (last.role, last.loss, last.seed, last.epochs) == ("high", "focal", 0, 2)


@pytest.mark.parametrize(("losses", "seeds"), [(["bce", "bce"], [0]), ([], [0]), (["bce"], [1, 1])])
def test_each_is_named_once(tmp_path, losses, seeds):
    with pytest.raises(TrainingError, match="name each to compare once"):
        plan_runs(tmp_path, CONFIG, losses, seeds)


def test_a_run_is_known_by_what_it_is(tmp_path):
    begun(tmp_path / "my run", role="high", loss="focal", seed=3)
    plan = plan_runs(tmp_path, CONFIG, ["focal"], [3], resume=True)
    assert [planned.path.name for planned in plan] == ["low-focal-seed3", "my run"]
    with pytest.raises(TrainingError, match=r"my run holds a run already; resume it"):
        plan_runs(tmp_path, CONFIG, ["focal"], [3])


def test_a_run_with_other_settings_is_refused_before_anything_is_trained(tmp_path):
    begun(tmp_path / "one", role="high", loss="bce", seed=0, batch_size=7)
    with pytest.raises(TrainingError, match=r"one was started with other.*batch_size \(was 7, is"):
        plan_runs(tmp_path, CONFIG, ["bce"], [0], resume=True)


def test_more_epochs_are_no_other_settings(tmp_path):
    begun(tmp_path / "one", role="high", loss="bce", seed=0, epochs=1)
    assert len(plan_runs(tmp_path, CONFIG, ["bce"], [0], resume=True)) == 2


def test_the_same_training_twice_is_refused(tmp_path):
    begun(tmp_path / "one", role="low", loss="bce", seed=0)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    with pytest.raises(TrainingError, match=r"hold the same training: role low, loss bce, seed 0"):
        plan_runs(tmp_path, CONFIG, ["bce"], [0], resume=True)
