import csv
import io

import pytest

from bracketseg.evaluation.confusion import Confusion
from bracketseg.evaluation.metrics import measure
from bracketseg.evaluation.pairs import SceneMetrics
from bracketseg.evaluation.spreadsheet import (
    HEADER,
    metric_rows,
    spreadsheet_bytes,
    table_text,
)


def scene(name, role="low", **counts):
    found = Confusion(**{"tp": 3, "fp": 1, "fn": 1, "tn": 5, **counts})
    return SceneMetrics(scene=name, role=role, counts=found, metrics=measure(found))


def read(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_scene_stands_above_what_constant_masks_score():
    rows = read(spreadsheet_bytes(metric_rows([scene("attic")])))
    assert [row["mask"] for row in rows] == ["prediction", "all foreground", "no foreground"]
    assert {row["scene"] for row in rows} == {"attic"}
    assert float(rows[0]["dice"]) == 0.75
    assert float(rows[1]["dice"]) == pytest.approx(8 / 14, abs=1e-6)
    assert [rows[0][name] for name in ("tp", "fp", "fn", "tn")] == ["3", "1", "1", "5"]
    assert [rows[1][name] for name in ("tp", "fp", "fn", "tn")] == ["4", "6", "0", "0"]
    assert rows[0]["roc_auc"] == ""
    assert rows[0]["reference_foreground"] == "0.400000"


def test_several_scenes_have_a_mean_for_each_role_and_no_counts_there():
    scenes = [scene("attic"), scene("barn", tp=4, fn=0), scene("attic", "high")]
    rows = read(spreadsheet_bytes(metric_rows(scenes)))
    low = [row for row in rows if row["role"] == "low"]
    assert [row["scene"] for row in low] == ["attic", "barn", *["mean of 2 scenes"] * 3]
    assert float(low[2]["dice"]) == pytest.approx((0.75 + 8 / 9) / 2, abs=1e-6)
    assert low[2]["tp"] == low[3]["tp"] == ""
    assert [row["scene"] for row in rows if row["role"] == "high"] == ["attic"] * 3


@pytest.mark.parametrize("name", ["=1+1", "+1EV", "-2EV", "@home", "\t=1+1", "\r=1+1"])
def test_no_name_becomes_a_formula(name):
    (row,) = read(spreadsheet_bytes([[name, "low"]], header=("scene", "role")))
    assert row["scene"] == f"'{name.strip()}"


@pytest.mark.parametrize("name", ["a,b", 'the "old" mill', "a;b", "1,5"])
def test_names_come_back_as_they_were(name):
    (row,) = read(spreadsheet_bytes([[name, -1.5]], header=("scene", "value")))
    assert row == {"scene": name, "value": "-1.500000"}


def test_only_what_is_not_ascii_has_a_byte_order_mark():
    assert spreadsheet_bytes([["Möwe"]], header=("scene",)).startswith(b"\xef\xbb\xbfscene")
    plain = spreadsheet_bytes([["gull"]], header=("scene",))
    assert plain == b"scene\ngull\n"


def test_the_header_names_each_column_once():
    assert len(set(HEADER)) == len(HEADER)
    assert all(len(row) == len(HEADER) for row in metric_rows([scene("attic"), scene("barn")]))


def test_text_to_be_pasted_has_tabs():
    assert table_text([["scene", "dice"], ["attic", 0.5]], separator="\t") == (
        "scene\tdice\nattic\t0.500000\n"
    )
