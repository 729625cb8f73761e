"""What the service says of itself: the OpenAPI description, and the page of it at /docs."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from hcr_live import __version__
from hcr_live.service.problems import MEDIA_TYPE
from hcr_live.service.requests import CharacterRequest

_ABOUT = """\
Reads handwriting: single characters, whole pictures, pen strokes, and live video.
Pictures are read in memory and forgotten. Errors are problem details (RFC 9457) with one sentence
in `detail`. Live video goes over a WebSocket, which OpenAPI has no words for; it is described here.
"""

_PROBLEMS: Mapping[int, str] = {
    400: "The body is no JSON, no complete form, or its image is no base64",
    401: "The service wants its token",
    403: "The page or the name by which the service was called is not allowed",
    408: "The body took too long to arrive",
    413: "The body, the picture or the strokes are too large",
    415: "The body or the picture is of a kind that is not read",
    422: "The request says something wrong, or the picture is damaged",
    429: "Too much waits to be read: try again after Retry-After seconds",
}

LIVE: Sequence[tuple[str, str]] = (
    (
        "Connect to WS /v1/live. Text messages are JSON objects, binary messages are pictures.",
        "",
    ),
    (
        "Client, first if at all: how to read. Every field may be left out; a program may send the"
        " token as 'Authorization: Bearer TOKEN' instead.",
        '{"type":"start","mode":"auto|paper|air","alphabet":"letters","mirror":false,'
        '"pen":"auto|point|pinch|space","language":"en|off","min_confidence":0.5,"token":"..."}',
    ),
    (
        "Client, before a picture if it likes: when that was taken, in seconds of its own steady"
        " clock; else the time of arrival counts.",
        '{"type":"frame","time":1.25}',
    ),
    ("Client: one picture of the camera, not mirrored.", "binary: JPEG, WebP or PNG"),
    (
        "Client: read otherwise from now on; any of the fields.",
        '{"type":"set","mode":"air","alphabet":"digits","mirror":true,"region":[0,0,320,240]}',
    ),
    (
        "Client: edit the text; number is that of a suggestion, from 0.",
        '{"type":"edit","action":"space|delete|clear|undo|accept","number":0}',
    ),
    ("Client: no more pictures come; the events of the end follow.", '{"type":"end"}'),
    (
        "Server: what happened, as `--events` writes it: start, character, stroke, edit, text,"
        " end.",
        '{"event":"character","time":1.2,"frame":36,"mode":"paper","text":"K","confidence":0.98,'
        '"box":[212,140,62,80],"candidates":[["K",0.98],["X",0.01],["R",0.0]]}',
    ),
    (
        "Server, for every picture that was read: what to draw on it. frame counts this"
        " connection's pictures from 0; when pictures come faster than they are read the oldest"
        " waiting one is dropped, which dropped counts. Coordinates are pixels of the picture, not"
        " mirrored; mode is paper or air.",
        '{"event":"view","frame":36,"time":1.2,"dropped":0,"mode":"paper","automatic":true,'
        '"alphabet":"letters","width":640,"height":480,"marks":[{"text":"K","confidence":0.98,'
        '"candidates":[["K",0.98]],"box":[212,140,62,80],"settled":true}],'
        '"outline":[[20,30],[600,28],[610,440],[18,450]],"guide":null,"joined":[],"trail":[],'
        '"pen":"","tip":null,"pause":0.0,"coming":"","hold":0.0,"suggestions":[],"latest":null,'
        '"text":"K","word_ended":false,"hint":""}',
    ),
    (
        "Server: a picture or message was wrong; the connection goes on, unless it was one of too"
        " many.",
        '{"event":"error","detail":"The image is damaged.","frame":37}',
    ),
    (
        "Closing codes: 1000 after the end, 1001 the service stops, 1008 token or origin refused"
        " or too many wrong messages, 1009 message too large, 1013 too many connections.",
        "",
    ),
)
"""The messages of a live connection: what each is, and an example."""


Candidate = Annotated[list[str | float], Field(min_length=2, max_length=2)]
Corners = Annotated[list[int], Field(min_length=4, max_length=4)]


class CharacterAnswer(BaseModel):
    """Which character it is."""

    text: str = Field(description="The best label, empty where nothing is written.")
    confidence: float = Field(ge=0, le=1, description="Its probability.")
    candidates: list[Candidate] = Field(
        max_length=3, description="The best three with their probabilities, best first."
    )
    probabilities: dict[str, float] = Field(
        description="Every label of the alphabet with its probability; they add up to 1. Empty"
        " where nothing is written."
    )
    alphabet: str


class ReadCharacter(BaseModel):
    """A character and where it stands."""

    text: str
    confidence: float = Field(ge=0, le=1)
    box: Corners = Field(description="x, y, w, h in pixels of the picture.")
    candidates: list[Candidate] = Field(max_length=3)


class ReadAnswer(BaseModel):
    """What is written on a picture."""

    text: str = Field(description="Lines joined by newlines, words by spaces.")
    lines: list[str] = Field(description="Top to bottom.")
    characters: list[ReadCharacter] = Field(description="In reading order.")
    joined: list[Corners] = Field(
        description="Where writing hangs together, which is not read: x, y, w, h."
    )
    alphabet: str


class State(BaseModel):
    """How the service is."""

    status: str


class ProblemAnswer(BaseModel):
    """What was wrong (RFC 9457)."""

    type: str
    title: str = Field(description="The status in words.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What was wrong and what to do, one sentence.")


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route for these statuses, all of the known ones by default."""
    schema = ProblemAnswer.model_json_schema()
    return {
        status: {"description": _PROBLEMS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses or _PROBLEMS
    }


def picture_body(model: type[CharacterRequest]) -> dict[str, Any]:
    """Return the `requestBody` of a route that takes a picture, as JSON or as a form."""
    schema = model.model_json_schema()
    form = json.loads(json.dumps(schema))
    fields = form["properties"]
    fields["image"] |= {"format": "binary", "description": "The picture's file."}
    fields["region"] = {
        "type": "string",
        "pattern": r"^\d{1,4},\d{1,4},[1-9]\d{0,3},[1-9]\d{0,3}$",
        "description": "Read only this part: x,y,w,h in pixels, left and top first.",
    }
    content = {"application/json": {"schema": schema}, "multipart/form-data": {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the `requestBody` of a route that takes JSON."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


def about() -> str:
    """Return the description of the whole service, in Markdown."""
    parts = [_ABOUT]
    for what, example in LIVE:
        parts.append(f"- {what}" + (f" `{example}`" if example else ""))
    return "\n".join(parts)


def docs_page(openapi: Mapping[str, Any]) -> str:
    """Return the page of a description, HTML that loads nothing and runs nothing."""
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>hcr_live {__version__}</title>",
        '<meta name=viewport content="width=device-width,initial-scale=1">',
        f'<link rel=stylesheet href="docs.css"><h1>hcr_live {__version__}</h1>',
    ]
    parts += [f"<p>{_text(line)}" for line in _ABOUT.strip().split("\n\n")]
    parts.append('<p><a href="openapi.json">openapi.json</a> · <a href=".">the page</a>')
    for path, operations in openapi["paths"].items():
        parts += [_operation(method, path, what) for method, what in operations.items()]
    parts.append("<h2 id=live><code>WS /v1/live</code></h2>")
    for what, example in LIVE:
        parts.append(f"<p>{_text(what)}" + (f"<pre>{_text(example)}</pre>" if example else ""))
    return "\n".join(parts)


def _operation(method: str, path: str, what: Mapping[str, Any]) -> str:
    parts = [f"<h2><code>{method.upper()} {_text(path)}</code></h2>"]
    parts.append(f"<p>{_text(what.get('description', what.get('summary', '')))}")
    for kind, content in what.get("requestBody", {}).get("content", {}).items():
        schema = content["schema"]
        parts.append(f"<h3>Body: {_text(kind)}</h3><dl>")
        for name, field in schema["properties"].items():
            needed = "required" if name in schema.get("required", ()) else "optional"
            default = field.get("default")
            given = f", default {_text(json.dumps(default))}" if default is not None else ""
            parts.append(
                f"<dt><code>{_text(name)}</code> <small>{needed}{given}</small>"
                f"<dd>{_text(field.get('description', ''))}"
            )
        parts.append("</dl>")
    parts.append("<h3>Answers</h3><dl>")
    for status, answer in what["responses"].items():
        kinds = ", ".join(answer.get("content", {}))
        parts.append(
            f"<dt><code>{_text(status)}</code> <small>{_text(kinds)}</small>"
            f"<dd>{_text(answer['description'])}"
        )
    parts.append("</dl>")
    return "\n".join(parts)


def _text(value: Any) -> str:
    return html.escape(str(value), quote=False)
