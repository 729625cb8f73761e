from pathlib import Path

import pytest

from train.data import SOURCES, source_of

PAGE = " ".join((Path(__file__).parents[3] / "docs" / "data.md").read_text("utf-8").split())


@pytest.mark.parametrize("name", SOURCES)
def test_the_page_says_where_each_is_and_its_licence(name):
    source = SOURCES[name]
    assert source.address in PAGE
    assert f"Licence: {source.licence}" in PAGE
    assert source_of(name) is source


def test_a_users_own_file_has_no_source():
    assert source_of("mine") is None
    assert source_of("font:caveat") is SOURCES["font"]
    assert source_of("emnist-letters") is SOURCES["emnist"]
