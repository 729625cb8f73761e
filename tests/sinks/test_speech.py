"""Accepted words, spoken: in what order, how often, and what a stuck or missing voice does."""

from __future__ import annotations

import threading

import pytest

from hcr_live.errors import HcrError
from hcr_live.sinks.speech import Speaker, SystemVoice
from hcr_live.sinks.worker import TextSink
from tests.sinks.voices import no_voice, voice_into_file, voice_that_crashes
from tests.test_accepted import view


class FakeVoice:
    """Keeps what it was told to say; speaks only while `free` is set."""

    def __init__(self, error: str = "") -> None:
        self.said: list[str] = []
        self.free = threading.Event()
        self.free.set()
        self.began = threading.Event()
        self.closed = False
        self._error = error

    def say(self, words: str) -> None:
        self.began.set()
        self.free.wait(30)
        if self._error:
            raise HcrError(self._error)
        self.said.append(words)

    def close(self) -> None:
        self.closed = True
        self.free.set()


def test_each_word_is_said_when_its_space_comes():
    voice = FakeVoice()
    speaker: TextSink = Speaker(voice)
    for number, text in enumerate(["U", "UP", "UP ", "UP T", "UP TO"]):
        speaker.follow(view(text, number / 30))
    speaker.close("UP TO")
    assert voice.said == ["UP", "TO"]
    assert voice.closed
    assert speaker.error == ""


def test_a_voice_that_is_behind_holds_up_nothing_and_says_the_newest_words():
    voice = FakeVoice()
    voice.free.clear()
    speaker = Speaker(voice)
    words = [f"W{number}" for number in range(40)]
    speaker.follow(view("W0 ", 0.0))
    assert voice.began.wait(30)
    for number in range(1, 40):
        speaker.follow(view(" ".join(words[: number + 1]) + " ", number / 30))
    voice.free.set()
    speaker.close()
    assert voice.said[0] == "W0"
    assert voice.said[1:] == words[-8:]


def test_a_whole_page_is_said_in_parts():
    voice = FakeVoice()
    speaker = Speaker(voice)
    words = [f"W{number}" for number in range(30)]
    speaker.follow(view(" ".join(words), 0.0, "paper", still=True))
    speaker.close()
    assert " ".join(voice.said).split() == words
    assert len(voice.said) == 3


def test_a_voice_that_fails_says_so_once_and_the_run_goes_on():
    voice = FakeVoice(error="The voice is gone.")
    speaker = Speaker(voice)
    speaker.follow(view("UP ", 0.0))
    speaker.close("UP TO")
    speaker.follow(view("UP TO GO ", 0.1))
    speaker.close()
    assert speaker.error == "The voice is gone."
    assert voice.said == []


def test_the_voice_speaks_in_a_process_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("SAID", str(tmp_path / "said.txt"))
    speaker = Speaker(SystemVoice(voice_into_file))
    speaker.follow(view("UP ", 0.0))
    speaker.close("UP TO")
    speaker.close("UP TO")
    assert (tmp_path / "said.txt").read_text().split() == ["UP", "TO"]
    assert speaker.error == ""


def test_a_system_without_a_voice_is_told_what_to_install():
    with pytest.raises(HcrError, match=r"can't be used \(there is none\): .+\.$"):
        SystemVoice(no_voice)


def test_a_driver_that_crashes_does_not_take_the_program_along():
    voice = SystemVoice(voice_that_crashes)
    with pytest.raises(HcrError, match="process has ended"):
        voice.say("UP")
    voice.close()
    voice.say("TO")
