"""What the service says of itself: its OpenAPI description, and the messages of `/v1/live`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from hcr_live.service.answers import ProblemAnswer
from hcr_live.service.messages import Edit, End, FrameTime, Set, Start
from hcr_live.service.problems import MEDIA_TYPE
from hcr_live.service.requests import CharacterRequest

ABOUT = (
    "Reads handwriting: single characters, whole pictures, pen strokes, and live video. Pictures"
    " are read in memory and forgotten.",
    "Where the service has a token, send it with /v1 and /metrics as 'Authorization: Bearer TOKEN'."
    " What is wrong with a request is answered as problem details (RFC 9457), with one sentence in"
    " 'detail'.",
)

LIVE = (
    "Connect to ws://HOST/v1/live (wss:// where the page is https://). A binary message of the"
    " client is one picture of the camera as it is, not mirrored: JPEG, WebP or PNG. All other"
    " messages, in both directions, are text: one JSON object each. A token goes into 'start',"
    " since a browser can set no headers here.",
    "When pictures come faster than they are read, the oldest waiting one is dropped and counted,"
    " so that answers are never late. 'frame' counts the pictures of this connection from 0, the"
    " dropped ones included. Coordinates are pixels of the picture, not mirrored; times are"
    " seconds since the first picture.",
    "Closing codes: 1000 after the end, 1001 or 1012 the service stops, 1008 token or origin"
    " refused or too many wrong messages, 1009 message too large, 1013 too many connections.",
)
"""How a live connection goes, a paragraph each."""

SAID: Mapping[str, type[BaseModel]] = {
    "start": Start,
    "frame": FrameTime,
    "set": Set,
    "edit": Edit,
    "end": End,
}
"""The client's text messages by their `type`."""

_PREDICTION = "text, confidence, candidates [[text, confidence], ..] best first"

HEARD: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "start": (
        "After the first picture.",
        {
            "width, height": "Pixels of the pictures.",
            "mode, alphabet, mirror": "How they are read.",
            "model, version": "What reads them.",
        },
    ),
    "view": (
        "For every picture that was read: what to draw on it.",
        {
            "frame, time": "The picture.",
            "dropped": "How many were dropped so far.",
            "mode": "paper or air: what is being read.",
            "automatic": "Whether the service chose the mode.",
            "alphabet": "What can be written.",
            "width, height": "Pixels of the picture.",
            "marks": f"Characters in reading order: {_PREDICTION}, box [x, y, w, h], settled:"
            " whether it is certain.",
            "outline": "Four corners [x, y] of the sheet, or null.",
            "guide": "Where to hold the sheet when none was found, [x, y, w, h], or null.",
            "joined": "Boxes of writing that hangs together, which is not read.",
            "trail": "Strokes of the character being written in the air, points [x, y].",
            "pen": "none, up or down: whether a writing hand is seen, and writes.",
            "tip": "The pen's tip [x, y], or null.",
            "pause": "How much of the pause that ends a character has passed, 0 to 1.",
            "coming": "What the hand's pose will do if it is held on, or empty.",
            "hold": "How much of that hold has passed, 0 to 1.",
            "suggestions": "Words for the one being written, best first.",
            "latest": f"The last character that became certain: {_PREDICTION}; or null.",
            "text": "The text so far, lines parted by newlines.",
            "word_ended": "Whether what is written next begins a word.",
            "hint": "One short sentence: what to do next; or empty.",
        },
    ),
    "character": (
        "A character became certain.",
        {
            "time, frame": "When.",
            "mode": "paper or air.",
            "text, confidence, candidates": "As in marks.",
            "box": "Where it stands, [x, y, w, h].",
        },
    ),
    "stroke": (
        "A stroke of the air ended.",
        {
            "time": "When.",
            "palm": "Size of the hand in pixels.",
            "points": "x, y and time of each point.",
        },
    ),
    "edit": (
        "A gesture or message edited what was written in the air.",
        {
            "time": "When.",
            "action": "space, delete, clear, undo or accept.",
            "number": "Of the accepted suggestion, from 0.",
        },
    ),
    "text": ("The text changed.", {"time": "When.", "text": "All of it."}),
    "error": (
        "A picture or message was wrong; the connection goes on, unless it was one of too many.",
        {"detail": "One sentence.", "frame": "The picture, if it was one."},
    ),
    "end": (
        "The last event.",
        {
            "frames, dropped": "Counts of pictures.",
            "seconds": "Since the first picture.",
            "text": "All of the text.",
        },
    ),
}
"""The service's messages by their `event`: what they are, and their fields."""

PROBLEMS: Mapping[int, str] = {
    400: "The body is no JSON, no complete form, or its image is no base64",
    401: "The service wants its token",
    403: "The page or the name by which the service was called is not allowed",
    408: "The body took too long to arrive",
    413: "The body, the picture or the strokes are too large",
    415: "The body or the picture is of a kind that is not read",
    422: "The request says something wrong, or the picture is damaged",
    429: "Too much waits to be read: try again after Retry-After seconds",
}


def about() -> str:
    """Return the description of the whole service, Markdown."""
    parts = [*ABOUT, "## WS /v1/live", *LIVE, "Text messages of the client, by `type`:"]
    for name, model in SAID.items():
        example = {"type": name} | {
            field: what.get("default", "..")
            for field, what in model.model_json_schema()["properties"].items()
            if field != "type"
        }
        parts.append(f"- **{name}**: {model.__doc__} `{json.dumps(example)}`")
    parts.append("Messages of the service, by `event`:")
    for name, (what, fields) in HEARD.items():
        listed = "; ".join(f"`{field}`: {meaning.rstrip('.')}" for field, meaning in fields.items())
        parts.append(f"- **{name}**: {what} {listed}.")
    return "\n\n".join(parts)


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route for these statuses, all known ones by default."""
    schema = ProblemAnswer.model_json_schema()
    return {
        status: {"description": PROBLEMS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses or PROBLEMS
    }


def picture_body(model: type[CharacterRequest]) -> dict[str, Any]:
    """Return the `requestBody` of a route that takes a picture, as JSON or as a form."""
    schema, form = model.model_json_schema(), model.model_json_schema()
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
