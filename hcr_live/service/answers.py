"""What the service answers, as models: they describe the answers, which are made elsewhere."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

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
    characters: list[ReadCharacter] = Field(
        description="In reading order: text, confidence, box [x, y, w, h] in pixels of the picture,"
        " and candidates."
    )
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
