"""The growing text: what was written in the air or typed, and the page in view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class PageCharacter:
    """A settled character of the page in view.

    Attributes:
        identity: Number of its track, stable while the page is in view.
        text: Its label.
        line: Line number on the page, from 0.
        word: Word number within the line, from 0.
    """

    identity: int
    text: str
    line: int
    word: int


def join_page(characters: Sequence[PageCharacter]) -> str:
    """Return characters in reading order as text: spaces between words, newlines between lines."""
    parts: list[str] = []
    previous: PageCharacter | None = None
    for character in characters:
        if previous is not None:
            if character.line != previous.line:
                parts.append("\n")
            elif character.word != previous.word:
                parts.append(" ")
        parts.append(character.text)
        previous = character
    return "".join(parts)


@dataclass(frozen=True)
class Text:
    """Kept text, and the page in view that may still change.

    A page of several characters stands on lines of its own; a page of one character, as when
    letter cards are held up one after the other, goes on where the text ends.

    Attributes:
        kept: Text that no later frame changes.
        page: Settled characters of the page in view, in reading order.
        dismissed: Tracks of the page that the user deleted.
        block: True if `kept` ends with a page of several characters.
    """

    kept: str = ""
    page: tuple[PageCharacter, ...] = ()
    dismissed: frozenset[int] = frozenset()
    block: bool = False

    def __str__(self) -> str:
        shown = join_page(self._shown)
        return self.kept + self._separator(shown) + shown

    @property
    def _shown(self) -> tuple[PageCharacter, ...]:
        return tuple(c for c in self.page if c.identity not in self.dismissed)

    def _separator(self, shown: str) -> str:
        if not shown or not self.kept or self.kept[-1].isspace():
            return ""
        return "\n" if self.block or len(shown) > 1 else ""

    def write(self, text: str) -> Text:
        """Append a character from the air or a space; what the page shows by now is kept."""
        kept = self.keep_page()
        separator = "\n" if kept.block and not text.isspace() else ""
        written = kept.kept + separator + text
        return Text(written, page=self.page, dismissed=self._all_dismissed())

    def show_page(self, page: tuple[PageCharacter, ...]) -> Text:
        """Replace the page in view."""
        return replace(self, page=page)

    def keep_page(self) -> Text:
        """The page left the view: its text is kept."""
        shown = join_page(self._shown)
        block = len(shown) > 1 if shown else self.block
        return Text(kept=str(self), block=block)

    def delete(self) -> Text:
        """Delete the last character; one of the page in view stays deleted while in view."""
        shown = self._shown
        if shown:
            return replace(self, dismissed=self.dismissed | {shown[-1].identity})
        return replace(self, kept=self.kept[:-1], block=self.block and len(self.kept) > 1)

    def clear(self) -> Text:
        """Delete everything; what is in view is not written again."""
        return Text(page=self.page, dismissed=self._all_dismissed())

    def _all_dismissed(self) -> frozenset[int]:
        return self.dismissed | {character.identity for character in self.page}
