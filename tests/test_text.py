from hcr_live.text import PageCharacter, Text, join_page


def page(text: str) -> tuple[PageCharacter, ...]:
    """A page laid out as the text is: spaces part words, newlines lines."""
    characters, identity = [], 0
    for line, row in enumerate(text.split("\n")):
        for word, letters in enumerate(row.split(" ")):
            for letter in letters:
                characters.append(PageCharacter(identity, letter, line, word))
                identity += 1
    return tuple(characters)


def test_a_page_keeps_its_words_and_lines():
    assert join_page(page("AB C\nDE")) == "AB C\nDE"


def test_air_characters_and_spaces_follow_each_other():
    text = Text()
    for character in ("H", "I", " ", "U"):
        text = text.write(character)
    assert str(text) == "HI U"


def test_letter_cards_shown_one_after_the_other_spell_a_word():
    text = Text()
    for card in "CAT":
        text = text.show_page(page(card)).keep_page().show_page(())
    assert str(text) == "CAT"


def test_a_page_of_several_characters_stands_on_its_own_lines():
    text = Text().write("A").show_page(page("HELLO"))
    assert str(text) == "A\nHELLO"
    assert str(text.keep_page().write("B")) == "A\nHELLO\nB"


def test_a_page_in_view_may_still_change():
    text = Text().show_page(page("HE")).show_page(page("HEL"))
    assert str(text) == "HEL"


def test_delete_takes_the_last_character_and_it_stays_deleted_while_in_view():
    text = Text(kept="A").show_page(page("B")).delete()
    assert str(text) == "A"
    assert str(text.show_page(page("B"))) == "A"
    assert str(text.delete()) == ""
    assert str(Text().delete()) == ""


def test_clear_also_clears_what_is_in_view():
    text = Text(kept="OLD").show_page(page("HELLO")).clear()
    assert str(text) == ""
    assert str(text.show_page(page("HELLO"))) == ""
    assert str(text.keep_page().show_page(page("NEW"))) == "NEW"


def test_a_space_after_the_page_in_view_does_not_write_the_page_again():
    text = Text().show_page(page("AB")).write(" ")
    assert str(text) == "AB "
    assert str(text.show_page(page("AB"))) == "AB "
    assert str(text.show_page(page("AB")).delete()) == "AB"
