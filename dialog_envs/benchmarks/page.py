"""What the HTML pages of this project share: one file, no network, and nothing in it can run scripts but our own."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib import resources

__all__ = ["asset", "digest", "document"]


def asset(name: str) -> str:
    """The text of a style sheet or script of :mod:`dialog_envs.benchmarks`."""
    return (resources.files("dialog_envs.benchmarks") / "assets" / name).read_text("utf-8").strip()


def digest(text: str) -> str:
    """The sha256 by which a content policy names an inline style sheet or script."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def document(title: str, body: str, style: str, script: str = "", data: str = "") -> str:
    """A whole page.

    Args:
        title: as plain text.
        body: markup of the page's middle; whatever others wrote in it is escaped already.
        style: style sheet.
        script: the one script that may run.
        data: a script element that holds JSON.
    """
    allowed = f"; script-src 'sha256-{digest(script)}'" if script else ""
    policy = f"default-src 'none'; style-src 'sha256-{digest(style)}'{allowed}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        + (data + "\n" if data else "")
        + (f"<script>{script}</script>\n" if script else "")
        + "</body>\n</html>\n"
    )
