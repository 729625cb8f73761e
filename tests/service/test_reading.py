from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from generator.letters import letter_strokes
from generator.sheet import sheet_image
from hcr_live import Recognizer
from hcr_live.alphabet import ALPHABETS, get_alphabet
from hcr_live.events import reading_fields
from hcr_live.service.settings import Settings
from tests.paper.drawn import lines_of_strokes
from tests.service.conftest import Service, base64, drawn, encoded, running


def character(service: Service, image, **fields) -> dict:
    answer = service.post("/v1/character", {"image": base64(image), **fields})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


@pytest.mark.parametrize("letter", "KRW")
def test_a_character_is_read_with_the_probability_of_every_label(service: Service, letter: str):
    answer = character(service, drawn(letter))
    assert answer["text"] == letter
    assert answer["alphabet"] == "letters"
    assert list(answer["probabilities"]) == list(get_alphabet("letters").labels)
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert answer["confidence"] == pytest.approx(answer["probabilities"][letter], abs=1e-4)
    assert answer["candidates"][0] == [letter, answer["confidence"]]
    assert len(answer["candidates"]) == 3


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_an_answer_is_of_the_alphabet_that_was_asked_for(service: Service, alphabet: str):
    answer = character(service, drawn("3"), alphabet=alphabet)
    assert answer["text"] in get_alphabet(alphabet).labels
    assert set(answer["probabilities"]) == set(get_alphabet(alphabet).labels)


def test_every_way_to_send_a_picture_gives_the_same_answer(service: Service):
    content = encoded(drawn("R"))
    plain = character(service, content)
    url = service.post("/v1/character", {"image": f"data:image/png;base64,{base64(content)}"})
    lines = "\r\n".join(base64(content)[at : at + 76] for at in range(0, len(content), 76))
    wrapped = service.post(
        "/v1/character", {"image": lines + base64(content)[len(lines.replace("\r\n", "")) :]}
    )
    form = service.http.post(
        "/v1/character", files={"image": ("r.png", content)}, data={"alphabet": "letters"}
    )
    assert url.json() == wrapped.json() == form.json() == plain


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp", ".gif"])
def test_each_format_is_read(service: Service, ending: str):
    image = cv2.cvtColor(drawn("R"), cv2.COLOR_GRAY2BGR)
    assert character(service, encoded(image, ending))["text"] == "R"


def test_transparent_and_inverted_and_16_bit_pictures_are_read(service: Service):
    image = drawn("K")
    on_glass = cv2.merge([np.zeros_like(image)] * 3 + [255 - image])
    for picture in (on_glass, 255 - image, image.astype(np.uint16) * 257):
        assert character(service, encoded(picture))["text"] == "K"


@pytest.mark.parametrize("side", [28, 200, 900])
def test_small_and_large_pictures_are_read(service: Service, side: int):
    assert character(service, drawn("E", side=side))["text"] == "E"


def test_nothing_written_is_no_character(service: Service):
    answer = character(service, np.full((50, 50), 255, np.uint8))
    assert answer["text"] == ""
    assert answer["confidence"] == 0
    assert answer["candidates"] == []
    assert answer["probabilities"] == {}
    answer = service.post("/v1/strokes", {"strokes": []}).json()
    assert answer["text"] == ""


def test_a_region_of_a_picture_is_read(service: Service):
    both = np.hstack([drawn("K"), drawn("W")])
    assert character(service, both, region=[96, 0, 96, 96])["text"] == "W"
    form = service.http.post(
        "/v1/character", files={"image": encoded(both)}, data={"region": "0,0,96,96"}
    )
    assert form.json()["text"] == "K"


def test_strokes_are_read_as_the_library_reads_them(service: Service):
    recognizer = Recognizer(alphabet="all")
    for letter in "KE":
        strokes = letter_strokes(letter, np.random.default_rng(2))
        points = [np.asarray(stroke)[:, :2].tolist() for stroke in strokes]
        answer = service.post("/v1/strokes", {"strokes": points, "alphabet": "all"}).json()
        expected = recognizer.read_strokes(points)
        assert answer["text"] == expected.text
        assert answer["confidence"] == pytest.approx(expected.confidence, abs=1e-4)
        assert answer["probabilities"] == pytest.approx(dict(expected.probabilities), abs=1e-5)


def test_a_sheet_is_read_as_the_library_reads_it(service: Service):
    image = sheet_image(lines_of_strokes("RAKE\nTWO", 5), seed=3).image
    for fields in ({}, {"alphabet": "upper", "min_confidence": 0.9}):
        answer = service.post("/v1/read", {"image": base64(image), **fields})
        reading = Recognizer(**{"alphabet": "letters"} | fields).read(image)
        expected = reading_fields("", reading) | {"alphabet": fields.get("alphabet", "letters")}
        del expected["source"]
        assert answer.json() == json.loads(json.dumps(expected))
    assert reading.text


def test_many_at_once_each_get_their_own_answer(service: Service):
    letters = "ABCDEFGHKLMNRSTUWXYZ" * 4
    bodies = {
        letter: {"image": base64(drawn(letter)), "alphabet": "all"} for letter in set(letters)
    }
    alone = {letter: service.post("/v1/character", body).json() for letter, body in bodies.items()}
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda x: service.post("/v1/character", bodies[x]).json(), letters)
        )
    for letter, answer in zip(letters, answers, strict=True):
        assert answer["text"] == alone[letter]["text"]
        assert answer["probabilities"] == pytest.approx(alone[letter]["probabilities"], abs=1e-4)


def test_one_bad_picture_does_not_spoil_the_others(service: Service):
    good = {"image": base64(drawn("K"))}
    bad = {"image": base64(encoded(drawn("K"))[:200])}
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda body: service.post("/v1/character", body), [good, bad] * 10)
        )
    assert [answer.status_code for answer in answers] == [200, 422] * 10


def test_more_than_may_wait_is_refused_for_a_moment():
    image = sheet_image(lines_of_strokes("RAKE", 5), seed=3).image
    body = {"image": base64(image)}
    with running(Settings(port=0, pictures=2)) as service, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: service.post("/v1/read", body), range(16)))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert {answer.status_code for answer in answers} == {200, 429}
        assert refused[0].headers["retry-after"] == "1"
        assert service.post("/v1/read", body).status_code == 200


def test_the_model_card_says_what_reads(service: Service):
    card = service.http.get("/v1/model").json()
    assert card["model"] == "hcr62"
    assert len(card["sha256"]) == 64


def test_figures_count_what_was_answered(service: Service):
    def figures() -> dict[str, float]:
        lines = service.http.get("/metrics").text.splitlines()
        rows = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return {name: float(value) for name, value in rows}

    before = figures()
    service.post("/v1/character", {"image": base64(drawn("K"))})
    service.post("/v1/character", {"image": "?"})
    after = figures()
    for status in (200, 400):
        name = f'hcr_live_requests_total{{endpoint="/v1/character",status="{status}"}}'
        assert after[name] == before.get(name, 0) + 1
    assert after["hcr_live_characters_total"] == before["hcr_live_characters_total"] + 1
    count = 'hcr_live_request_seconds_count{endpoint="/v1/character"}'
    assert after[count] == before.get(count, 0) + 2


def test_probes_answer(service: Service):
    assert service.http.get("/healthz").json() == {"status": "ok"}
    assert service.http.get("/readyz").json() == {"status": "ready"}
