import numpy as np
import pytest

from hcr_live.editor import Editor
from hcr_live.text import PageCharacter


def row(letter, sure=0.9):
    letters = np.full(26, (1 - sure) / 25, np.float32)
    letters[ord(letter.upper()) - 65] = sure
    return letters


def nearest(rows):
    """A dictionary of three words: those of the length, by how well they fit."""
    words = [word for word in ("cat", "car", "dog", "at") if len(word) == len(rows)]
    fit = {w: sum(float(r[ord(c) - 97]) for r, c in zip(rows, w, strict=True)) for w in words}
    return sorted(words, key=lambda word: -fit[word])


@pytest.fixture
def editor():
    return Editor(nearest)


def write(editor, word):
    for letter in word:
        editor.write(letter, row(letter))


def test_a_word_is_suggested_in_its_case_and_taken_with_a_space(editor):
    write(editor, "CAP")
    assert editor.suggestions[0] in ("CAT", "CAR")
    assert "DOG" in editor.suggestions
    first = editor.suggestions[0]
    assert editor.accept()
    assert str(editor) == f"{first} "
    assert editor.suggestions == ()
    write(editor, "Dog")
    assert editor.suggestions[0] == "Dog"
    assert not editor.accept(3)
    assert str(editor) == f"{first} Dog"


def test_every_edit_can_be_undone_in_turn(editor):
    states = [str(editor)]
    for edit in (
        lambda: write(editor, "c"),
        lambda: write(editor, "a"),
        lambda: write(editor, "p"),
        lambda: editor.accept(1),
        lambda: write(editor, "a"),
        editor.delete,
        lambda: write(editor, "x"),
        editor.space,
        editor.clear,
    ):
        edit()
        states.append(str(editor))
    assert states[-1] == ""
    for state in reversed(states[:-1]):
        assert editor.undo()
        assert str(editor) == state
    assert not editor.undo()
    write(editor, "dog")
    assert editor.suggestions[0] == "dog"


def test_undo_brings_the_suggestions_back(editor):
    write(editor, "dog")
    editor.space()
    assert editor.suggestions == ()
    editor.undo()
    assert editor.suggestions[0] == "dog"
    editor.delete()
    assert editor.suggestions == ("at",)


def test_no_second_space_and_none_at_the_start(editor):
    editor.space()
    assert str(editor) == ""
    write(editor, "at")
    editor.space()
    editor.space()
    assert str(editor) == "at "


def test_what_paper_wrote_is_not_taken_back_nor_completed(editor):
    write(editor, "a")
    editor.show_page((PageCharacter(0, "Q", 0, 0),))
    assert not editor.can_undo
    editor.keep_page()
    before = str(editor)
    write(editor, "t")
    assert editor.suggestions == ()
    editor.undo()
    assert str(editor) == before


def test_a_digit_ends_the_help(editor):
    editor.write("d", row("d"))
    editor.write("0", None)
    editor.write("g", row("g"))
    assert editor.suggestions == ()
    assert str(editor) == "d0g"


def test_a_word_that_was_ended_gets_its_space_with_the_next_letter(editor):
    assert not editor.end_word()
    write(editor, "do")
    assert editor.end_word()
    assert not editor.end_word()
    assert str(editor) == "do"
    write(editor, "at")
    assert str(editor) == "do at"
    editor.end_word()
    editor.undo()
    write(editor, "e")
    assert str(editor) == "do ate"
    for left in ("do at", "do a", "do ", "do", "d"):
        editor.undo()
        assert str(editor) == left
    write(editor, "og")
    editor.end_word()
    assert editor.accept()
    write(editor, "a")
    assert str(editor) == "dog a"
