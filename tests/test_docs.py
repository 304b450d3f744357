"""What the pages for people say can be held against the code and the files."""

import re
from pathlib import Path

import pytest

from bracketseg.evaluation.printed import PRINTED, impossible

ROOT = Path(__file__).parents[1]
PAGES = [
    *("README.md", "CONTRIBUTING.md"),
    *("docs/paper.md", "docs/speed.md", "docs/mask-quality.md"),
]
LOSSES = {
    "cross-entropy": "bce",
    "focal": "focal",
    "Dice and cross-entropy": "dice-bce",
}


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)", text)
    assert [
        link
        for link in links
        if "://" not in link and not (ROOT / page).parent.joinpath(link).exists()
    ] == []


def test_the_page_on_the_paper_has_what_the_paper_prints():
    text = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| table (\d), ([^|]+?) \|(.+)\|$", text, re.M)
    assert len(rows) == 6
    for table, loss, rest in rows:
        *numbers, broken = (cell.strip() for cell in rest.split("|"))
        printed = PRINTED["low" if table == "1" else "high"][LOSSES[loss]]
        names = ("dice", "jaccard", "sensitivity", "specificity", "auc_eq9")
        assert [float(number) for number in numbers[:5]] == [printed[name] for name in names]
        contradictions = impossible(printed)
        assert f"{float(numbers[5]):.4f}" in contradictions["auc_eq9"]
        jaccard = contradictions.get("jaccard")
        assert broken == (f"{jaccard}; AUC" if jaccard else "AUC")
