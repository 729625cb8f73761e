"""The application: what is answered where."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from hcr_live import __version__
from hcr_live.errors import HcrError
from hcr_live.resources import model_path
from hcr_live.service.guard import Guard
from hcr_live.service.metrics import Metrics
from hcr_live.service.problems import Problem
from hcr_live.service.reading import Readers
from hcr_live.service.requests import (
    CharacterRequest,
    ReadRequest,
    picture_request,
    strokes_request,
)
from hcr_live.service.settings import Settings

_PAGE = Path(__file__).parent / "page"


def make_app(settings: Settings) -> FastAPI:
    """Return the service; it reads the networks when it is started."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.readers = Readers(settings)
        try:
            live_module = importlib.import_module("hcr_live.service.live")
        except ImportError:
            app.state.hub = None
        else:
            app.state.hub = live_module.Hub(settings)
        try:
            yield
        finally:
            app.state.readers.close()

    app = FastAPI(
        title="hcr_live",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(Guard, settings=settings)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    _add_problems(app)

    @app.post("/v1/character")
    async def character(request: Request) -> Response:
        asked, image = await picture_request(request, CharacterRequest)
        return _json(await app.state.readers.character(image, asked.alphabet, asked.box))

    @app.post("/v1/read")
    async def read(request: Request) -> Response:
        asked, image = await picture_request(request, ReadRequest)
        return _json(
            await app.state.readers.picture(image, asked.alphabet, asked.min_confidence, asked.box)
        )

    @app.post("/v1/strokes")
    async def strokes(request: Request) -> Response:
        asked = await strokes_request(request, settings.strokes_bytes, settings.points)
        return _json(await app.state.readers.strokes(asked.strokes, asked.alphabet))

    @app.get("/v1/model")
    def model() -> Response:
        return _json(model_path("hcr62.json").read_bytes())

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> Response:
        if not app.state.readers.is_ready:
            raise Problem(503, "The service is not ready.")
        return _json(b'{"status":"ready"}')

    @app.get("/metrics")
    async def figures() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    @app.websocket("/v1/live")
    async def live_socket(websocket: WebSocket) -> None:
        if app.state.hub is None:
            await websocket.close(1013)
            return
        await importlib.import_module("hcr_live.service.live").live(websocket, app.state.hub)

    if _PAGE.is_dir():
        app.mount("/page", StaticFiles(directory=_PAGE), name="page")

        @app.get("/", include_in_schema=False)
        async def page() -> Response:
            return Response((_PAGE / "index.html").read_bytes(), media_type="text/html")

    return app


def from_environment() -> FastAPI:
    """Return the service of a worker process, with the settings that its parent left."""
    return make_app(Settings.from_environment())


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


def _add_problems(app: FastAPI) -> None:
    """Answer whatever goes wrong with a problem."""

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response()

    async def hcr_error(request: Request, error: Exception) -> Response:
        return Problem(422, str(error)).response()

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = {
            404: "There is nothing here: see /docs for what there is.",
            405: "This address does not take that method: see /docs for what it takes.",
        }.get(error.status_code, f"{HTTPStatus(error.status_code).phrase}.")
        return Problem(error.status_code, detail, error.headers).response()

    async def failure(request: Request, error: Exception) -> Response:
        return Problem(500, "The service failed on this request; its log says why.").response()

    handlers: dict[Any, Any] = {
        Problem: problem,
        HcrError: hcr_error,
        HTTPException: http_error,
        Exception: failure,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
