"""Voices for the process of its own in which one speaks; it finds them here by name."""

from __future__ import annotations

import os
from types import SimpleNamespace


def voice_into_file() -> SimpleNamespace:
    def speak(words: str, interrupt: bool) -> None:
        with open(os.environ["SAID"], "a", encoding="utf-8") as file:
            file.write(f"{words}\n")

    return SimpleNamespace(
        speak=speak, speaking=False, features=SimpleNamespace(supports_is_speaking=True)
    )


def no_voice() -> SimpleNamespace:
    raise RuntimeError("there is none!")


def voice_that_crashes() -> SimpleNamespace:
    def speak(words: str, interrupt: bool) -> None:
        os._exit(1)

    return SimpleNamespace(speak=speak)
