"""The command `serve`: the recogniser over HTTP and WebSocket, and its page."""

from __future__ import annotations

import os
import socket
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hcr_live.errors import HcrError
from hcr_live.options import ServeOptions
from hcr_live.service.settings import SHARED_FIGURES, Settings, is_loopback

if TYPE_CHECKING:
    import uvicorn

TOKEN_VARIABLE = "HCR_LIVE_TOKEN"


def run(options: ServeOptions) -> int:
    """Serve until Ctrl-C.

    Returns:
        The exit status.

    Raises:
        HcrError: If the address cannot be used, or needs a token and there is none, or the network
            is missing or damaged.
    """
    settings = settings_of(options)
    # What OpenCV decodes at most, as it reads the size in a header itself.
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(settings.pixels))
    from hcr_live.classifier import Classifier

    Classifier(settings.model)  # says what is wrong with it; each worker makes its own
    config = server_config(settings)
    with listen(settings) as listener:
        address = _address(settings, listener)
        print(f"hcr_live: serving at {address} (Ctrl-C ends it)", flush=True)
        return _serve(config, settings, listener)


def _serve(config: uvicorn.Config, settings: Settings, listener: socket.socket) -> int:
    if settings.workers == 1:
        import uvicorn

        server = uvicorn.Server(config)
        server.run(sockets=[listener])
        return 0 if server.started else 1
    from uvicorn.supervisors import Multiprocess

    with tempfile.TemporaryDirectory(prefix="hcr_live_") as folder:
        os.environ[SHARED_FIGURES] = folder
        Multiprocess(config, sockets=[listener]).run()
    return 0


def server_config(settings: Settings) -> uvicorn.Config:
    """Return how uvicorn runs the service.

    Raises:
        HcrError: If a library that it needs is not installed.
    """
    try:
        import uvicorn

        from hcr_live.service.app import make_app
        from hcr_live.service.protocol import LimitedProtocol
    except ModuleNotFoundError as error:
        raise HcrError(
            f"serve needs {error.name}, which is not installed: pip install -r requirements.txt."
        ) from error

    return uvicorn.Config(
        partial(make_app, settings),
        factory=True,
        workers=settings.workers,
        http=partial(LimitedProtocol, limits=settings),  # type: ignore[arg-type]
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=settings.frame_bytes,
        ws_per_message_deflate=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )


def settings_of(options: ServeOptions) -> Settings:
    """Return the settings that options and environment ask for.

    Raises:
        HcrError: If the address is open to others and there is no token.
    """
    token = _token(options.token_file)
    if not token and not is_loopback(options.host):
        raise HcrError(
            f"Others can reach {options.host}: set a token in {TOKEN_VARIABLE} or --token-file, or"
            " listen on 127.0.0.1."
        )
    return Settings(
        host=options.host,
        port=options.port,
        workers=options.workers,
        token=token,
        origins=options.allow_origin,
        model=options.model,
    )


def _token(file: Path | None) -> str:
    if file is None:
        token, where = os.environ.get(TOKEN_VARIABLE, "").strip(), TOKEN_VARIABLE
    else:
        try:
            token, where = file.read_text(encoding="utf-8").strip(), f"the file {file}"
        except OSError as error:
            raise HcrError(f"Cannot read the token file {file}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise HcrError(f"The token file {file} is no text: write a token into it.") from error
        if not token:
            raise HcrError(f"The token file {file} is empty: write a token into it.")
    if not all("!" <= letter <= "~" for letter in token):
        raise HcrError(f"The token in {where} must be one word of ASCII characters.")
    return token


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens where the settings say.

    Raises:
        HcrError: If that is not possible.
    """
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise HcrError(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror or error}."
        ) from error


def _address(settings: Settings, listener: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}"
