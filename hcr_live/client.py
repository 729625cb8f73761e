"""The service as a library: what `Recognizer` does, done by `python main.py serve` elsewhere."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hcr_live.errors import HcrError
from hcr_live.frame import Box
from hcr_live.reading import Candidates, Character, Prediction, Reading

Picture: TypeAlias = "str | os.PathLike[str] | bytes | NDArray[Any]"
"""A file's path, the content of one (JPEG, PNG, WebP, ..), or an array for `Recognizer.read`."""

_Value = TypeVar("_Value")


class Client:
    """Has pictures and pen strokes read by a service.

    Example:
        >>> from hcr_live.client import Client
        >>> with Client("http://127.0.0.1:8000") as client:
        ...     print(client.read("sheet.jpg").text)

    Args:
        url: Where the service is, `http://` or `https://`, and the path before `/v1` if any.
        token: What the service asks for, if anything.
        timeout: Seconds to wait for a connection, and for an answer.

    Connections are kept open from call to call. Any number of threads may use an instance.

    Raises:
        HcrError: Here, if the address or the token cannot be one or httpx is not installed; by
            every method, if the picture or the strokes cannot be sent, the service is not there,
            does not answer in time, or refuses.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8000", token: str | None = None, *, timeout: float = 30.0
    ) -> None:
        self._url, self._timeout = _checked_url(url), timeout
        self._http = _httpx().Client(**_options(self._url, token, timeout))

    def read(
        self,
        picture: Picture,
        *,
        alphabet: str = "letters",
        min_confidence: float = 0.5,
        region: Sequence[int] | None = None,
    ) -> Reading:
        """Read a whole picture, as `Recognizer.read` does.

        Args:
            picture: A path, the content of a file, or an array.
            alphabet: As `Recognizer` takes it.
            min_confidence: Leave out characters that are less sure, in [0, 1].
            region: x, y, width, height: read only this part, in pixels of the picture.
        """
        body = _picture_body(picture, alphabet, region) | {"min_confidence": float(min_confidence)}
        return self._ask(_reading, "v1/read", body)

    def character(
        self,
        picture: Picture,
        *,
        alphabet: str = "letters",
        region: Sequence[int] | None = None,
    ) -> Prediction:
        """Read the one character of a picture, as `Recognizer.read_character` does.

        The arguments are those of `read`.
        """
        return self._ask(_prediction, "v1/character", _picture_body(picture, alphabet, region))

    def strokes(self, strokes: Sequence[ArrayLike], *, alphabet: str = "letters") -> Prediction:
        """Read one character from pen strokes, as `Recognizer.read_strokes` takes them."""
        return self._ask(_prediction, "v1/strokes", _strokes_body(strokes, alphabet))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, make: Callable[[Any], _Value], path: str, body: dict[str, Any]) -> _Value:
        with _explained(self._url, self._timeout):
            response = self._http.post(path, json=body)
        return _made(make, response, self._url)


class AsyncClient:
    """`Client` for asyncio: the same arguments, the same answers, to be awaited."""

    def __init__(
        self, url: str = "http://127.0.0.1:8000", token: str | None = None, *, timeout: float = 30.0
    ) -> None:
        self._url, self._timeout = _checked_url(url), timeout
        self._http = _httpx().AsyncClient(**_options(self._url, token, timeout))

    async def read(
        self,
        picture: Picture,
        *,
        alphabet: str = "letters",
        min_confidence: float = 0.5,
        region: Sequence[int] | None = None,
    ) -> Reading:
        """Read a whole picture, see `Client.read`."""
        body = _picture_body(picture, alphabet, region) | {"min_confidence": float(min_confidence)}
        return await self._ask(_reading, "v1/read", body)

    async def character(
        self,
        picture: Picture,
        *,
        alphabet: str = "letters",
        region: Sequence[int] | None = None,
    ) -> Prediction:
        """Read the one character of a picture, see `Client.character`."""
        body = _picture_body(picture, alphabet, region)
        return await self._ask(_prediction, "v1/character", body)

    async def strokes(
        self, strokes: Sequence[ArrayLike], *, alphabet: str = "letters"
    ) -> Prediction:
        """Read one character from pen strokes, see `Client.strokes`."""
        body = _strokes_body(strokes, alphabet)
        return await self._ask(_prediction, "v1/strokes", body)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _ask(self, make: Callable[[Any], _Value], path: str, body: dict[str, Any]) -> _Value:
        with _explained(self._url, self._timeout):
            response = await self._http.post(path, json=body)
        return _made(make, response, self._url)


def _httpx() -> Any:
    try:
        import httpx
    except ImportError as error:
        raise HcrError("The client needs httpx: pip install httpx.") from error
    return httpx


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # raises where it is no number
    except ValueError:
        is_address = False
    if not is_address:
        raise HcrError(
            f"'{url}' is no address of a service: give http://HOST:PORT or https://HOST."
        )
    return url.rstrip("/") + "/"


def _options(url: str, token: str | None, timeout: float) -> dict[str, Any]:
    if token is not None and (not token or not all("!" <= letter <= "~" for letter in token)):
        raise HcrError("A token is one word of ASCII characters: check what you pass as token.")
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return {"base_url": url, "headers": headers, "timeout": timeout}


def _picture_body(picture: Picture, alphabet: str, region: Sequence[int] | None) -> dict[str, Any]:
    image = b64encode(_content(picture)).decode("ascii")
    body: dict[str, Any] = {"image": image, "alphabet": alphabet}
    return body if region is None else body | {"region": [int(value) for value in region]}


def _strokes_body(strokes: Sequence[ArrayLike], alphabet: str) -> dict[str, Any]:
    from hcr_live.ink.render import checked_strokes

    points = [stroke[:, :2].tolist() for stroke in checked_strokes(strokes)]
    return {"strokes": points, "alphabet": alphabet}


def _content(picture: Picture) -> bytes:
    """Return a picture as the bytes of an image file."""
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return bytes(picture)
    if isinstance(picture, (str, os.PathLike)):
        try:
            return Path(picture).read_bytes()
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or error
            raise HcrError(f"Cannot read the picture {picture}: {said}.") from error
    import cv2

    from hcr_live.sources.images import to_bgr

    # The lightest compression: sending takes less time than packing.
    _, content = cv2.imencode(".png", to_bgr(np.asarray(picture)), (cv2.IMWRITE_PNG_COMPRESSION, 1))
    return content.tobytes()


@contextmanager
def _explained(url: str, timeout: float) -> Iterator[None]:
    """Turn what goes wrong on the way into one sentence."""
    import httpx

    try:
        yield
    except httpx.ConnectTimeout as error:
        raise HcrError(
            f"Nothing answers at {url} within {timeout:g} seconds: check the address."
        ) from error
    except httpx.ConnectError as error:
        raise HcrError(
            f"Cannot reach the service at {url} ({error}): check the address, or start it with"
            " `python main.py serve`."
        ) from error
    except httpx.TimeoutException as error:
        raise HcrError(
            f"The service at {url} did not answer within {timeout:g} seconds: try again, or give"
            " a longer timeout."
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise HcrError(f"The connection to {url} broke ({error}): try again.") from error


def _made(make: Callable[[Any], _Value], response: Any, url: str) -> _Value:
    """Return the value that an answer holds.

    Raises:
        HcrError: With the service's own sentence, if it refused.
    """
    try:
        answer = response.json()
        if response.status_code == 200:
            return make(answer)
        detail = str(answer["detail"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HcrError(
            f"What answers at {url} (status {response.status_code}) is not this service, or"
            " another version of it: check the address."
        ) from error
    raise HcrError(detail)


def _reading(answer: Any) -> Reading:
    characters = tuple(
        Character(each["text"], each["confidence"], _candidates(each), Box(*each["box"]))
        for each in answer["characters"]
    )
    joined = tuple(Box(*box) for box in answer["joined"])
    return Reading(answer["text"], tuple(answer["lines"]), characters, joined)


def _prediction(answer: Any) -> Prediction:
    return Prediction(
        answer["text"],
        answer["confidence"],
        _candidates(answer),
        probabilities=dict(answer["probabilities"]),
    )


def _candidates(answer: Any) -> Candidates:
    return tuple((str(text), float(value)) for text, value in answer["candidates"])
