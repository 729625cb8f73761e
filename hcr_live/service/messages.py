"""What the client of a live connection may say in words: JSON, one object a message."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from hcr_live.errors import HcrError
from hcr_live.options import ModeChoice, PenChoice
from hcr_live.service.requests import AlphabetName, Pixel, Side

LONGEST = 10_000
"""Characters of such a message."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Start(_Message):
    """How to read; the first message, if it is sent at all."""

    type: Literal["start"] = "start"
    mode: ModeChoice = Field(
        default="auto", description="What to read: paper, air, or whichever comes."
    )
    alphabet: AlphabetName = Field(default="letters", description="What can be written.")
    mirror: bool = Field(default=False, description="The camera faces the writer.")
    pen: PenChoice = Field(default="auto", description="How the pen of the air is held.")
    language: Literal["en", "off"] = Field(default="en", description="Of suggested words.")
    min_confidence: float = Field(
        default=0.5, ge=0, le=1, description="Leave out what is less sure."
    )
    token: str = Field(default="", repr=False, description="The service's token, where it has one.")


class FrameTime(_Message):
    """When the next picture was taken; without it its arrival counts."""

    type: Literal["frame"]
    time: float = Field(ge=-1e11, le=1e11, description="Seconds of the sender's steady clock.")


class Set(_Message):
    """Read differently from now on; what is not named stays as it is."""

    type: Literal["set"]
    mode: ModeChoice = "auto"
    alphabet: AlphabetName = "letters"
    mirror: bool = False
    region: tuple[Pixel, Pixel, Side, Side] | None = Field(
        None, description="Read paper only there: x, y, w, h in pixels; null: everywhere."
    )


class Edit(_Message):
    """Edit the text."""

    type: Literal["edit"]
    action: Literal["space", "delete", "clear", "undo", "accept"]
    number: int = Field(default=0, ge=0, le=2, description="Of the suggestion to accept, from 0.")


class End(_Message):
    """Finish what is in work, and the connection."""

    type: Literal["end"] = "end"


Message: TypeAlias = Start | FrameTime | Set | Edit | End

_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


def message_of(text: str) -> Message:
    """Return what a text message says.

    Raises:
        HcrError: If it is no such message.
    """
    try:
        return _MESSAGE.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        raise HcrError("The message is no JSON: send one object.")
    if first["type"].startswith("union_tag"):
        raise HcrError("The message's type must be start, frame, set, edit or end.")
    where = ".".join(str(part) for part in first["loc"][1:])[:100]
    raise HcrError(f"{where or 'The message'}: {first['msg']}.")
