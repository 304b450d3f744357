import re
import xml.etree.ElementTree as ET

from bracketseg.learning.runs import read_run
from bracketseg.report.curves import LOSS_COLORS, PANELS, curve_svg


def test_each_run_is_a_line_in_the_colour_of_its_loss(two_seeds):
    runs = [read_run(path) for path in two_seeds.paths]
    for panel in PANELS:
        svg = curve_svg(runs, panel, f"low-{panel}")
        lines = re.findall(r"fill: none; stroke: (#\w+); stroke-linecap", svg)
        assert sorted(lines) == sorted(2 * [LOSS_COLORS["bce"], LOSS_COLORS["focal"]])
        assert PANELS[panel] in svg


def test_it_is_an_element_in_the_colour_of_the_page_around_it(two_seeds):
    svg = curve_svg([read_run(two_seeds.paths[0])], "train_loss", "one")
    assert ET.fromstring(svg).tag.endswith("svg")
    assert "currentColor" in svg
    assert all(name.startswith("one-") for name in re.findall(r'\bid="([^"]+)"', svg))
    names = set(re.findall(r'\bid="([^"]+)"', svg))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= names


def test_the_dot_is_the_best_epoch(lab, mask):
    lab.scene("a")
    run = read_run(lab.run("low", "bce", 0, {"a": mask(4, 0)}, best=2))
    svg = curve_svg([run], "validation_dice", "x")
    (line,) = re.findall(r'<path d="([^"]+)"[^>]*fill: none; stroke: #0072b2', svg)
    points = [float(x) for x in re.findall(r"[ML] ([\d.]+) ", line)]
    (dot,) = re.findall(r'<use [^>]* x="([\d.]+)" y="[\d.]+" style="fill: #0072b2', svg)
    assert len(points) == 3
    assert abs(float(dot) - points[1]) < 1e-3
