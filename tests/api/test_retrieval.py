"""Search, find, grep and read over one index."""

import uuid

import pytest

import corpus

RETRIEVE = "/api/v1/retrieval/retrieve"
FIND = "/api/v1/retrieval/files/find"
GREP = "/api/v1/retrieval/files/grep"
READ = "/api/v1/retrieval/files/read"


@pytest.fixture(scope="module")
def names(api, docs):
    """file name -> the id that find gives."""
    return {f["file_name"]: f["file_id"] for f in api.find(docs.id)}


# --------------------------------------------------------------------- retrieve
@pytest.mark.parametrize("question, words, name", corpus.QUESTIONS)
def test_the_right_chunk_comes_first(api, docs, names, question, words, name):
    found = api.retrieve(docs.id, question)
    assert words in found[0]["content"]
    assert found[0]["static_fields"]["parsed_directory_file_id"] == names[name]


def test_chunks_are_the_text_at_their_offsets(api, docs):
    for question, _, _ in corpus.QUESTIONS:
        for chunk in api.retrieve(docs.id, question, top_k=50):
            fields = chunk["static_fields"]
            start, end = fields["chunk_start_char"], fields["chunk_end_char"]
            text = api.read(docs.id, fields["parsed_directory_file_id"], offset=start,
                            max_length=end - start)
            assert text == chunk["content"]
            assert fields["chunk_index"] >= 0 and fields["chunk_token_count"] > 0


def test_scores(api, docs):
    found = api.retrieve(docs.id, "longest outage of the plant", top_k=50)
    scores = [c["score"] for c in found]
    assert all(0 <= s <= 1 for s in scores)
    ranks = [c["rerank_score"] if c["rerank_score"] is not None else c["score"] for c in found]
    assert ranks == sorted(ranks, reverse=True)
    plain = api.retrieve(docs.id, "longest outage of the plant", rerank={"enabled": False})
    assert all(c["rerank_score"] is None for c in plain)
    assert [c["score"] for c in plain] == sorted((c["score"] for c in plain), reverse=True)


def test_top_k(api, docs):
    assert len(api.retrieve(docs.id, "the", top_k=1)) <= 1
    assert len(api.retrieve(docs.id, "harbour office plant tea", top_k=2)) == 2
    assert len(api.retrieve(docs.id, "harbour", top_k=1000)) <= 500
    api.retrieve(docs.id, "harbour", top_k=2**31)
    api.retrieve(docs.id, "harbour", top_k=None, num_candidates=10**9)
    assert len(api.retrieve(docs.id, "harbour", rerank={"top_n": 1})) == 1
    assert len(api.retrieve(docs.id, "harbour plant", top_k=2, rerank={"top_n": 50})) <= 2


def test_threshold(api, docs):
    everything = api.retrieve(docs.id, "Elm Street outage", rerank={"enabled": False})
    limit = everything[0]["score"] - 1e-4
    kept = api.retrieve(docs.id, "Elm Street outage", score_threshold=limit,
                        rerank={"enabled": False})
    assert kept and all(c["score"] >= limit for c in kept)
    assert api.retrieve(docs.id, "Elm Street outage", score_threshold=1.01) == []


def test_weights(api, docs):
    for vector, text in ((0, 1), (1, 0.5), (0.3, 0.7), (None, None)):
        api.retrieve(docs.id, "harbour", vector_pipeline_weight=vector,
                     full_text_pipeline_weight=text)
    api.refused("POST", RETRIEVE, 422, {"index_id": docs.id, "query": "x",
                                        "vector_pipeline_weight": 0,
                                        "full_text_pipeline_weight": 0})


def test_nothing_found_is_an_empty_list(api, small):
    assert api.retrieve(small.id, "zyzzyva qwxjk") == []


def test_blank_query(api, docs):
    api.invalid("POST", RETRIEVE, ("body", "query"), {"index_id": docs.id, "query": ""})
    api.call("POST", RETRIEVE, (200, 422), json={"index_id": docs.id, "query": " \n "})


