"""Vectors of chunks: what is sent to the endpoint, what the store keeps, what a bad endpoint does."""

import sqlite3
import struct

import pytest

import stub_llm
from client import Api
from cria_server import wait_for
from stub_llm import StubLlm

INDEXES = "/api/v1/indexes"
PARAGRAPH = "The %s keeper of station %d counts lamps, ropes and buoys every evening before dark. " * 12


@pytest.fixture
def endpoint():
    stub = StubLlm()
    yield stub
    stub.close()


@pytest.fixture
def embedding_api(fresh, endpoint):
    return Api(fresh(*endpoint.embed_args, "--embed-batch", "8",
                     env={"CRIA_EMBED_KEY": "embed-key"}))


def paper(name, stations, changed=None):
    """A document with a section, and so a chunk, for each station."""
    parts = ["# The %s papers" % name]
    for n in stations:
        parts += ["## Station %d" % n, PARAGRAPH % ((changed or name, n) * 12)]
    return "\n\n".join(parts).encode()


def rows(api, index):
    """The vectors that are kept of an index's live documents: {name: (chunks, row)}."""
    with sqlite3.connect("file:%s?mode=ro" % (api.server.data / "cria.db"), uri=True) as db:
        db.row_factory = sqlite3.Row
        found = db.execute(
            "SELECT d.display_name, d.chunk_count AS chunks, v.* FROM documents d"
            " LEFT JOIN document_vectors v ON v.project_id = d.project_id AND v.document_id = d.id"
            " WHERE d.index_id = ? AND d.is_live = 1", (index["id"],)).fetchall()
    return {row["display_name"]: row for row in found}


def kept_rows(api):
    with sqlite3.connect("file:%s?mode=ro" % (api.server.data / "cria.db"), uri=True) as db:
        return db.execute("SELECT count(*), coalesce(sum(is_kept), 0) FROM document_vectors").fetchone()


def embedder_of(api, index):
    with sqlite3.connect("file:%s?mode=ro" % (api.server.data / "cria.db"), uri=True) as db:
        return db.execute("SELECT embedder FROM indexes WHERE id = ?", (index["id"],)).fetchone()[0]


def vectors_of(row):
    each = row["dims"] * 2
    return [struct.unpack("<%de" % row["dims"], row["vectors"][at:at + each])
            for at in range(0, len(row["vectors"]), each)]


def assert_whole(api, index):
    """Every chunk of every document has its vector."""
    found = rows(api, index)
    for name, row in found.items():
        assert row["chunk_count"] == row["chunks"] > 0, name
        assert len(row["hashes"]) == 16 * row["chunks"]
        assert len(row["vectors"]) == row["chunks"] * row["dims"] * 2
        for vector in vectors_of(row):
            assert abs(sum(x * x for x in vector) - 1) < 0.01
    return found


def resync(api, index, want="ready"):
    api.post("%s/%s/sync" % (INDEXES, index["id"]))
    return api.wait_index(index["id"], want)


def replace(api, directory, entry, name, data):
    api.delete("/api/v1/beta/directories/%s/files/%s" % (directory["id"], entry["id"]))
    return api.upload(directory["id"], name, data)


def sent(endpoint):
    texts = list(endpoint.embedded)
    endpoint.embedded.clear()
    return texts


def test_every_chunk_gets_its_vector(embedding_api, endpoint):
    api = embedding_api
    _, _, index = api.build({"north.md": paper("north", range(12)), "south.md": paper("south", [1])})
    found = assert_whole(api, index)
    texts = sent(endpoint)
    chunks = sum(row["chunks"] for row in found.values())
    # One word more, which asked how long the vectors are.
    assert texts[0] == "word" and len(texts) == chunks + 1 and chunks >= 13
    assert embedder_of(api, index) == "stub-embedder@64"
    for request in endpoint.embed_requests:
        assert request["model"] == stub_llm.EMBEDDER and len(request["input"]) <= 8
        assert request["encoding_format"] == "float"
    assert endpoint.headers[-1]["authorization"] == "Bearer embed-key"
    # Title, headings, text.
    station = next(t for t in texts if "north keeper of station 7" in t)
    assert station.startswith("The north papers > Station 7\n")
    want = stub_llm.embedding(station, 64)
    assert any(max(abs(a - b) for a, b in zip(vector, want)) < 1e-3
               for vector in vectors_of(found["north.md"]))


