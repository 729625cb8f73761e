"""What of the growing text is accepted: fit to be said, typed or copied. Plain values only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

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
        self._text = ""
        self._changed_at = 0.0

    def follow(self, view: View) -> Accepted | None:
        """Take in the view after a frame or a key; return what is accepted now if it changed."""
        if view.text != self._text:
            self._text, self._changed_at = view.text, view.frame.time
        if view.mode == "air":
            ended = view.word_ended or view.text[-1:].isspace()
            words = tuple(view.text.split())
            return self._accept(view.text, words if ended else words[:-1])
        if view.frame.still or view.frame.time - self._changed_at >= SETTLE_SECONDS:
            return self.finish(view.text)
        return None

    def finish(self, text: str) -> Accepted | None:
        """Take in the whole text of a run that ended; return it if it was not accepted yet."""
        return self._accept(text, tuple(text.split()))

    def _accept(self, text: str, words: tuple[str, ...]) -> Accepted | None:
        before, self._accepted = self._accepted, Accepted(text, words)
        return self._accepted if self._accepted != before else None


@dataclass(frozen=True)
class Keys:
    """Key presses that turn what was typed into another text: first the backspaces."""

    backspaces: int
    typed: str


def keys_between(before: str, after: str) -> Keys:
    """Return the keys to press where `before` was typed and the text is `after` by now.

    Only the last word and the spaces behind it are taken back. What changed before them stays as
    it was typed: the cursor may have moved since, and a line that was entered may have been sent.
    """
    line = before.rstrip(" ")
    start = max(line.rfind(" "), line.rfind("\n")) + 1
    is_same_before = after.startswith(before[:start])
    last = before[start:]
    wanted = after[start if is_same_before else _last_word(before, start, after) :]
    shorter = min(len(last), len(wanted))
    common = next((i for i in range(shorter) if last[i] != wanted[i]), shorter)
    return Keys(len(last) - common, wanted[common:])


def _last_word(before: str, start: int, after: str) -> int:
    """Return where in `after` that begins what the word of `before` from `start` on became."""
    old, found = before.split(), list(re.finditer(r"\S+", after))
    new = [word.group() for word in found]
    earlier = len(before[:start].split())
    *blocks, _ = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    if not blocks:
        return 0  # another text
    # Words between the last one that is still there and the last word were replaced one by one.
    number = blocks[-1].b - blocks[-1].a + earlier
    return found[number].start() if number < len(found) else len(after)


def new_words(said: Sequence[str], accepted: Accepted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words to say now, and the ones that count as said from then on.

    A word that takes the place of one that was said, a correction, is not said. Where a single
    character was added to a said word, as when letter cards are held up, only that is said.

    Args:
        said: What counted as said so far.
        accepted: The text by now.
    """
    # A word that is being written anew is a correction while anything of it is left.
    said, words = said[: len(accepted.text.split())], accepted.words
    new: list[str] = []
    for kind, i, i_end, j, j_end in SequenceMatcher(None, said, words, False).get_opcodes():
        if kind in ("insert", "replace"):
            pairs = zip(said[i:i_end], words[j:j_end], strict=False)
            new += [word[-1] for old, word in pairs if word[:-1] == old]
            new += words[j + i_end - i : j_end]
    return tuple(new), (*words, *said[len(words) :])
