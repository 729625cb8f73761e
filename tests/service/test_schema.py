"""The service does what its OpenAPI description says, whatever it is asked (schemathesis)."""

from __future__ import annotations

from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import BaseSchema

from tests.service.conftest import Service, base64, drawn, encoded

READING = ("/v1/character", "/v1/read", "/v1/strokes")
STATE = ("/v1/model", "/healthz", "/readyz", "/metrics")
# Right by its schema, a picture may still be none, and a region outside of it.
_ALLOWED = ["200", "400", "413", "415", "422"]
_NOT_ALLOWED = ["400", "413", "415", "422"]
_PICTURES = [encoded(drawn(letter, side=48), kind) for letter in "KR" for kind in (".png", ".jpg")]


@pytest.fixture(scope="module")
def described(service: Service) -> BaseSchema:
    """The description that the service gives of itself."""
    schemathesis.openapi.format("byte", st.sampled_from([base64(each) for each in _PICTURES]))
    schemathesis.openapi.format("binary", st.sampled_from(_PICTURES) | st.binary(max_size=99))
    config = SchemathesisConfig.from_dict(
        {
            "checks": {
                "positive_data_acceptance": {"expected-statuses": _ALLOWED},
                "negative_data_rejection": {"expected-statuses": _NOT_ALLOWED},
            }
        }
    )
    url = f"http://127.0.0.1:{service.port}/openapi.json"
    return schemathesis.openapi.from_url(url, config=config)


def statuses(operation: schemathesis.APIOperation, mode: GenerationMode, count: int) -> Counter:
    """Ask as the description allows, or as it does not; return the answers' statuses."""
    seen: Counter[int] = Counter()

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        seen[case.call_and_validate(timeout=20).status_code] += 1

    ask()
    return seen


def test_the_description_lists_every_address(described: BaseSchema):
    assert set(described) == {*READING, *STATE}


@pytest.mark.parametrize("path", READING)
def test_requests_that_the_description_allows(described: BaseSchema, path: str):
    seen = statuses(described[path]["POST"], GenerationMode.POSITIVE, 40)
    assert seen[200] > 10


@pytest.mark.parametrize("path", READING)
def test_requests_that_it_does_not_allow(described: BaseSchema, path: str):
    seen = statuses(described[path]["POST"], GenerationMode.NEGATIVE, 40)
    assert seen[422] + seen[400] > 10


@pytest.mark.parametrize("path", STATE)
def test_what_is_asked_without_a_body(described: BaseSchema, path: str):
    assert set(statuses(described[path]["GET"], GenerationMode.POSITIVE, 3)) == {200}
