from __future__ import annotations

import re

import numpy as np

from hcr_live import events
from hcr_live.frame import Box, Frame
from hcr_live.reading import Character
from hcr_live.service.description import HEARD
from hcr_live.view import View
from tests.service.conftest import Service


def test_the_page_of_the_description_needs_nothing_from_elsewhere(service: Service):
    answer = service.http.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script" not in answer.text
    loaded = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    for address in loaded:
        assert service.http.get(f"/{address}").status_code == 200


def test_the_page_names_every_address_and_every_message(service: Service):
    page = service.http.get("/docs").text
    for path, operations in service.http.get("/openapi.json").json()["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in page
    for word in ("WS /v1/live", "min_confidence", "suggestions", "language", "1013"):
        assert word in page


def test_every_field_of_every_event_is_described():
    frame = Frame(np.zeros((4, 4, 3), np.uint8), 0, 0.0)
    character = Character("K", 0.9, (("K", 0.9),), Box(0, 0, 1, 1))
    happened = [
        events.view_event(View(frame, "paper", True, "letters"), 0),
        events.character_event(character, time=0, frame=0, mode="paper"),
        events.stroke_event(np.zeros((1, 3), np.float32), palm=1, time=0),
        events.edit_event("accept", 0, time=0),
        events.text_event("K", time=0),
        events.end_event(frames=1, dropped=0, seconds=1, text="K"),
    ]
    for event in happened:
        described = ", ".join(HEARD[event["event"]][1]).split(", ")
        assert set(described) == set(event) - {"event"}