def test_only_what_changed_is_sent(embedding_api, endpoint):
    api = embedding_api
    directory, entries, index = api.build(
        {"a.md": paper("first", range(6)), "b.md": paper("second", range(5)), "c.md": b"# C\n\nShort."})
    sent(endpoint)
    resync(api, index)
    assert sent(endpoint) == []
    changed = paper("first", range(3)) + b"\n\n" + paper("first", [3], changed="new").split(b"\n\n", 1)[1]
    data = changed + b"\n\n" + paper("first", range(4, 6)).split(b"\n\n", 1)[1]
    entry = replace(api, directory, entries["a.md"], "a.md", data)
    api.delete("/api/v1/beta/directories/%s/files/%s" % (directory["id"], entries["c.md"]["id"]))
    resync(api, index)
    texts = sent(endpoint)
    assert texts and all("new keeper of station 3" in text for text in texts)
    assert set(assert_whole(api, index)) == {"a.md", "b.md"}
    assert kept_rows(api) == (2, 0)
    # Under another name, the same text.
    api.patch("/api/v1/beta/directories/%s/files/%s" % (directory["id"], entry["id"]),
              {"display_name": "renamed.md"})
    resync(api, index)
    assert sent(endpoint) == [] and "renamed.md" in assert_whole(api, index)


def test_the_same_file_is_embedded_once_in_a_project(embedding_api, endpoint):
    api = embedding_api
    data = {"a.md": paper("lake", range(5))}
    _, _, first = api.build(data)
    assert len(sent(endpoint)) > 5
    _, _, second = api.build(data)
    assert sent(endpoint) == []
    one, other = assert_whole(api, first)["a.md"], assert_whole(api, second)["a.md"]
    assert one["vectors"] == other["vectors"] and one["hashes"] == other["hashes"]
    api.delete("%s/%s" % (INDEXES, first["id"]))
    assert kept_rows(api)[0] == 1
    assert_whole(api, second)
    # Another project has to ask for itself.
    key = api.server.make_key("all")
    made = api.server.make_project("apart")
    apart = Api(api.server, key, made)
    _, _, third = apart.build(data)
    assert len(sent(endpoint)) >= 5
    assert_whole(apart, third)


def test_words_answer_while_the_first_build_embeds(embedding_api, endpoint):
    api = embedding_api
    go = endpoint.hold()
    endpoint.spoil = lambda request, answer: (go.wait(60), answer)[1]
    directory = api.create_directory()
    api.upload(directory["id"], "a.md", paper("early", range(4)))
    index = api.post(INDEXES, {"source_directory_id": directory["id"]})
    wait_for("the words", lambda: api.index(index["id"])["last_exported_at"])
    assert api.index(index["id"])["metadata"]["status"] == "exporting"
    assert "early keeper" in api.retrieve(index["id"], "early keeper lamps")[0]["content"]
    assert rows(api, index)["a.md"]["chunk_count"] is None
    go.set()
    api.wait_index(index["id"])
    assert_whole(api, index)


def test_embedding_can_be_cancelled(embedding_api, endpoint):
    api = embedding_api
    go = endpoint.hold()
    endpoint.spoil = lambda request, answer: (go.wait(60), answer)[1]
    directory = api.create_directory()
    api.upload(directory["id"], "a.md", paper("long", range(4)))
    index = api.post(INDEXES, {"source_directory_id": directory["id"]})
    wait_for("the request", lambda: endpoint.embed_requests)
    api.post("%s/%s/sync/cancel" % (INDEXES, index["id"]))
    assert api.index(index["id"])["metadata"]["status"] == "ready"
    go.set()
    endpoint.spoil = None
    resync(api, index)
    assert_whole(api, index)


def with_data(change):
    def spoil(request, answer):
        change(answer["data"])
        return answer
    return spoil


def first_vector(change):
    return with_data(lambda data: change(data[0]["embedding"]))


BAD_ANSWERS = [
    ("fewer rows", with_data(lambda data: data.pop()), "vectors for"),
    ("more rows", with_data(lambda data: data.append(data[0])), "vectors for"),
    ("an index twice", with_data(lambda data: data[0].update(index=len(data) - 1)), "comes twice"),
    ("an index beyond", with_data(lambda data: data[0].update(index=99)), "index 99"),
    ("no index", with_data(lambda data: data[0].pop("index")), "no index"),
    ("other dims", first_vector(lambda vector: vector.append(0.5)), "65 numbers"),
    ("a null", first_vector(lambda vector: vector.__setitem__(3, None)), "no number"),
    ("a NaN", first_vector(lambda vector: vector.__setitem__(3, float("nan"))), "NaN"),
    ("an infinity", first_vector(lambda vector: vector.__setitem__(3, float("inf"))), "NaN or infinite"),
    ("zeros", with_data(lambda data: data[0].update(embedding=[0.0] * 64)), "nothing but zeros"),
    ("no list", lambda request, answer: {"object": "list"}, "no list"),
    ("no JSON", lambda request, answer: b"<html>Bad gateway</html>", "no JSON"),
    ("a key", lambda request, answer: stub_llm.error(401, "who are you"), "refuses the key"),
    ("no such model", lambda request, answer: stub_llm.error(404, "no such model"), "embed-model"),
    ("a refusal", lambda request, answer: stub_llm.error(400, "not today"), "not today"),
]


