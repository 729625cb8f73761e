"""One HTML page that holds everything: texts, tables and pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; }}
body {{ padding: 0 1rem; }}
table {{ border-collapse: collapse; font-size: 14px; margin: 1rem 0; }}
th, td {{ padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }}
td {{ white-space: nowrap; }}
th:first-child {{ text-align: left; }}
img {{ max-width: 100%; display: block; margin: 1rem 0; }}
p {{ max-width: 48rem; }}
div.wide {{ overflow-x: auto; }}
</style>
<h1>{title}</h1>
"""


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the page.

    Attributes:
        title: Its heading.
        text: A few sentences, plain text.
        tables: Shown with their index.
        pictures: PNG files with the text below each (also what a screen reader says).
    """

    title: str
    text: str
    tables: Sequence[pd.DataFrame] = ()
    pictures: Sequence[tuple[Path, str]] = ()


def html_page(title: str, sections: Sequence[Section]) -> str:
    """Return the page; its pictures are inside it, so that the one file can be sent on."""
    return _HEAD.format(title=escape(title)) + "\n".join(map(_section, sections)) + "\n</html>\n"


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>", f"<p>{escape(section.text)}</p>"]
    parts += [
        f'<div class="wide">{table.map(_cell).to_html(border=0)}</div>' for table in section.tables
    ]
    for path, about in section.pictures:
        content = base64.b64encode(path.read_bytes()).decode()
        source = f"data:image/png;base64,{content}"
        parts.append(f'<h3>{escape(about)}</h3><img alt="{escape(about)}" src="{source}">')
    return "\n".join(parts)


def _cell(value: object) -> str:
    if isinstance(value, (int, np.integer)):
        return f"{value:,}"
    if isinstance(value, (float, np.floating)):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return str(value)
