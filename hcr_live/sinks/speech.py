"""Accepted words, spoken by the system's voice.

The voice lives in a process of its own. On some systems pyttsx3 needs a main thread, prints, or
never returns (nateshmbhat/pyttsx3 issues 22, 126, 402); none of that reaches the live loop.
"""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Protocol

from hcr_live.accepted import Accepted, new_words
from hcr_live.errors import HcrError
from hcr_live.sinks.worker import AcceptedSink, Worker

_MOST_WAITING = 8
_WORDS_AT_ONCE = 12
_START_SECONDS, _SAY_SECONDS, _END_SECONDS = 30.0, 60.0, 1.0
_MISSING = 'Speaking needs another package: pip install "hcr-live[speak]".'
_VOICES = {
    "win32": "add one in the settings under Time & language, Speech",
    "darwin": "add one in the settings under Accessibility, Spoken Content",
}
_VOICES_ELSEWHERE = "install one, as with: sudo apt install espeak-ng alsa-utils"


class Voice(Protocol):
    """What can say words."""

    def say(self, words: str) -> None:
        """Say them; returns once they were said."""

    def close(self) -> None:
        """Be silent, at once; may be called twice."""


class Speaker(AcceptedSink[str]):
    """Says each accepted word once; a `TextSink`.

    When the voice can't keep up, the newest words count.
    """

    def __init__(self, voice: Voice) -> None:
        super().__init__(Worker(voice.say, "Speaking", most_waiting=_MOST_WAITING))
        self._voice = voice
        self._said: tuple[str, ...] = ()

    def close(self, text: str | None = None) -> None:
        """Say what is left, for a few seconds at most, and end; see `TextSink.close`."""
        super().close(text)
        self._voice.close()

    def _items(self, accepted: Accepted) -> Iterator[str]:
        words, self._said = new_words(self._said, accepted)
        for start in range(0, len(words), _WORDS_AT_ONCE):
            yield " ".join(words[start : start + _WORDS_AT_ONCE])


def make_speaker() -> Speaker:
    """Start the system's voice.

    Raises:
        HcrError: If the library or a voice is missing.
    """
    if importlib.util.find_spec("pyttsx3") is None:
        raise HcrError(_MISSING)
    if sys.platform.startswith("linux") and shutil.which("aplay") is None:
        raise _no_voice("aplay, which plays it, is missing")
    return Speaker(SystemVoice())


class SystemVoice:
    """The system's voice by pyttsx3, in a process of its own; a `Voice`.

    Args:
        driver: Name of pyttsx3's driver; None for the system's.

    Raises:
        HcrError: If there is no voice.
    """

    def __init__(self, driver: str | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_speak, args=(other, driver), daemon=True)
        self._process.start()
        other.close()
        self._closed = False
        try:
            self._wait(_START_SECONDS)
        except HcrError:
            self.close()
            raise

    def say(self, words: str) -> None:
        """Say words; returns once they were said.

        Raises:
            HcrError: If the voice failed or does not answer.
        """
        try:
            self._connection.send(words)
            self._wait(_SAY_SECONDS)
        except (OSError, HcrError):
            if not self._closed:
                raise

    def close(self) -> None:
        """End the process, in the middle of a word if need be; may be called twice."""
        self._closed = True
        self._process.terminate()
        self._process.join(_END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(_END_SECONDS)

    def _wait(self, seconds: float) -> None:
        """Wait until the process has done what it is at."""
        try:
            if not self._connection.poll(seconds):
                raise _no_voice("it does not answer")
            trouble = self._connection.recv()
        except (EOFError, OSError):
            trouble = "its process has ended"
        if trouble:
            raise _no_voice(trouble)


def _speak(connection: Connection, driver: str | None) -> None:
    """Say what comes, in the process of the voice; answer each with "" or what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which ends this one
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # events may go to standard output
    os.dup2(nowhere, 2)
    trouble = ""
    try:
        import pyttsx3

        engine = pyttsx3.init(driver)
        connection.send("")
        while True:
            words = connection.recv()
            # From 2.99 on an engine of Windows says only what comes first (issues 402, 440).
            del engine
            engine = pyttsx3.init(driver)
            engine.say(words)
            engine.runAndWait()
            connection.send("")
    except EOFError:
        return
    except Exception as error:  # the library raises anything
        trouble = str(error) or type(error).__name__
    with contextlib.suppress(OSError):
        connection.send(trouble)


def _no_voice(reason: str) -> HcrError:
    where = _VOICES.get(sys.platform, _VOICES_ELSEWHERE)
    return HcrError(f"The system's voice can't be used ({reason.strip().rstrip('.!')}): {where}.")