def test_bad_answers_fail_the_sync_and_nothing_else(embedding_api, endpoint):
    api = embedding_api
    directory, entries, index = api.build({"a.md": paper("good", range(3))})
    before = assert_whole(api, index)["a.md"]["vectors"]
    exported = api.index(index["id"])["last_exported_at"]
    api.upload(directory["id"], "b.md", paper("later", range(4)))
    for name, spoil, words in BAD_ANSWERS:
        endpoint.spoil = spoil
        metadata = resync(api, index, "failed")["metadata"]
        assert words in metadata["error_message"], (name, metadata)
        assert metadata["error_message"].startswith("The embedding endpoint"), (name, metadata)
        assert "embed-key" not in metadata["error_message"].replace("embed-key-file", ""), name
        # The last good export, whole and unchanged.
        assert api.index(index["id"])["last_exported_at"] == exported
        assert "good keeper" in api.retrieve(index["id"], "good keeper")[0]["content"]
        assert [f["file_name"] for f in api.find(index["id"])] == ["a.md"]
        assert rows(api, index)["a.md"]["vectors"] == before
    endpoint.spoil = None
    assert resync(api, index)["metadata"].get("error_message") is None
    assert set(assert_whole(api, index)) == {"a.md", "b.md"}


def test_a_failed_first_build_is_finished_by_the_next_sync(embedding_api, endpoint):
    api = embedding_api
    taken = []

    def fail_after_two(request, answer):
        if len(taken) >= 2 and request["input"] != ["word"]:
            return stub_llm.error(401)
        taken.append(request["input"])
        return answer

    endpoint.spoil = fail_after_two
    documents = {"%02d.md" % n: paper("%02d" % n, range(8)) for n in range(40)}
    _, _, index = api.build(documents, want="failed")
    assert "refuses the key" in api.index(index["id"])["metadata"]["error_message"]
    assert "keeper" in api.retrieve(index["id"], "keeper lamps")[0]["content"]
    endpoint.spoil = None
    endpoint.embedded.clear()
    resync(api, index)
    assert len(assert_whole(api, index)) == 40
    texts = sent(endpoint)
    assert len(texts) == len(set(texts)) and len(texts) >= 300


def test_what_was_embedded_before_a_failure_is_not_sent_again(embedding_api, endpoint):
    api = embedding_api
    directory, _, index = api.build({"a.md": paper("old", range(2))})
    for n in range(5):
        api.upload(directory["id"], "%d.md" % n, paper("number %d" % n, range(80)))
    taken = []

    def fail_late(request, answer):
        if len(taken) >= 260:
            return stub_llm.error(403)
        taken.extend(request["input"])
        return answer

    endpoint.spoil = fail_late
    resync(api, index, "failed")
    total, kept = kept_rows(api)
    assert kept >= 3 and total == kept + 1
    endpoint.spoil = None
    endpoint.embedded.clear()
    resync(api, index)
    found = assert_whole(api, index)
    texts = sent(endpoint)
    chunks = sum(row["chunks"] for name, row in found.items() if name != "a.md")
    # What the first call of the embedder brought stayed; of the second one nothing did.
    assert len(texts) == chunks - 256 and not set(texts) & set(taken[:256])
    assert kept_rows(api) == (6, 0)


def test_a_busy_endpoint_is_asked_again(embedding_api, endpoint):
    api = embedding_api
    failures = [503, 429, 500]

    def busy(request, answer):
        if not failures:
            return answer
        return stub_llm.error(failures.pop(), headers={"Retry-After": "0"})

    endpoint.spoil = busy
    _, _, index = api.build({"a.md": paper("busy", range(3))})
    assert not failures
    assert_whole(api, index)


