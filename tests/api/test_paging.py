"""Paging, one set of rules for every listing: whole, without repeats, tokens opaque and bound."""

import uuid

import pytest

import corpus
from client import Api

BETA = "/api/v1/beta"
PARSE = {"product_type": "parse_v2", "tier": "fast", "version": "latest"}


class Listing:
    """How to ask for one page. `places` says where a token may stand: query or body."""

    def __init__(self, method, path, query=None, body=None, other=None, places=("query",)):
        self.method, self.path = method, path
        self.query, self.body = query or {}, body
        self.other = other  # the same listing under other filters
        self.places = places

    def page(self, api, expect=200, size=None, token=None, place=None, extra=None):
        query, body = dict(self.query), dict(self.body) if self.body is not None else None
        extra = extra or {}
        if self.body is not None:
            body.update(extra)
        else:
            query.update(extra)
        if size is not None:
            (query if self.body is None else body)["page_size"] = size
        if token is not None:
            where = place or self.places[0]
            (query if where == "query" else body)["page_token"] = token
        return api.call(self.method, self.path, expect, json=body, query=query).json


@pytest.fixture(scope="module")
def paged(server):
    """Seven of everything, in a project of their own."""
    api = Api(server).scoped(server.make_project("paging"))
    names = ["doc-%d.txt" % i for i in range(7)]
    documents = {n: b"Common words and number %d. needle needle\nneedle" % i
                 for i, n in enumerate(names)}
    directory, _, index = api.build(documents)
    manual = api.build({"manual.pdf": corpus.manual_pdf()}, store_attachments=["screenshots",
                                                                               "items"])
    manual_file = api.find(manual[2]["id"])[0]["file_id"]
    for i in range(7):
        api.create_directory("paged")
        api.session()
        api.post(BETA + "/configurations", {"name": "c%d" % i, "parameters": PARSE})
    for i in range(5):
        made = api.post("/api/v1/indexes", {"source_directory_id": directory["id"], "name": "n%d" % i})
        api.wait_index(made["id"])
    found = api.find(index["id"])
    grep_text = api.read(index["id"], found[0]["file_id"])
    assert grep_text.count("needle") == 3
    listings = {
        "files": Listing("GET", BETA + "/files", other={"file_name": "doc-1.txt"}),
        "files by name": Listing("GET", BETA + "/files", {"order_by": "name"},
                                 other={"order_by": "id"}),
        "files/query": Listing("POST", BETA + "/files/query", body={},
                               other={"order_by": "name desc"}, places=("body",)),
        "directories": Listing("GET", BETA + "/directories", other={"name": "paged"}),
        "entries": Listing("GET", BETA + "/directories/%s/files" % directory["id"],
                           other={"display_name_contains": "doc"}),
        "indexes": Listing("GET", "/api/v1/indexes",
                           other={"source_directory_id": directory["id"]}),
        "chat": Listing("GET", "/api/v1/chat"),
        "configurations": Listing("GET", BETA + "/configurations",
                                  other={"product_type": "parse_v2"}),
        "projects": Listing("GET", "/api/v2/projects"),
        "attachments": Listing("GET", BETA + "/attachments", {"source_id": manual_file}),
        "find": Listing("POST", "/api/v1/retrieval/files/find", body={"index_id": index["id"]},
                        other={"file_name_contains": "doc"}, places=("body", "query")),
        "grep": Listing("POST", "/api/v1/retrieval/files/grep",
                        body={"index_id": index["id"], "file_id": found[0]["file_id"],
                              "pattern": "need"},
                        other={"pattern": "needle"}, places=("body", "query")),
    }
    for _ in range(3):
        server.make_project("more " + uuid.uuid4().hex[:6])
    return api, listings


KINDS = ["files", "files by name", "files/query", "directories", "entries", "indexes", "chat",
         "configurations", "projects", "attachments", "find", "grep"]


