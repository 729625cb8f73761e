from __future__ import annotations

import pytest

from hcr_live.frame import Box
from hcr_live.paper.memory import PageMemory, Sighting
from hcr_live.text import join_page

WIDTH, HEIGHT = 1280, 720


def word(text: str, x: int = 300, y: int = 300, first: int = 0) -> list[Sighting]:
    """A word of letters 60 wide with gaps of 20."""
    return [
        Sighting(first + n, letter, Box(x + 80 * n, y, 60, 80), 0, 0)
        for n, letter in enumerate(text)
    ]


def inside(sightings: list[Sighting]) -> list[Sighting]:
    """Only what lies in the frame as a whole."""
    return [
        s
        for s in sightings
        if s.box.x > 0 and s.box.x + s.box.w < WIDTH and 0 < s.box.y < HEIGHT - s.box.h
    ]


class Film:
    """Shows a memory frame after frame; keeps the text as a session does."""

    def __init__(self) -> None:
        self.memory, self.frame, self.kept, self.news = PageMemory(), 0, "", 0

    def show(self, sightings: list[Sighting], frames: int = 1) -> None:
        for _ in range(frames):
            before = self.text
            news, ended = self.memory.update(sightings, self.frame / 30, WIDTH, HEIGHT)
            if ended:
                self.kept += before
            self.news += len(news)
            self.frame += 1

    @property
    def text(self) -> str:
        return join_page(self.memory.page)


@pytest.mark.parametrize("velocity", [(10, 0), (-20, 0), (0, 12), (30, 0), (0, -8)])
def test_a_page_that_leaves_the_frame_keeps_its_text_and_order(velocity):
    film = Film()
    film.show(word("HELLO"), 30)
    for step in range(150):
        film.show(inside(word("HELLO", 300 + velocity[0] * step, 300 + velocity[1] * step)))
    film.show([], 90)
    assert film.kept == "HELLO"
    assert film.news == 5


def test_an_erased_character_goes_and_a_hidden_one_stays_a_while():
    film = Film()
    film.show(word("HELLO"), 30)
    film.show(word("HELLO")[:4], 45)
    assert film.text == "HELLO"
    film.show(word("HELLO")[:4], 30)
    assert film.text == "HELL"


def test_a_character_that_comes_late_finds_its_place():
    film = Film()
    late = word("HELLO")
    film.show([late[0], late[3], late[4]], 30)
    film.show([late[0], *late[2:]], 5)
    film.show([late[0], late[1], *late[3:]], 1)  # another one hidden
    assert film.text == "HELLO"


def test_a_character_lost_and_found_is_no_news():
    film = Film()
    film.show(word("HELLO"), 30)
    film.show(word("HELLO")[:4], 40)
    film.show([*word("HELLO")[:4], Sighting(99, "O", word("HELLO")[4].box, 0, 0)], 5)
    assert film.text == "HELLO"
    assert film.news == 5


def test_a_flickering_layout_does_not_change_the_text():
    film = Film()
    film.show(word("HELLO"), 10)
    for _ in range(20):
        film.show([*word("HELLO")[:4], Sighting(4, "O", word("HELLO")[4].box, 0, 1)])
        film.show(word("HELLO"), 2)
        assert film.text == "HELLO"


def test_another_sheet_is_another_page():
    film = Film()
    film.show(word("AB"), 30)
    film.show([], 15)
    film.show(word("CD", first=10), 5)
    assert (film.kept, film.text) == ("AB", "CD")