@pytest.mark.parametrize("query", [
    "' OR 1=1 --", '"', "NEAR(a b)", "*", "%", "_", "a AND", "(((", "col:x", "\u0000", "é" * 3000,
    "the " * 5000, "灯塔的高度", "-", "\U0001f999"])
def test_queries_that_look_like_something_else(api, docs, query):
    wanted = 400 if "\0" in query else (200, 422)  # no text here holds a NUL
    api.call("POST", RETRIEVE, wanted, json={"index_id": docs.id, "query": query})


def test_other_languages_and_typos(api, docs, names):
    found = api.retrieve(docs.id, "灯塔的高度")[0]
    assert found["static_fields"]["parsed_directory_file_id"] == names["notice.txt"]
    assert "Solheim" in api.retrieve(docs.id, "harbor mastr Solhiem")[0]["content"]


def test_user_metadata_comes_along(api, docs, names):
    for chunk in api.retrieve(docs.id, "storm barrier harbour master"):
        if chunk["static_fields"]["parsed_directory_file_id"] == names["harbour.md"]:
            assert chunk["metadata"] == {"topic": "sea", "year": 2019, "open": True,
                                         "tags": ["port", "boats"]}


FILTERS = [
    ({"topic": {"operator": "eq", "value": "sea"}}, {"harbour.md"}),
    ({"topic": {"operator": "in", "value": ["sea", "garden"]}}, {"harbour.md", "tea.html"}),
    ({"topic": {"operator": "ne", "value": "sea"}},
     {"outages.txt", "tea.html", "rates.csv", "limits.json", "notice.txt"}),
    ({"topic": {"operator": "nin", "value": ["sea", "power"]}},
     {"tea.html", "rates.csv", "limits.json", "notice.txt"}),
    ({"year": {"operator": "gte", "value": 2021}}, {"outages.txt", "tea.html"}),
    ({"year": {"operator": "lt", "value": 2021}}, {"harbour.md"}),
    ({"year": {"operator": "eq", "value": 2023}}, {"outages.txt"}),
    ({"year": {"operator": "eq", "value": "2023"}}, set()),
    ({"year": [{"operator": "gt", "value": 2019}, {"operator": "lte", "value": 2021}]},
     {"tea.html"}),
    ({"open": {"operator": "eq", "value": True}}, {"harbour.md"}),
    ({"open": {"operator": "eq", "value": False}}, {"outages.txt"}),
    ({"open": {"operator": "eq", "value": 1}}, set()),
    ({"tags": {"operator": "eq", "value": "port"}}, {"harbour.md"}),
    ({"tags": {"operator": "in", "value": ["boats", "cars"]}}, {"harbour.md"}),
    ({"topic": {"operator": "eq", "value": "sea"}, "year": {"operator": "eq", "value": 2023}}, set()),
    ({"topic": {"operator": "eq", "value": "sea"}, "year": None}, {"harbour.md"}),
    ({"nothing": {"operator": "eq", "value": "x"}}, set()),
]


@pytest.mark.parametrize("filters, want", FILTERS)
def test_custom_filters(api, docs, names, filters, want):
    found = api.retrieve(docs.id, "the harbour plant tea region service lighthouse of and",
                         top_k=500, custom_filters=filters)
    by_id = {v: k for k, v in names.items()}
    got = {by_id[c["static_fields"]["parsed_directory_file_id"]] for c in found}
    assert got <= want
    if len(want) <= 3:
        assert got == want


@pytest.mark.parametrize("filters", [
    {"a": {"operator": "in", "value": "x"}}, {"a": {"operator": "eq", "value": ["x"]}},
    {"a": {"operator": "like", "value": "x"}}, {"a": {"value": "x"}}, {"a": {"operator": "eq"}},
    {"a": "x"}, {"a": [{"operator": "gt", "value": "x"}]}, {"a": [5]}, {"a": {"operator": "eq",
                                                                           "value": {}}}])
def test_wrong_custom_filters(api, docs, filters):
    detail = api.refused("POST", RETRIEVE, 422, {"index_id": docs.id, "query": "q",
                                                 "custom_filters": filters})
    assert detail[0]["loc"][:3] == ["body", "custom_filters", "a"]


