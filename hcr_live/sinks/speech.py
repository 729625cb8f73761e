"""Accepted words, spoken by the system's voice or by the screen reader that runs.

The library, Prism, gives words to whatever speaks on the system and comes back at once. It lives
in a process of its own: on macOS it needs a main thread, and nothing that happens in a driver of
the system, a crash included, shall reach the live loop.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, Protocol

from hcr_live.accepted import Accepted, new_words
from hcr_live.errors import HcrError
from hcr_live.sinks.worker import AcceptedSink, Worker

_MOST_WAITING = 8
_WORDS_AT_ONCE = 12
_START_SECONDS, _SAY_SECONDS, _END_SECONDS = 30.0, 60.0, 1.0
_CHARACTERS_A_SECOND = 14.0  # of usual speech
_POLL_SECONDS = 0.05
_IDLE_SECONDS = _POLL_SECONDS if sys.platform == "darwin" else None
_MISSING = 'Speaking needs another package: pip install "prismatoid>=0.18,<0.19".'
_VOICES = {
    "win32": "add one in the settings under Time & language, Speech",
    "darwin": "add one in the settings under Accessibility, Spoken Content",
}
_VOICES_ELSEWHERE = "install one, as with: sudo apt install speech-dispatcher"


class Voice(Protocol):
    """What can say words."""

    def say(self, words: str) -> None:
        """Say them; returns once they were said."""

    def close(self) -> None:
        """Say nothing more; may be called twice."""


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
    if importlib.util.find_spec("prism") is None:
        raise HcrError(_MISSING)
    return Speaker(SystemVoice())


class SystemVoice:
    """The system's voice, in a process of its own; a `Voice`.

    Args:
        open_voice: Called in that process; returns the voice, of Prism's `Backend` what is used.

    Raises:
        HcrError: If there is no voice.
    """

    def __init__(self, open_voice: Callable[[], Any] | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        arguments = other, open_voice or _open_best_voice
        self._process = context.Process(target=_speak, args=arguments, daemon=True)
        self._process.start()
        other.close()
        self._closed = False
        try:
            self._wait(_START_SECONDS)
        except HcrError:
            self.close()
            raise

    def say(self, words: str) -> None:
        """Say words; returns about when they were said.

        Raises:
            HcrError: If the voice failed or does not answer.
        """
        self._wait(_SAY_SECONDS, words)

    def close(self) -> None:
        """End the process; may be called twice."""
        self._closed = True
        self._process.terminate()
        self._process.join(_END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(_END_SECONDS)

    def _wait(self, seconds: float, words: str | None = None) -> None:
        """Wait until the process is ready, or has said these words."""
        try:
            if words is not None:
                self._connection.send(words)
            is_done = self._connection.poll(seconds)
            trouble = self._connection.recv() if is_done else "it does not answer"
        except (EOFError, OSError):
            trouble = "its process has ended"
        if trouble and not self._closed:
            raise _no_voice(trouble)


def _speak(connection: Connection, open_voice: Callable[[], Any]) -> None:
    """Say what comes, in the process of the voice; answer each with "" or what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which ends this one
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # events may go to standard output
    os.dup2(nowhere, 2)
    with contextlib.suppress(EOFError, OSError):  # the program has ended
        try:
            voice = open_voice()
            while True:
                connection.send("")
                while not connection.poll(_IDLE_SECONDS):
                    _let_system_work(0.0)
                words = connection.recv()
                voice.speak(words, interrupt=False)
                _wait_until_said(voice, words)
        except (EOFError, OSError):
            raise
        except Exception as error:  # a driver raises anything
            connection.send(str(error) or type(error).__name__)


def _wait_until_said(voice: Any, words: str) -> None:
    """Wait until the voice is silent; as long as saying it takes where that can't be asked."""
    _let_system_work(1 / _CHARACTERS_A_SECOND)
    if voice.features.supports_is_speaking:
        while voice.speaking:
            _let_system_work(_POLL_SECONDS)
    else:
        _let_system_work(len(words) / _CHARACTERS_A_SECOND)


def _let_system_work(seconds: float) -> None:
    """Wait; on macOS a voice works within the run loop of the main thread."""
    if sys.platform != "darwin":
        time.sleep(seconds)
        return
    foundation = ctypes.CDLL("/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation")
    mode = ctypes.c_void_p.in_dll(foundation, "kCFRunLoopDefaultMode")
    foundation.CFRunLoopRunInMode.argtypes = ctypes.c_void_p, ctypes.c_double, ctypes.c_bool
    until = time.monotonic() + seconds
    foundation.CFRunLoopRunInMode(mode, seconds, False)
    time.sleep(max(0.0, until - time.monotonic()))  # it comes back at once if it has nothing to do


def _open_best_voice() -> Any:
    """Return the screen reader that runs, else the system's voice."""
    import prism

    context = prism.Context()
    try:
        voice = context.create_best()
    except ValueError as error:
        raise RuntimeError("there is none") from error
    voice.context = context  # which has to live as long
    return voice


def _no_voice(reason: str) -> HcrError:
    where = _VOICES.get(sys.platform, _VOICES_ELSEWHERE)
    return HcrError(f"The system's voice can't be used ({reason.strip().rstrip('.!')}): {where}.")