def test_batches_that_are_too_large_are_halved(embedding_api, endpoint):
    api = embedding_api

    def at_most_two(request, answer):
        if len(request["input"]) > 2:
            return stub_llm.error(422, "batch size > maximum allowed batch size 2")
        return answer

    endpoint.spoil = at_most_two
    _, _, index = api.build({"a.md": paper("small", range(30))})
    assert_whole(api, index)
    sizes = [len(request["input"]) for request in endpoint.embed_requests]
    # Learned: refused while it found out, and then no more.
    assert sizes.count(8) <= 4 and max(sizes[-10:]) <= 2


def test_texts_that_are_too_long_are_cut(embedding_api, endpoint):
    api = embedding_api

    def at_most(request, answer):
        if any(len(text) > 700 for text in request["input"]):
            return stub_llm.error(400, "the input length exceeds the context length")
        return answer

    endpoint.spoil = at_most
    _, _, index = api.build({"a.md": paper("long", range(3)), "b.md": b"Short."})
    assert_whole(api, index)


def test_another_model_is_refused(fresh, endpoint):
    server = fresh(*endpoint.embed_args)
    api = Api(server)
    directory, _, index = api.build({"a.md": paper("model", range(3))})
    api.upload(directory["id"], "b.md", paper("other", range(3)))
    sent(endpoint)

    def with_args(*args):
        server.stop()
        server.args = list(args)
        server.start()

    with_args("--embed-url", endpoint.url, "--embed-model", "newer-model")
    metadata = resync(api, index, "failed")["metadata"]
    for words in ("stub-embedder@64", "newer-model", "new index", "former model"):
        assert words in metadata["error_message"]
    assert sent(endpoint) == []
    assert "model keeper" in api.retrieve(index["id"], "model keeper")[0]["content"]
    # The same name, and vectors of another length.
    with_args(*endpoint.embed_args)
    endpoint.dims = 32
    metadata = resync(api, index, "failed")["metadata"]
    assert "stub-embedder@64" in metadata["error_message"] and "32" in metadata["error_message"]
    # A prefix makes other vectors.
    endpoint.dims = 64
    with_args(*endpoint.embed_args, "--embed-document-prefix", "passage:")
    assert "passage" in resync(api, index, "failed")["metadata"]["error_message"]
    # Without an endpoint there is nothing to mix, and what comes gets no vectors.
    with_args()
    resync(api, index)
    assert rows(api, index)["b.md"]["chunk_count"] is None
    with_args(*endpoint.embed_args)
    sent(endpoint)
    resync(api, index)
    assert set(assert_whole(api, index)) == {"a.md", "b.md"}
    assert all("other keeper" in text for text in sent(endpoint) if text != "word")


def test_prefixes_are_put_before_the_texts(fresh, endpoint):
    api = Api(fresh(*endpoint.embed_args, "--embed-document-prefix", "passage:"))
    _, _, index = api.build({"a.md": paper("prefix", range(2))})
    assert all(text.startswith("passage: ") for text in sent(endpoint))
    assert embedder_of(api, index) == 'stub-embedder "passage: "@64'


def test_an_index_without_vectors_sends_nothing(embedding_api, endpoint):
    _, _, index = embedding_api.build({"a.md": paper("none", range(2))}, vector_target="DISABLED")
    assert sent(endpoint) == [] and kept_rows(embedding_api) == (0, 0)
    assert embedding_api.retrieve(index["id"], "keeper")


def test_an_endpoint_that_is_away(fresh):
    api = Api(fresh("--embed-url", "http://127.0.0.1:9/v1", "--embed-model", "m"))
    _, _, index = api.build({"a.md": paper("away", range(2))}, want="failed")
    metadata = api.index(index["id"])["metadata"]
    assert "cannot be reached" in metadata["error_message"] and "embed-url" in metadata["error_message"]
    assert embedder_of(api, index) is None
    assert "away keeper" in api.retrieve(index["id"], "away keeper")[0]["content"]


def test_a_crash_while_embedding_loses_no_document(fresh, endpoint):
    server = fresh(*endpoint.embed_args, "--embed-batch", "16")
    api = Api(server)
    go = endpoint.hold()
    taken = []

    def stop_late(request, answer):
        if len(taken) > 200:
            go.wait(60)
        taken.extend(request["input"])
        return answer

    endpoint.spoil = stop_late
    directory = api.create_directory()
    for n in range(90):
        api.upload(directory["id"], "%02d.md" % n, paper("crash %02d" % n, range(3)))
    index = api.post(INDEXES, {"source_directory_id": directory["id"]})
    wait_for("half of it", lambda: len(taken) > 200)
    server.kill()
    endpoint.spoil = None
    go.set()
    server.start()
    api.wait_index(index["id"])
    assert len(assert_whole(api, index)) == 90