def test_static_filter(api, docs, names):
    def files(**wish):
        found = api.retrieve(docs.id, "the harbour plant tea", top_k=500,
                             static_filters={"parsed_directory_file_id": wish})
        return {c["static_fields"]["parsed_directory_file_id"] for c in found}

    one, two = names["harbour.md"], names["outages.txt"]
    assert files(operator="eq", value=one) == {one}
    assert files(operator="in", value=[one, two]) == {one, two}
    assert one not in files(operator="ne", value=one)
    assert not files(operator="nin", value=[one, two]) & {one, two}
    assert files(operator="eq", value="dfl-nothing") == set()
    assert api.retrieve(docs.id, "harbour", static_filters=None, custom_filters=None)
    assert api.retrieve(docs.id, "harbour", static_filters={"parsed_directory_file_id": None})


# ------------------------------------------------------------------------- find
def test_find(api, docs, names):
    everything = api.find(docs.id)
    assert set(names) == set(corpus.DOCUMENTS)
    assert [f["file_name"] for f in everything] == sorted(corpus.DOCUMENTS)
    assert all(f["file_id"].startswith("dfl-") for f in everything)
    assert [f["file_name"] for f in api.find(docs.id, file_name="tea.html")] == ["tea.html"]
    assert api.find(docs.id, file_name="TEA.html") == []
    assert api.find(docs.id, file_name="tea") == []
    assert [f["file_name"] for f in api.find(docs.id, file_name_contains="TEA")] == ["tea.html"]
    assert api.find(docs.id, file_name="tea.html", file_name_contains="md") == []
    assert api.find(docs.id, file_name_contains="%") == []
    assert api.find(docs.id, file_name=None, file_name_contains=None) == everything


def test_found_ids_are_entries_of_the_output_directory(api, docs, names):
    listed = api.get("/api/v1/beta/directories/%s/files" % docs.index["output_directory_id"])
    assert {e["id"] for e in listed["items"]} == set(names.values())


# ------------------------------------------------------------------------- grep
def grep(api, index_id, file_id, pattern, expect=200, **body):
    return api.post(GREP, dict(body, index_id=index_id, file_id=file_id, pattern=pattern), expect)


def test_grep(api, docs, names):
    file_id = names["outages.txt"]
    text = api.read(docs.id, file_id)
    found = grep(api, docs.id, file_id, r"\d+ days")["items"]
    assert [m["content"] for m in found] == ["61 days", "14 days"]
    for match in found:
        assert text[match["start_char"]:match["end_char"]] == match["content"]
    wide = grep(api, docs.id, file_id, "61 days", context_chars=5)["items"][0]
    start = wide["start_char"]
    assert text[start:wide["end_char"]] == "61 days"
    assert wide["content"] == text[start - 5:wide["end_char"] + 5]
    whole = grep(api, docs.id, file_id, "Outage report", context_chars=10**6)["items"][0]
    assert whole["content"].startswith("Outage report")


def test_grep_counts_code_points(api, docs, names):
    file_id = names["notice.txt"]
    text = api.read(docs.id, file_id)
    for pattern in ("Cuzco", "灯塔", "🦙", "othic", "Ångström", "متر"):
        found = grep(api, docs.id, file_id, pattern)["items"]
        assert found, pattern
        for match in found:
            assert text[match["start_char"]:match["end_char"]] == match["content"] == pattern


def test_grep_dialect(api, docs, names):
    file_id = names["harbour.md"]
    assert grep(api, docs.id, file_id, "HARBOUR")["items"] == []
    assert grep(api, docs.id, file_id, "(?i)HARBOUR OFFICE")["items"]
    assert grep(api, docs.id, file_id, "^The storm barrier")["items"], "^ is a line's beginning"
    assert grep(api, docs.id, file_id, "channel 12\\.$")["items"], "$ is a line's end"
    assert grep(api, docs.id, file_id, r"\bclub\b")["items"] == []
    assert grep(api, docs.id, file_id, "x*")["items"] == [] or all(
        m["content"] for m in grep(api, docs.id, file_id, "x*")["items"])
    assert len(grep(api, docs.id, file_id, "euros|Euros")["items"]) == 2


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "*a", "(?P<x", "\\"])
def test_patterns_that_do_not_compile(api, docs, names, pattern):
    api.invalid("POST", GREP, ("body", "pattern"),
                {"index_id": docs.id, "file_id": names["tea.html"], "pattern": pattern})


