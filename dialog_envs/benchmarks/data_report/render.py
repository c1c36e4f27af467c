"""A report as Markdown, as a page that opens from disk, and as three files in a folder."""

from __future__ import annotations

import json
from contextlib import suppress
from html import escape
from pathlib import Path

from dialog_envs.benchmarks.data_report.figures import Options, Report, make_report
from dialog_envs.benchmarks.data_report.sections import Tile, sections, subtitle, tiles
from dialog_envs.benchmarks.page import asset, document
from dialog_envs.datasets.figures import Watch
from dialog_envs.datasets.files import file_trouble
from dialog_envs.datasets.reader import read_dataset

FILES = ("report.md", "report.html", "report.json")


def markdown(report: Report) -> str:
    """The report for a terminal, a pull request or a repository."""
    head = [f"# Dataset report: {report.name}", "", f"{subtitle(report)}.", ""]
    head += [" · ".join(f"{tile.value} {tile.name}" for tile in tiles(report)), ""]
    return "\n".join([*head, *(line for section in sections(report) for line in section.markdown())])


def page(report: Report) -> str:
    """The report as one HTML page: no script, no other file, no network."""
    parts = sections(report)
    links = "".join(f'<a href="#{part.anchor}">{escape(part.title)}</a>' for part in parts)
    head = (
        '<header><p class="eyebrow">dialog-envs · dataset report</p>'
        f'<h1>{escape(report.name)}</h1><p class="facts">{escape(subtitle(report))}</p>'
        f'<div class="tiles">{"".join(map(_tile, tiles(report)))}</div><nav>{links}</nav></header>'
    )
    body = "\n".join([head, *(part.html() for part in parts)])
    return document(f"Dataset report · {report.name}", body, f"{asset('page.css')}\n{asset('report.css')}")


def _tile(tile: Tile) -> str:
    return f'<div class="tile"><b>{escape(tile.value)}</b><span>{escape(tile.name)}</span></div>'


def write_report(
    folder: str | Path,
    out: str | Path,
    options: Options | None = None,
    watch: Watch = lambda text: None,
) -> Report:
    """Compute a dataset's report and write ``report.md``, ``report.html`` and ``report.json``.

    Args:
        folder: the dataset.
        out: a folder, made if it is not there; a report that is there is written anew.
        options: what to compute, and how; :class:`Options` by default.
        watch: told what is being done.

    Raises:
        DatasetError: no dataset, or ``out`` cannot be written.
        UnknownName: no such embedding or reference.
    """
    dataset, out = read_dataset(folder), Path(out)
    with file_trouble(out):  # before the work
        new = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
    try:
        report = make_report(dataset, options, watch)
        texts = (
            markdown(report),
            page(report),
            json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n",
        )
    except BaseException:
        if new:
            with suppress(OSError):
                out.rmdir()
        raise
    for name, text in zip(FILES, texts, strict=True):
        with file_trouble(out / name):
            (out / name).write_bytes(text.encode("utf-8", "replace"))
    return report
