"""Reports on datasets: figures by hand, a page that stands alone, and commands that say what is wrong."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dialog_envs.benchmarks.cli import main
from dialog_envs.benchmarks.data_report import Options, make_report, markdown, page, write_report
from dialog_envs.benchmarks.data_report.figures import histogram
from dialog_envs.datasets import Dataset, read_dataset
from dialog_envs.datasets.labels import labels
from dialog_envs.datasets.people import effective_number, traits
from dialog_envs.errors import DatasetError, UnknownName
from dialog_envs.registration import get_task
from dialog_envs.simulators.imagination import imagine
from tests.simulators.imagination_stub import Imaginer

TASK = "Persuasion-v0"
QUICK = Options(embedding="tfidf", sample=20, beliefs=3, references=("heuristic",), reference_dialogues=6)


@pytest.fixture(scope="module")
def imagined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "<imagined>"
    model = Imaginer(get_task(TASK), nonsense=0.2, strict=0.3, cost=0.001)
    imagine(TASK, folder, 24, 3, mode="imagine", imaginer=model, personas=6)
    return folder


class Page(HTMLParser):
    """Collects links to elsewhere and checks that elements are closed in order."""

    VOID = frozenset(("meta", "br", "line", "rect", "circle"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [v for k, v in attrs if v and k in ("src", "href", "style") and not v.startswith("#")]
        self.outside += [k for k, _ in attrs if k.startswith("on")] + (["script"] if tag == "script" else [])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag in self.VOID or self.open.pop() == tag


def test_a_report_that_cannot_be_made_leaves_no_folder(imagined: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        write_report(imagined, tmp_path / "out", Options(embedding="bert"))
    assert not (tmp_path / "out").exists()
    with pytest.raises(DatasetError):
        write_report(imagined, tmp_path / ("long" * 100), QUICK)


def test_three_files(imagined: Path, tmp_path: Path) -> None:
    report = write_report(imagined, tmp_path / "out", QUICK)
    text = (tmp_path / "out" / "report.md").read_text("utf-8")
    html = (tmp_path / "out" / "report.html").read_text("utf-8")
    data = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    for title in ("Size", "Reward", "People", "Acts", "Disclosure by turn", "Diversity", "Critique", "Labels",
                  "Coverage", "Cost", "Two dialogues"):  # fmt: skip
        assert f"## {title}" in text and f"<h2>{title}</h2>" in html
    read = Page()
    read.feed(html)
    assert not read.open and not read.outside and "<imagined>" not in html and "&lt;imagined&gt;" in html
    assert "default-src 'none'" in html and "nan" not in re.sub(r"<[^>]*>", "", html).split()
    assert data["semantic"]["dialogues"]["sampled"] == 20 and data["semantic"]["dialogues"]["texts"] == 24
    assert "20 of 24 dialogues" in text and "seed 0" in text
    assert 1.0 <= data["semantic"]["personas"]["vendi"] <= 6.0 and "descriptions" in data["semantic"]
    assert data["cost"]["usd"] > 0 and data["coverage"][0]["played"] == 6
    for level in data["coverage"][0]["levels"]:
        assert all(0 <= level[name]["low"] <= level[name]["mean"] <= level[name]["high"] <= 1
                   for name in ("covered", "often", "stitched", "whole"))  # fmt: skip
    assert data["disclosure"]["bits_episodes"] + data["disclosure"]["contradictory"] == 3
    assert report.labels is not None
    agree = data["imagination"]["label"]["agree"]
    assert report.labels.agree == pytest.approx(agree, abs=1e-6)


def test_card_and_report_say_the_same(imagined: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The card is printed as the engine wrote it, and its tables stand in the report."""
    assert main(["data", "card", str(imagined)]) == 0
    card = capsys.readouterr().out
    assert card == (imagined / "card.md").read_text("utf-8")
    report = markdown(make_report(read_dataset(imagined), Options("tfidf", beliefs=0, reference_dialogues=0)))
    titles = (
        "Disclosure by turn",
        "Diversity",
        "Critique",
        "Labels",
        "What the kernel reads",
        "Cost",
        "People",
    )
    assert all(f"\n## {title}\n" in card for title in titles)

    def cells(text: str) -> set[tuple[str, ...]]:
        rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")]
        return {tuple(cell.strip() for cell in row) for row in rows}

    names = {
        "imagined as a success",
        "dialogues",
        "turns",
        "personas",
        "user turns",
        "personas, scenarios",
        "critic",
    }
    both = {row[0] for row in cells(card) & cells(report)}
    assert both >= names, names - both


def test_the_same_twice(imagined: Path) -> None:
    dataset = read_dataset(imagined)
    one, other = make_report(dataset, QUICK), make_report(dataset, QUICK)
    assert markdown(one) == markdown(other) and page(one) == page(other)


def test_figures_by_hand(imagined: Path) -> None:
    found = histogram([0.0, 1.0, 1.0, 3.0])
    assert found.discrete and (found.edges, found.counts) == ((0.0, 1.0, 2.0, 3.0), (1, 2, 0, 1))
    binned = histogram([0.05, 0.5, 0.95], bins=2, reach=(0.0, 1.0))
    assert not binned.discrete and binned.counts == (1, 2)
    assert histogram([0.5, 0.25, 0.5]).counts == (1, 2)
    assert effective_number({"a": 5, "b": 5}) == pytest.approx(2.0)
    assert effective_number({"a": 3}) == 1.0 and effective_number({}) == 0.0
    rows = read_dataset(imagined).episodes
    total = sum(traits(rows)[0].values.values())
    assert total == len(rows)
    found_labels = labels(rows)
    assert found_labels is not None and found_labels.episodes == sum(found_labels.table.values()) == 24
    assert math.isnan(found_labels.kappa) or -1 <= found_labels.kappa <= 1


def test_a_task_of_somebody_else(imagined: Path) -> None:
    dataset = read_dataset(imagined)
    manifest = {**dataset.manifest, "task": "Theirs-v0"}
    strange = Dataset(manifest, dataset.episodes[:1], dataset.path)
    report = make_report(strange, QUICK)
    assert not report.known and not report.coverage and "not registered" in markdown(report)
    assert "Coverage" not in page(report)


def test_command_and_errors(imagined: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = ["--embedding", "tfidf", "--beliefs", "0", "--reference-dialogues", "0"]
    assert main(["data", "report", str(imagined), *quick]) == 0
    assert capsys.readouterr().out.startswith("# Dataset report: <imagined>")
    assert main(["data", "report", str(imagined), *quick, "-o", str(tmp_path / "r"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["task"] == TASK
    assert (tmp_path / "r" / "report.html").is_file()
    with pytest.raises(UnknownName, match="heuristic"):
        make_report(read_dataset(imagined), Options(embedding="tfidf", references=("heuristc",), beliefs=0))
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(DatasetError, match="cannot read or write"):
        write_report(imagined, tmp_path / "file", Options("tfidf", beliefs=0, reference_dialogues=0))
