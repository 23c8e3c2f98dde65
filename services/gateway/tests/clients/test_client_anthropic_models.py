"""The official ``anthropic`` client looks for models, page by page."""

import pytest
from gateway_stand.town import ALIAS, COMING, LOADED

from spark_common.testing.later import Later

anthropic = Later("anthropic")

pytestmark = pytest.mark.connected


@pytest.fixture(scope="module")
def client(town):
    with anthropic.Anthropic(base_url=town.url, api_key="none", max_retries=0) as made:
        yield made


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_it_turns_every_page_and_finds_what_it_can_talk_to(client, size):
    found = [model.id for model in client.models.list(limit=size)]
    assert {LOADED, COMING} <= set(found)
    assert len(found) == len(set(found))
    assert "BAAI/bge-m3" not in found


def test_it_finds_one_by_its_name_and_is_refused_in_its_words(client):
    model = client.models.retrieve(LOADED)
    assert (model.type, model.id, model.display_name) == ("model", LOADED, LOADED)
    assert model.created_at.year >= 2023
    assert client.models.retrieve(ALIAS).id
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.models.retrieve("org/nothing")
    assert caught.value.body["error"]["type"] == "not_found_error"
