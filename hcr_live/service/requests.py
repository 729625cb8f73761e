"""What requests may say: JSON or a form, in memory only."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError, WithJsonSchema
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from hcr_live.frame import Box
from hcr_live.service.pictures import from_base64
from hcr_live.service.problems import Problem

_MOST_FIELDS = 20
_LONGEST_FIELD = 1000
# Parsed lists take a hundred times their bytes, and each wrong field is an error of its own; no
# right request has more than a few of either.
_MOST_LISTS = 100
_MOST_FIELDS_OF_JSON = 100
_FARTHEST = 1e9

AlphabetName = Annotated[
    Literal["letters", "upper", "lower", "digits", "alnum", "all"],
    Field(
        description="What can be written: letters (26, a and A are one), upper, lower, digits,"
        " alnum (36, a and A are one), all (62, with case)."
    ),
]
Pixel = Annotated[int, Field(ge=0, le=100_000)]
Side = Annotated[int, Field(ge=1, le=100_000)]
Coordinate = Annotated[float, Field(ge=-_FARTHEST, le=_FARTHEST, allow_inf_nan=False)]


def _list_of(count: int, kind: str, least: float, most: float) -> WithJsonSchema:
    """Describe a tuple as a list, which every reader of schemas knows."""
    items = {"type": kind, "minimum": least, "maximum": most}
    return WithJsonSchema({"type": "array", "items": items, "minItems": count, "maxItems": count})


Region = Annotated[tuple[Pixel, Pixel, Side, Side], _list_of(4, "integer", 0, 100_000)]
Point = Annotated[tuple[Coordinate, Coordinate], _list_of(2, "number", -_FARTHEST, _FARTHEST)]
Stroke = Annotated[list[Point], FailFast()]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, regex_engine="rust-regex")


class CharacterRequest(_Body):
    """A picture of one character."""

    image: str = Field(
        min_length=1,
        json_schema_extra={"format": "byte"},
        description="JPEG, PNG, WebP, BMP or GIF: base64, or a data URL.",
    )
    alphabet: AlphabetName = "letters"
    region: Region | None = Field(
        None, description="Read only this part: x, y, w, h in pixels, left and top first."
    )

    @property
    def box(self) -> Box | None:
        """The region."""
        return None if self.region is None else Box(*self.region)


class ReadRequest(CharacterRequest):
    """A picture of writing."""

    min_confidence: float = Field(
        0.5, ge=0, le=1, description="Leave out characters that are less sure."
    )


class StrokesRequest(_Body):
    """One character as it was written."""

    strokes: Annotated[list[Stroke], FailFast()] = Field(
        description="Strokes in the order drawn, each a list of points [x, y]: x right, y down, any"
        " unit. A stroke of one point is a dot."
    )
    alphabet: AlphabetName = "letters"


Model = TypeVar("Model", bound=_Body)
Picture = TypeVar("Picture", bound=CharacterRequest)


async def picture_request(request: Request, model: type[Picture]) -> tuple[Picture, bytes]:
    """Return what a request for a picture says, and the picture's bytes.

    Raises:
        Problem: If it is neither JSON nor a form, or says something wrong.
    """
    body = await request.body()
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == b"multipart/form-data":
        fields, image = _form(body, options)
        return _checked(model, fields), image
    if kind != b"application/json":
        raise Problem(415, "Send application/json, or multipart/form-data with the field image.")
    asked = _from_json(model, body, _MOST_LISTS)
    return asked, from_base64(asked.image)


async def strokes_request(request: Request, most_bytes: int, most_points: int) -> StrokesRequest:
    """Return what a request with strokes says.

    Raises:
        Problem: If it is no JSON, says something wrong, or has too many points.
    """
    body = await request.body()
    if parse_options_header(request.headers.get("content-type"))[0] != b"application/json":
        raise Problem(415, "Send the strokes as application/json.")
    if len(body) > most_bytes:
        raise Problem(413, f"The body is longer than {most_bytes} bytes: send one character.")
    asked = _from_json(StrokesRequest, body, 2 * most_points)
    if sum(map(len, asked.strokes)) > most_points:
        raise Problem(413, f"The strokes have more than {most_points} points: send fewer.")
    return asked


def _from_json(model: type[Model], body: bytes, most_lists: int) -> Model:
    if body.count(b"[") + body.count(b"{") > most_lists:
        raise Problem(413, f"The JSON has more than {most_lists} lists and objects.")
    if body.count(b":") > _MOST_FIELDS_OF_JSON:
        raise Problem(413, f"The JSON has more than {_MOST_FIELDS_OF_JSON} fields.")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _wrong(error) from None


def _checked(model: type[Model], fields: dict[str, Any]) -> Model:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise _wrong(error) from None


def _wrong(error: ValidationError) -> Problem:
    """Say what is wrong with the first field that is."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return Problem(400, f"The body is no JSON: {first['msg'].removeprefix('Invalid JSON: ')}.")
    where = ".".join(str(part) for part in first["loc"])[:100]
    return Problem(422, f"{where or 'The body'}: {first['msg']}.")


def _form(body: bytes, options: dict[bytes, bytes]) -> tuple[dict[str, Any], bytes]:
    """Return the fields of a form and the picture, which comes as a file or as base64."""
    parts = _parts(body, options.get(b"boundary", b""))
    image = parts.pop("image", b"")
    if not image:
        raise Problem(422, "image: Field required.")
    fields: dict[str, Any] = {"image": "form"}
    for name, value in parts.items():
        text = value[:_LONGEST_FIELD].decode("utf-8", "replace")
        fields[name] = _value(name, text)
    return fields, image


def _value(name: str, text: str) -> Any:
    """Return a form's text as what JSON would have said."""
    if name == "alphabet":
        return text
    try:
        value = json.loads(f"[{text}]" if name == "region" and "[" not in text else text)
    except (ValueError, RecursionError):
        return text
    return tuple(value) if isinstance(value, list) else value


def _parts(body: bytes, boundary: bytes) -> dict[str, bytes]:
    """Return the parts of a form by name (RFC 7578)."""
    parts: dict[str, bytes] = {}
    header: list[bytes] = [b"", b""]
    disposition = [b""]
    content: list[bytes] = []
    ended: list[bool] = []

    def begin() -> None:
        disposition[0] = b""
        content.clear()

    def header_end() -> None:
        if header[0].lower() == b"content-disposition":
            disposition[0] = header[1]
        header[:] = [b"", b""]

    def add_to(index: int, data: bytes, start: int, end: int) -> None:
        header[index] += data[start:end]

    def end() -> None:
        name = parse_options_header(disposition[0])[1].get(b"name", b"").decode("utf-8", "replace")
        if len(parts) == _MOST_FIELDS:
            raise Problem(413, f"The form has more than {_MOST_FIELDS} fields.")
        parts[name] = b"".join(content)

    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": begin,
                "on_header_field": lambda *data: add_to(0, *data),
                "on_header_value": lambda *data: add_to(1, *data),
                "on_header_end": header_end,
                "on_part_data": lambda data, start, stop: content.append(data[start:stop]),
                "on_part_end": end,
                "on_end": lambda: ended.append(True),
            },
        )
        parser.write(body)
    except FormParserError:
        ended.clear()
    if not ended:
        raise Problem(400, "The body is no complete multipart/form-data.")
    return parts
