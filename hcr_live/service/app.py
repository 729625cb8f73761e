"""The application: what is answered where."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response, WebSocket
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from hcr_live import __version__
from hcr_live.classifier import MODEL
from hcr_live.errors import HcrError
from hcr_live.resources import model_path
from hcr_live.service.answers import CharacterAnswer, ReadAnswer, State
from hcr_live.service.description import about, json_body, picture_body, problem_answers
from hcr_live.service.docs import docs_page
from hcr_live.service.guard import Guard
from hcr_live.service.live import Hub, live
from hcr_live.service.metrics import Measure, Metrics
from hcr_live.service.problems import Problem
from hcr_live.service.reading import CharacterReader, PictureReader
from hcr_live.service.requests import (
    CharacterRequest,
    ReadRequest,
    StrokesRequest,
    picture_request,
    strokes_request,
)
from hcr_live.service.settings import Settings

_FOLDER = Path(__file__).parent
_PAGE = _FOLDER / "page"


def make_app(settings: Settings) -> FastAPI:
    """Return the service; the networks are loaded while it starts, before it is reached.

    Args:
        settings: Whom it answers, and its limits.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pictures = PictureReader(settings)
        characters = CharacterReader(settings, metrics, pictures)
        app.state.pictures, app.state.characters = pictures, characters
        hub = app.state.hub = Hub(settings, metrics)
        try:
            yield
        finally:
            await hub.close()
            pictures.close()
            characters.close()

    app = FastAPI(
        title="hcr_live",
        version=__version__,
        description=about(),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(Measure, metrics=metrics)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    _add_problems(app)
    _add_reading(app, settings)
    _add_state(app, settings, metrics)
    _add_pages(app)
    return app


def _add_reading(app: FastAPI, settings: Settings) -> None:
    """What the service is for."""
    problems = problem_answers()

    @app.post(
        "/v1/character",
        response_model=CharacterAnswer,
        responses=problems,
        openapi_extra=picture_body(CharacterRequest),
    )
    async def character(request: Request) -> Response:
        """Read a picture that shows one character; the largest counts if there are several."""
        asked, image = await picture_request(request, CharacterRequest)
        return _json(await app.state.characters.picture(image, asked.alphabet, asked.box))

    @app.post(
        "/v1/read",
        response_model=ReadAnswer,
        responses=problems,
        openapi_extra=picture_body(ReadRequest),
    )
    async def read(request: Request) -> Response:
        """Read a whole picture: text, lines, and every character with its box."""
        asked, image = await picture_request(request, ReadRequest)
        return _json(
            await app.state.pictures.read(image, asked.alphabet, asked.min_confidence, asked.box)
        )

    @app.post(
        "/v1/strokes",
        response_model=CharacterAnswer,
        responses=problems,
        openapi_extra=json_body(StrokesRequest),
    )
    async def strokes(request: Request) -> Response:
        """Read one character from the way of the pen."""
        asked = await strokes_request(request, settings.strokes_bytes, settings.points)
        return _json(await app.state.characters.strokes(asked.strokes, asked.alphabet))

    @app.websocket("/v1/live")
    async def live_socket(websocket: WebSocket) -> None:
        await live(websocket, app.state.hub)


def _add_state(app: FastAPI, settings: Settings, metrics: Metrics) -> None:
    """What whoever runs the service wants to know."""
    card = _model_card(settings)

    @app.get("/v1/model", response_model=dict[str, Any], responses=problem_answers(401, 403))
    async def model() -> Response:
        """Describe the network that reads ink: its data, its figures, its SHA-256."""
        return _json(card)

    @app.get("/healthz", response_model=State, responses=problem_answers(403))
    async def healthz() -> Response:
        """Tell that the process answers."""
        return _json(b'{"status":"ok"}')

    @app.get("/readyz", response_model=State, responses=problem_answers(403))
    async def readyz() -> Response:
        """Tell that the networks are loaded and characters are being read; 503 if not."""
        if not app.state.characters.is_running:
            raise Problem(503, "Characters are not being read: restart the service.")
        return _json(b'{"status":"ready"}')

    @app.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}, **problem_answers(401, 403)},
    )
    async def figures() -> Response:
        """Give the figures of all workers to Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_pages(app: FastAPI) -> None:
    """What a browser opens; the description does not list it."""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(docs_page(app.openapi()), media_type="text/html")

    @app.get("/docs.css", include_in_schema=False)
    async def docs_style() -> Response:
        return Response((_FOLDER / "docs.css").read_bytes(), media_type="text/css")

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return Response((_PAGE / "index.html").read_bytes(), media_type="text/html")

    app.mount("/page", StaticFiles(directory=_PAGE, check_dir=False))


def _model_card(settings: Settings) -> bytes:
    """Return the card beside the network, or just its name where it has none."""
    path = model_path(MODEL) if settings.model is None else settings.model
    try:
        return path.with_suffix(".json").read_bytes()
    except OSError:
        return json.dumps({"model": path.stem}).encode()


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
            404: "There is nothing at this address: see /docs.",
            405: "This address does not take that method: see /docs.",
        }.get(error.status_code, f"{HTTPStatus(error.status_code).phrase}.")
        return Problem(error.status_code, detail, error.headers).response()

    async def failure(request: Request, error: Exception) -> Response:
        return Problem(500, "The service failed on this request: its log says why.").response()

    handlers: dict[type[Exception], Any] = {
        Problem: problem,
        HcrError: hcr_error,
        HTTPException: http_error,
        Exception: failure,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
