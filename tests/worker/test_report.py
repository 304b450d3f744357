import json

import pytest

from bracketseg.errors import ReportError
from bracketseg.learning.events import ScenePredicted
from bracketseg.report.events import ReportStep, ReportWritten
from bracketseg.worker.requests import Ready, Report, Train


@pytest.fixture(scope="module")
def runs(worker, folder, tiny):
    """Two finished trainings, none of whose validation scenes was predicted at full size."""
    place = folder / "experiment"
    for loss in ("bce", "focal"):
        config = tiny.model_copy(update={"loss": loss})
        request = Train(
            path=folder / "scenes", masks=folder / "masks", config=config, out=place / loss
        )
        list(worker.ask(request))
    return place


def test_what_was_kept_back_is_predicted_once_and_then_reported(worker, folder, runs, tmp_path):
    request = Report(path=folder / "scenes", runs=runs, out=tmp_path / "out")
    first = list(worker.ask(request))
    assert isinstance(first[0], Ready)
    kept_back = json.loads((runs / "bce" / "split.json").read_text())["validation"]
    assert sum(isinstance(event, ScenePredicted) for event in first) == 2 * len(kept_back)
    assert isinstance(first[-1], ReportWritten)
    assert (first[-1].runs, first[-1].left_out) == (
        2,
        ("high: no run of this role could be measured",),
    )
    assert first[-1].page.is_file()
    again = list(worker.ask(request))
    assert not any(isinstance(event, ScenePredicted) for event in again)
    assert isinstance(again[-1], ReportWritten)


def test_a_report_stops_on_demand_and_writes_nothing(worker, folder, runs, tmp_path):
    out = tmp_path / "out"
    asked = worker.ask(Report(path=folder / "scenes", runs=runs, out=out))
    for event in asked:
        if isinstance(event, ReportStep):
            worker.stop()
            break
    assert not any(isinstance(event, ReportWritten) for event in asked)
    assert not out.exists()


def test_a_folder_without_runs_is_an_error_that_says_what_to_do(worker, folder, tmp_path):
    with pytest.raises(ReportError, match="no finished run to report on"):
        list(worker.ask(Report(path=folder / "scenes", runs=tmp_path, out=tmp_path)))
