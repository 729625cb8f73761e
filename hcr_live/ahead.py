"""A file's next frames, taken before the present one is drawn, so that work on them overlaps."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from hcr_live.frame import Frame
from hcr_live.sources.base import Source

if TYPE_CHECKING:
    from hcr_live.session import Session

_DECODED_SECONDS = 1.0
"""A file's next frame is there by then, on a busy machine as well."""


class FramesAhead:
    """Frames of a source, in order.

    Args:
        source: Where they come from; closed by the caller.
        session: What reads them.
    """

    def __init__(self, source: Source, session: Session) -> None:
        self._source = source
        self._session = session
        self._ahead: deque[Frame | Exception] = deque()

    def next(self) -> Frame | None:
        """Return the next frame, or None where a camera has none yet.

        Raises:
            EndOfSource: After the last frame.
        """
        if not self._ahead:
            return self._source.read(timeout=0.1)
        frame = self._ahead.popleft()
        if isinstance(frame, Exception):
            raise frame
        return frame

    def look(self, frame: Frame) -> None:
        """Have hands looked for in the frames that follow this one, which was read just now."""
        if self._source.info.live or frame.still:
            return  # a camera's is not there yet; two large photos at once would waste memory
        while len(self._ahead) < self._session.frames_ahead:
            if self._ahead and isinstance(self._ahead[-1], Exception):
                return
            try:
                # What a look starts from depends on which ones were collected before it: always on
                # as many, however fast the file is decoded.
                following = self._source.read(timeout=_DECODED_SECONDS)
            except Exception as trouble:  # raised again when it is this frame's turn
                self._ahead.append(trouble)
                return
            if following is None:
                return
            self._ahead.append(following)
            self._session.look_ahead(following)
