from __future__ import annotations
from typing import Any
def html_page(board: Any, records: Any) -> str:
    return "<!doctype html>"
