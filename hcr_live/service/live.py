"""`WS /v1/live`: pictures in, events and views out. The event loop only receives and sends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from starlette.websockets import WebSocket, WebSocketDisconnect

from hcr_live.errors import HcrError
from hcr_live.language.suggester import Suggester
from hcr_live.service.connection import Answer, Bad, Close, Inbox, Picture, Reader
from hcr_live.service.detectors import Detectors
from hcr_live.service.guard import bearer, token_is_right
from hcr_live.service.messages import LONGEST, End, FrameTime, Message, Start, message_of
from hcr_live.service.metrics import Metrics
from hcr_live.service.settings import Settings

_TOKEN_SECONDS = 10.0
_CLOSING_SECONDS = 5.0
_NO_ROOM_SECONDS = 0.01
_MOST_VIEWS = 4
_MOST_EVENTS = 1000
_MOST_CHARACTERS = 4_000_000


class Refusal(Exception):
    """A connection that ends here: code and reason of WebSocket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.close = Close(code, reason)


class Hub:
    """What all live connections share; made and used on the event loop.

    Args:
        settings: The limits.
        metrics: Where to count.
    """

    def __init__(self, settings: Settings, metrics: Metrics | None = None) -> None:
        self.settings = settings
        self.metrics = metrics or Metrics()
        self.detectors = Detectors()
        self.suggesters = {language: Suggester(language) for language in ("en", "off")}
        self._connections: set[Outbox] = set()
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Outbox]:
        """Take a place; yield what is to be sent.

        Raises:
            Refusal: If there is none.
        """
        if self._closed:
            raise Refusal(1001, "The service stops.")
        if len(self._connections) >= self.settings.connections:
            raise Refusal(1013, "Too many live connections: try again later.")
        outbox = Outbox()
        self._connections.add(outbox)
        self.metrics.live.inc()
        try:
            yield outbox
        finally:
            self._connections.remove(outbox)
            self.metrics.live.dec()

    async def close(self) -> None:
        """End all connections and release the detectors."""
        self._closed = True
        for outbox in self._connections:
            outbox.put([Close(1001, "The service stops.")])
        while self._connections:
            await asyncio.sleep(0.01)
        self.detectors.close()


class Outbox:
    """What waits to be sent, used on the event loop only.

    Of views only the newest wait, events are never dropped.

    Attributes:
        overflows: Set once even the events are too many: the client does not read them.
    """

    def __init__(self) -> None:
        self.overflows = asyncio.Event()
        self._waiting: deque[Answer | Close] = deque()
        self._changed = asyncio.Event()
        self._characters = 0

    def put(self, answers: Sequence[Answer | Close]) -> None:
        """Add answers, those of one message together."""
        for answer in answers:
            self._waiting.append(answer)
            if isinstance(answer, Answer):
                self._characters += len(answer.text)
        views = [one for one in self._waiting if isinstance(one, Answer) and one.is_view]
        for view in views[:-_MOST_VIEWS]:
            self._waiting.remove(view)
            self._characters -= len(view.text)
        if len(self._waiting) > _MOST_EVENTS or self._characters > _MOST_CHARACTERS:
            self.overflows.set()
        self._changed.set()

    async def take(self) -> Answer | Close:
        """Wait for the oldest answer."""
        while not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        answer = self._waiting.popleft()
        if isinstance(answer, Answer):
            self._characters -= len(answer.text)
        return answer


async def live(websocket: WebSocket, hub: Hub) -> None:
    """Serve one connection from its handshake to its end."""
    await websocket.accept()
    try:
        first = await _authorised(websocket, hub.settings)
        with hub.connection() as outbox:
            await _talk(websocket, hub, outbox, first)
    except Refusal as refusal:
        with contextlib.suppress(WebSocketDisconnect, asyncio.TimeoutError):
            await asyncio.wait_for(_close(websocket, refusal.close), _CLOSING_SECONDS)
    except WebSocketDisconnect:
        pass