@pytest.mark.parametrize("kind", KINDS)
def test_pages_give_everything_once(paged, kind):
    api, listings = paged
    listing = listings[kind]
    whole = listing.page(api, size=1000)
    assert whole["next_page_token"] is None
    assert len(whole["items"]) >= 3, "too few to page: %s" % whole
    for place in listing.places:
        for size in (1, 2, len(whole["items"])):
            got, token, pages = [], None, 0
            while True:
                page = listing.page(api, size=size, token=token, place=place)
                assert len(page["items"]) <= size
                got += page["items"]
                token = page["next_page_token"]
                pages += 1
                assert pages <= len(whole["items"]) + 1
                if token is None:
                    break
                assert page["items"], "a page that is empty and not the last"
            assert got == whole["items"]


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_above_1000_are_lowered(paged, kind):
    api, listings = paged
    listings[kind].page(api, size=1001)
    listings[kind].page(api, size=2**31)


@pytest.mark.parametrize("kind", KINDS)
def test_bad_tokens_are_a_400(paged, kind):
    api, listings = paged
    listing = listings[kind]
    token = listing.page(api, size=1)["next_page_token"]
    assert token
    middle = len(token) // 2
    flipped = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1:]
    for bad in ("x", "!!", "bm90IGEgdG9rZW4", token + "A", token[:-1], flipped, "0" * 4000, "\u00e9"):
        listing.page(api, 400, token=bad)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_bound_to_their_filters(paged, kind):
    api, listings = paged
    listing = listings[kind]
    token = listing.page(api, size=1)["next_page_token"]
    if listing.other:
        listing.page(api, 400, token=token, extra=listing.other)
    for name, another in listings.items():
        if another.path != listing.path:
            another.page(api, 400, token=token)


@pytest.mark.parametrize("kind", ["files", "directories", "indexes", "chat", "configurations"])
def test_tokens_are_bound_to_their_project(paged, kind):
    api, listings = paged
    token = listings[kind].page(api, size=1)["next_page_token"]
    other = Api(api.server)
    listings[kind].page(other, 400, token=token)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_token_is_absent(paged, kind):
    api, listings = paged
    listing = listings[kind]
    if "query" in listing.places:
        assert listing.page(api, token="", place="query") == listing.page(api)


@pytest.mark.parametrize("kind", ["find", "grep"])
def test_the_query_token_wins(paged, kind):
    api, listings = paged
    listing = listings[kind]
    first = listing.page(api, size=1)
    second = listing.page(api, size=1, token=first["next_page_token"])
    body = dict(listing.body, page_size=1, page_token=second["next_page_token"])
    got = api.post(listing.path, body, query={"page_token": first["next_page_token"]})
    assert got == second


def test_the_default_page_has_fifty(server):
    api = Api(server).scoped(server.make_project("fifty"))
    for i in range(51):
        api.create_directory("d%d" % i)
    page = api.get(BETA + "/directories")
    assert len(page["items"]) == 50 and page["next_page_token"]
    rest = api.get(BETA + "/directories", query={"page_token": page["next_page_token"]})
    assert len(rest["items"]) == 1 and rest["next_page_token"] is None


def test_items_added_meanwhile_do_not_shift_pages(server):
    api = Api(server).scoped(server.make_project("shift"))
    made = [api.create_directory("d%d" % i)["id"] for i in range(4)]
    first = api.get(BETA + "/directories", query={"page_size": 2})
    api.create_directory("new")
    rest = api.get(BETA + "/directories",
                   query={"page_size": 10, "page_token": first["next_page_token"]})
    got = [d["id"] for d in first["items"] + rest["items"]]
    assert got == list(reversed(made))


def test_tokens_live_across_a_restart(fresh):
    server = fresh()
    api = Api(server)
    made = [api.create_directory("d%d" % i)["id"] for i in range(3)]
    token = api.get(BETA + "/directories", query={"page_size": 1})["next_page_token"]
    server.restart()
    rest = api.get(BETA + "/directories", query={"page_token": token})
    assert [d["id"] for d in rest["items"]] == [made[1], made[0]]