@pytest.mark.parametrize("pattern", ["(a+)+$", "(.*){1000}", "(a|a)*b", "a" * 100000, "\\1", "(.*)*x",
                                     "((a{1,100}){1,100}){1,100}", "(?=x)"])
def test_costly_patterns_answer_soon(api, docs, names, pattern):
    import time

    begun = time.monotonic()
    api.call("POST", GREP, (200, 400, 422), timeout=20,
             json={"index_id": docs.id, "file_id": names["harbour.md"], "pattern": pattern})
    assert time.monotonic() - begun < 10


# ------------------------------------------------------------------------- read
def test_read_windows(api, docs, names):
    file_id = names["notice.txt"]
    text = api.read(docs.id, file_id)
    assert "Zoë Ångström" in text and "🦙" in text
    for offset, length in ((0, 1), (0, 10**9), (5, 7), (20, 1), (len(text) - 1, 5), (len(text), 5),
                           (len(text) + 1000, 5), (2**31, 1)):
        assert api.read(docs.id, file_id, offset=offset, max_length=length) == \
            text[offset:offset + length]
    assert api.read(docs.id, file_id, max_length=None) == text
    assert "".join(api.read(docs.id, file_id, offset=i, max_length=13)
                   for i in range(0, len(text), 13)) == text


def test_plain_text_is_kept_as_it_is(api, docs, names):
    assert api.read(docs.id, names["outages.txt"]).strip() == corpus.OUTAGES.strip()


def test_by_source_entry_and_stored_file(api, docs, names):
    entry = docs.entries["tea.html"]
    text = api.read(docs.id, names["tea.html"])
    assert api.read(docs.id, entry["id"]) == text
    assert api.read(docs.id, entry["file_id"]) == text
    assert grep(api, docs.id, entry["id"], "Meghamalai")["items"]


def test_pages_of_a_pdf(api, manual):
    for words, page in (("Jakob Brandt", 1), ("linseed oil", 2), ("seventy kilograms", 3)):
        fields = api.retrieve(manual.id, words)[0]["static_fields"]
        assert fields["page_range_start"] <= page <= fields["page_range_end"]


def test_unknown_indexes_and_files(api, docs, small, names):
    for index_id in ("idx-" + str(uuid.uuid4()), "no", docs.index["sync_config_id"]):
        api.refused("POST", RETRIEVE, 404, {"index_id": index_id, "query": "q"})
        api.refused("POST", FIND, 404, {"index_id": index_id})
        api.refused("POST", GREP, 404, {"index_id": index_id, "file_id": "x", "pattern": "p"})
        api.refused("POST", READ, 404, {"index_id": index_id, "file_id": "x"})
    for file_id in ("dfl-" + str(uuid.uuid4()), str(uuid.uuid4()), "x", names["tea.html"]):
        api.refused("POST", READ, 404, {"index_id": small.id, "file_id": file_id})
        api.refused("POST", GREP, 404, {"index_id": small.id, "file_id": file_id, "pattern": "p"})


def test_search_survives_a_restart(fresh):
    from client import Api

    server = fresh()
    mine = Api(server)
    _, _, index = mine.build(corpus.DOCUMENTS)
    before = mine.retrieve(index["id"], "longest outage")
    text = mine.read(index["id"], mine.find(index["id"])[0]["file_id"])
    for hard in (False, True):
        server.restart(hard=hard)
        assert mine.retrieve(index["id"], "longest outage") == before
        assert mine.read(index["id"], mine.find(index["id"])[0]["file_id"]) == text