async def _authorised(websocket: WebSocket, settings: Settings) -> Start | None:
    """Return the client's start if that had to be read for its token.

    Raises:
        Refusal: If the token is missing or wrong.
    """
    if token_is_right(bearer(websocket.headers), settings):
        return None
    message: object = None
    with contextlib.suppress(HcrError, asyncio.TimeoutError):
        item = await asyncio.wait_for(_receive(websocket, settings), _TOKEN_SECONDS)
        message = message_of(item) if isinstance(item, str) else None
    if isinstance(message, Start) and token_is_right(message.token, settings):
        return message
    raise Refusal(1008, "The service wants its token: send it in start, or as a bearer.")


async def _talk(websocket: WebSocket, hub: Hub, outbox: Outbox, first: Start | None) -> None:
    """Have a thread read what comes, and send what it answers, until either side ends."""
    settings, loop = hub.settings, asyncio.get_running_loop()
    inbox = Inbox(settings.frames_a_second)
    ended = asyncio.Event()

    def post(answers: Sequence[Answer | Close]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(outbox.put, answers)

    reader = Reader(
        inbox,
        post,
        detectors=hub.detectors,
        suggesters=hub.suggesters,
        model=settings.model,
        most_pixels=settings.frame_pixels,
        count=lambda result: hub.metrics.frames.labels(result).inc(),
    )

    def run() -> None:
        reader.run()
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)

    if first is not None:
        inbox.put(first)
    threading.Thread(target=run, name="live", daemon=True).start()
    sending = asyncio.create_task(_send_all(websocket, outbox))
    receiving = asyncio.create_task(_receive_all(websocket, inbox, settings))
    silence = asyncio.create_task(_end_when_silent(inbox, settings.idle_seconds))
    overflow = asyncio.create_task(outbox.overflows.wait())
    tasks = (sending, receiving, silence, overflow)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        refusal = receiving.exception() if receiving.done() else None
        if isinstance(refusal, Refusal):
            outbox.put([refusal.close])
            await asyncio.wait({sending}, timeout=_CLOSING_SECONDS)
    finally:
        inbox.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        hub.metrics.frames.labels("dropped").inc(inbox.dropped)
        await ended.wait()


async def _receive_all(websocket: WebSocket, inbox: Inbox, settings: Settings) -> None:
    """Put what comes where it is read; what comes after the end is not.

    Raises:
        Refusal: If the client breaks a limit.
        WebSocketDisconnect: If it is gone.
    """
    pictures, taken, ends = 0, None, False
    while True:
        item = await _receive(websocket, settings)
        if ends:
            continue
        if isinstance(item, bytes):
            inbox.put(Picture(item, pictures, time.monotonic(), taken))
            pictures, taken = pictures + 1, None
            continue
        word = _understood(item)
        if isinstance(word, FrameTime):
            taken = word.time
            continue
        while not inbox.put(word):
            await asyncio.sleep(_NO_ROOM_SECONDS)  # who says more meanwhile has to wait, too
        ends = isinstance(word, End)


async def _end_when_silent(inbox: Inbox, seconds: float) -> None:
    """Say the end for a client that says nothing for so long, and return if that takes too long."""
    while (left := inbox.heard + seconds - time.monotonic()) > 0:
        await asyncio.sleep(left)
    inbox.put(End())
    await asyncio.sleep(_CLOSING_SECONDS)


def _understood(text: str) -> Message | Bad:
    try:
        return message_of(text)
    except HcrError as error:
        return Bad(str(error))


async def _receive(websocket: WebSocket, settings: Settings) -> str | bytes:
    """Return the next message.

    Raises:
        Refusal: If it is too large.
        WebSocketDisconnect: If the client is gone.
    """
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text: str | None = message.get("text")
    if text is not None:
        if len(text) > LONGEST:
            raise Refusal(1009, f"A text message has more than {LONGEST} characters.")
        return text
    data: bytes = message.get("bytes") or b""
    if len(data) > settings.frame_bytes:
        raise Refusal(1009, f"A picture has more than {settings.frame_bytes} bytes.")
    return data


async def _send_all(websocket: WebSocket, outbox: Outbox) -> None:
    """Send what waits until the connection is to be closed."""
    while True:
        answer = await outbox.take()
        if isinstance(answer, Close):
            await _close(websocket, answer)
            return
        await websocket.send_text(answer.text)


async def _close(websocket: WebSocket, close: Close) -> None:
    await websocket.close(close.code, close.reason)
