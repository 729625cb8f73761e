"""Where a live run's text and pictures go besides window and files: voice, keyboard, camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hcr_live.options import LiveOptions
from hcr_live.sinks.worker import PictureSink, TextSink
from hcr_live.sources.base import SourceInfo
from hcr_live.view import View


class Outputs:
    """Several sinks as one; none of them ever holds up the loop.

    Args:
        texts: Follow the text.
        pictures: Take each picture.
        shown: Those of them that act on other programs, in capitals: the window names them.
    """

    def __init__(
        self,
        texts: Sequence[TextSink] = (),
        pictures: Sequence[PictureSink] = (),
        shown: tuple[str, ...] = (),
    ) -> None:
        self._texts = texts
        self._pictures = pictures
        self.shown = shown

    @property
    def takes_pictures(self) -> bool:
        """Whether `picture` leads anywhere."""
        return bool(self._pictures)

    @property
    def errors(self) -> list[str]:
        """A sentence for each that failed, which ended its use."""
        errors = [sink.error for sink in self._texts] + [sink.error for sink in self._pictures]
        return [error for error in errors if error]

    @property
    def notice(self) -> str:
        """One sentence that the user has to know now, or ""."""
        return next(filter(None, [*self.errors, *(sink.notice for sink in self._texts)]), "")

    def follow(self, view: View) -> None:
        """Take in the view after a frame or a key."""
        for sink in self._texts:
            sink.follow(view)

    def picture(self, image: NDArray[np.uint8]) -> None:
        """Take a uint8 (height, width, 3) BGR picture that nobody changes any more."""
        for sink in self._pictures:
            sink.picture(image)

    def close(self, text: str | None = None) -> None:
        """End all; may be called twice.

        Args:
            text: The whole text of the run; None if it never began.
        """
        for sink in self._texts:
            sink.close(text)
        for camera in self._pictures:
            camera.close()


def open_outputs(options: LiveOptions, info: SourceInfo) -> Outputs:
    """Open what the options ask for.

    Args:
        options: What was asked for.
        info: Of the source, for the size and rate of the pictures.

    Raises:
        HcrError: If a package or a device is missing; nothing stays open then.
    """
    texts: list[TextSink] = []
    pictures: list[PictureSink] = []
    outputs = Outputs(texts, pictures, _shown(options))
    try:
        if options.type:
            from hcr_live.sinks.typing import make_typist

            texts.append(make_typist())
        if options.clipboard:
            from hcr_live.sinks.clipboard import make_clipboard

            texts.append(make_clipboard())
        if options.virtual_camera:
            from hcr_live.overlay.layout import composed_size
            from hcr_live.sinks.virtual_camera import make_virtual_camera

            width, height = composed_size(info.width, info.height, options.layout)
            pictures.append(make_virtual_camera(width, height, info.fps or 30.0))
        if options.speak:  # last: a voice takes a while to start
            from hcr_live.sinks.speech import make_speaker

            texts.append(make_speaker())
    except BaseException:
        outputs.close()
        raise
    return outputs


def _shown(options: LiveOptions) -> tuple[str, ...]:
    asked = (("TYPING", options.type), ("CLIPBOARD", options.clipboard))
    return tuple(name for name, is_on in asked if is_on)
