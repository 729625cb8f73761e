"""The page at /docs: the OpenAPI description and the live messages as HTML without scripts."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from typing import Any

from hcr_live.service.description import ABOUT, HEARD, LIVE, PROBLEMS, SAID

_CURL = """\
curl -F image=@letter.png http://127.0.0.1:8000/v1/character
curl -F image=@sheet.jpg -F alphabet=all http://127.0.0.1:8000/v1/read
curl -H 'Content-Type: application/json' -d '{"strokes": [[[0, 0], [0, 9], [9, 9]]]}' \\
     http://127.0.0.1:8000/v1/strokes"""


def docs_page(openapi: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        openapi: The service's description.
    """
    title = f"hcr_live {openapi['info']['version']}"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<title>{title}</title><link rel="stylesheet" href="docs.css"></head><body><main>',
        f"<h1>{title}</h1>",
        *(f"<p>{_text(paragraph)}</p>" for paragraph in ABOUT),
        '<p><a href="openapi.json">openapi.json</a> <a href=".">The page</a></p>',
        f"<pre>{_text(_CURL)}</pre>",
    ]
    schemas = openapi["components"]["schemas"]
    for path, operations in openapi["paths"].items():
        for method, what in operations.items():
            parts += _operation(f"{method.upper()} {path}", what, schemas)
    parts += ["<h2>Problems</h2>", _list((str(key), "", what) for key, what in PROBLEMS.items())]
    parts.append('<h2 id="live"><code>WS /v1/live</code></h2>')
    parts += [f"<p>{_text(paragraph)}</p>" for paragraph in LIVE]
    parts.append("<h3>Text messages of the client, by their type</h3>")
    for name, model in SAID.items():
        parts += [f"<h4><code>{name}</code></h4><p>{_text(model.__doc__)}</p>"]
        parts.append(_fields(model.model_json_schema()))
    parts.append("<h3>Messages of the service, by their event</h3>")
    for name, (meaning, fields) in HEARD.items():
        parts += [f"<h4><code>{name}</code></h4><p>{_text(meaning)}</p>"]
        parts.append(_list((field, "", of) for field, of in fields.items()))
    return "\n".join([*parts, "</main></body></html>"])


def _operation(title: str, what: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[str]:
    parts = [f"<h2><code>{_text(title)}</code></h2><p>{_text(what['description'])}</p>"]
    for kind, content in what.get("requestBody", {}).get("content", {}).items():
        parts += [f"<h3>Body: {_text(kind)}</h3>", _fields(content["schema"])]
    for kind, content in what["responses"]["200"].get("content", {}).items():
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        parts.append(f"<h3>Answer: {_text(kind)}</h3>")
        if name:
            parts.append(_fields(schemas[name]))
    problems = ", ".join(status for status in what["responses"] if status != "200")
    parts.append(f"<p>Problems: {_text(problems)}</p>")
    return parts


def _fields(schema: Mapping[str, Any]) -> str:
    """Return the fields of an object: name, what it may be, what it means."""
    required = schema.get("required", ())
    rows = []
    for name, field in schema["properties"].items():
        field = field.get("anyOf", [{}])[0] | field
        kind = "|".join(field.get("enum", ())) or field.get("const") or field.get("type", "")
        default = field.get("default")
        if default not in (None, ""):
            kind += f", default {json.dumps(default)}"
        elif name not in required:
            kind += ", optional"
        rows.append((name, kind.removeprefix(", "), field.get("description", "")))
    return _list(rows)


def _list(rows: Iterable[tuple[str, str, str]]) -> str:
    items = [
        f"<dt><code>{_text(name)}</code> <small>{_text(kind)}</small></dt><dd>{_text(what)}</dd>"
        for name, kind, what in rows
    ]
    return "<dl>" + "".join(items) + "</dl>"


def _text(value: object) -> str:
    return html.escape(str(value), quote=False)
