"""Words and vectors together, and a model that ranks again: what comes first, and what happens when an
endpoint is away."""

import pytest

import stub_llm
from client import Api
from stub_llm import StubLlm

RETRIEVE = "/api/v1/retrieval/retrieve"
# The endpoint knows that these mean the same; the words of the texts do not.
SYNONYMS = {"automobile": "car", "physician": "doctor", "vessel": "ship"}
DOCUMENTS = {
    "car.md": b"# Garage\n\nThe car stands in the yard and is washed on Mondays by the porter.",
    "doctor.md": b"# Practice\n\nThe doctor sees patients in the morning and visits farms later.",
    "ship.md": b"# Pier\n\nThe ship is moored at the north pier until the ice has gone.",
    "bread.md": b"# Oven\n\nBread is baked before dawn and sold at the gate while it is warm.",
}


def understand(request, answer):
    if "input" not in request:
        return answer
    for row, said in zip(answer["data"], request["input"]):
        words = [SYNONYMS.get(word, word) for word in stub_llm.words_of(said)]
        row["embedding"] = stub_llm.embedding(" ".join(words), 1024)
    return answer


@pytest.fixture
def endpoint():
    stub = StubLlm()
    stub.dims = 1024  # so that words seldom share a place
    stub.spoil = understand
    yield stub
    stub.close()


@pytest.fixture
def built(fresh, endpoint):
    """(api, index) with vectors of DOCUMENTS."""
    api = Api(fresh(*endpoint.embed_args))
    _, _, index = api.build(DOCUMENTS)
    return api, index


def best(api, index, query, **more):
    found = api.retrieve(index["id"], query, **more)
    return found[0]["content"] if found else None


@pytest.mark.parametrize("query, word", [("automobile", "car"), ("physician", "doctor"), ("vessel", "ship")])
def test_vectors_find_what_words_do_not(built, query, word):
    api, index = built
    assert "The " + word in best(api, index, query)
    assert "The " + word in best(api, index, query, full_text_pipeline_weight=0, vector_pipeline_weight=1)
    # Words alone: nothing of the documents is in the question.
    found = api.retrieve(index["id"], query, vector_pipeline_weight=0, full_text_pipeline_weight=1)
    assert all(c["score"] < 0.5 for c in found)


def test_words_and_vectors_agree(built):
    api, index = built
    for query, word in (("Who washes the car?", "car"), ("bread at dawn", "Bread")):
        for weights in ({}, {"vector_pipeline_weight": 1, "full_text_pipeline_weight": 0.1},
                        {"vector_pipeline_weight": 0.1, "full_text_pipeline_weight": 1}):
            found = api.retrieve(index["id"], query, **weights)
            assert word in found[0]["content"]
            assert all(0 <= c["score"] <= 1 for c in found)


def test_filters_hold_for_vectors_too(built):
    api, index = built
    car = next(f["file_id"] for f in api.find(index["id"]) if f["file_name"] == "car.md")
    wanted = {"parsed_directory_file_id": {"operator": "ne", "value": car}}
    found = api.retrieve(index["id"], "automobile", static_filters=wanted)
    assert found and all("car" not in c["content"] for c in found)


def test_new_documents_are_found_by_their_vectors(built):
    api, index = built
    directory = api.index(index["id"])["source_directory_id"]
    api.upload(directory, "boat.md", b"# Lake\n\nA rowing boat lies upside down behind the shed.")
    api.post("/api/v1/indexes/%s/sync" % index["id"])
    api.wait_index(index["id"])
    assert "rowing boat" in best(api, index, "boat", full_text_pipeline_weight=0)
    assert "The ship" in best(api, index, "vessel")


def test_without_the_endpoint_words_answer(built, endpoint):
    api, index = built
    endpoint.spoil = lambda request, answer: stub_llm.error(401, "no such key")
    assert "car" in best(api, index, "Who washes the car?")
    body = api.refused("POST", RETRIEVE, 503, json={"index_id": index["id"], "query": "automobile",
                                                    "full_text_pipeline_weight": 0})
    assert "embed" in str(body)


def test_vectors_outlive_a_restart(built):
    api, index = built
    api.server.stop()
    api.server.start()
    assert "The car" in best(api, index, "automobile")


def test_another_model_is_not_mixed_in(fresh, endpoint):
    server = fresh(*endpoint.embed_args)
    api = Api(server)
    _, _, index = api.build(DOCUMENTS)
    server.stop()
    server.args = [a if a != stub_llm.EMBEDDER else "another-embedder" for a in server.args]
    server.start()
    assert "car" in best(api, index, "Who washes the car?")
    body = api.refused("POST", RETRIEVE, 409, json={"index_id": index["id"], "query": "automobile",
                                                    "full_text_pipeline_weight": 0})
    assert "another model" in str(body)


def test_a_model_ranks_again(fresh, endpoint):
    api = Api(fresh("--rerank-url", endpoint.url, "--rerank-model", "judge"))
    _, _, index = api.build(DOCUMENTS)
    query = "the porter washed the car in the yard"
    found = api.retrieve(index["id"], query)
    request = endpoint.rerank_requests[-1]
    assert request["model"] == "judge" and request["query"] == query
    assert found[0]["rerank_score"] > 0.8
    assert found[0]["content"] in request["documents"]
    # It turns the order round, and says so in rerank_score.
    endpoint.spoil = lambda _, answer: {"results": [
        {"index": row["index"], "relevance_score": 1 - row["relevance_score"]}
        for row in answer["results"]]}
    turned = api.retrieve(index["id"], query)
    assert turned[-1]["content"] == found[0]["content"]
    assert [c["rerank_score"] for c in turned] == sorted((c["rerank_score"] for c in turned), reverse=True)
    # Not asked, or broken: the order of the scores.
    asked = len(endpoint.rerank_requests)
    assert api.retrieve(index["id"], query, rerank={"enabled": False})[0]["rerank_score"] is None
    assert len(endpoint.rerank_requests) == asked
    endpoint.spoil = lambda _, answer: b"not JSON"
    assert api.retrieve(index["id"], query)[0]["content"] == found[0]["content"]
