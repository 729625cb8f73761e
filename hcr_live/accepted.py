"""What of the growing text is accepted: fit to be said, typed or copied. Plain values, no devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hcr_live.view import View

SETTLE_SECONDS = 1.0
"""A page's characters become certain in any order; its text counts once it rests for so long."""


@dataclass(frozen=True)
class Accepted:
    """The text that counts.

    Attributes:
        text: All of it; its last word may still grow.
        words: Its complete words, in order.
    """

    text: str = ""
    words: tuple[str, ...] = ()


class Acceptance:
    """Follows the views of a run and says when another text is accepted.

    What is written in the air, or edited there, counts at once; what is read from paper when it has
    rested for `SETTLE_SECONDS` of the clip. A word is complete when its space or line end has come,
    on paper when the text has settled.
    """

    def __init__(self) -> None:
        self._accepted = Accepted()

    def follow(self, view: View) -> Accepted | None:
        """Take in the view after a frame or a key; return what is accepted now if it changed."""
        return None

    def finish(self, text: str) -> Accepted | None:
        """Take in the whole text of a run that ended; return it if it was not accepted yet."""
        return None


@dataclass(frozen=True)
class Keys:
    """Key presses that turn what was typed into another text."""

    backspaces: int
    typed: str


def keys_between(before: str, after: str) -> Keys:
    """Return the keys to press, given what was typed before; only its last word is taken back."""
    return Keys(0, "")


def new_words(said: Sequence[str], accepted: Accepted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words to say now, and all that count as said from then on."""
    return (), tuple(said)
