"""Sessions: creation, binding and locking (the table of NOTES §3, row by row), titles, listing."""

import uuid

import pytest

CHAT = "/api/v1/chat"
ASK = "Which plant had the longest outage?"


def stream_path(session_id):
    return "%s/%s/messages/stream" % (CHAT, session_id)


def unchanged(api, session_id, call):
    """A refused call changes nothing."""
    before = api.history(session_id).body
    call()
    assert api.history(session_id).body == before


def refuse(api, session_id, status, index_ids, prompt=ASK, **body):
    """A turn that is refused, and leaves the session as it was."""

    def call():
        answer = api.call("POST", stream_path(session_id), status,
                          json=dict(body, index_ids=index_ids, prompt=prompt))
        if status == 409:
            assert answer.headers["x-should-retry"] == "false"

    unchanged(api, session_id, call)


@pytest.fixture
def unknown():
    return "idx-" + str(uuid.uuid4())


# --------------------------------------------------------------------- creation
@pytest.mark.parametrize("body", [{}, {"index_ids": None}, {"index_ids": []},
                                  {"index_ids": None, "shared_access": None}, None])
def test_unbound(api, body):
    made = api.post(CHAT, body)
    assert made["session_id"].startswith("ses-")
    assert made["index_ids"] is None
    assert made["job_metadata"] is None and made["generated_title"] is None
    assert made["shared_access"] == "read_only"
    shown = api.get("%s/%s" % (CHAT, made["session_id"]))
    assert shown == dict(made, events=[])
    assert api.summary(made["session_id"]) == made


def test_create_without_a_body(api):
    api.call("POST", CHAT, 200)
    api.call("POST", CHAT, 200, headers={"Content-Type": "application/json"})


def test_bound_keeps_order_and_spelling(api, docs, small):
    ids = [small.export_id, docs.id]
    made = api.post(CHAT, {"index_ids": ids})
    assert made["index_ids"] == ids
    assert api.summary(made["session_id"])["index_ids"] == ids


def test_repeated_ids_are_kept_once(api, docs, small):
    made = api.post(CHAT, {"index_ids": [docs.id, small.id, docs.id]})
    assert made["index_ids"] == [docs.id, small.id]


def test_unknown_index(api, docs, unknown):
    api.refused("POST", CHAT, 404, {"index_ids": [unknown]})
    api.refused("POST", CHAT, 404, {"index_ids": [docs.id, unknown]})
    api.refused("POST", CHAT, 404, {"index_ids": [""]})


def test_more_than_ten(api, docs):
    api.invalid("POST", CHAT, ("body", "index_ids"), {"index_ids": [docs.id] * 11}, "too_long")


def test_ten_indexes(api):
    directory = api.create_directory()
    api.upload(directory["id"], "a.txt", b"Ten indexes hold one sentence about a violet kite.")
    ids = [api.post("/api/v1/indexes", {"source_directory_id": directory["id"]})["id"]
           for _ in range(10)]
    for one in ids:
        api.wait_index(one)
    session = api.session(*ids)
    turn = api.ask(session, "What colour is the kite?", ids)
    assert not turn.stop["is_error"] and turn.stop["skipped_index_ids"] == []
    job = api.summary(session)["job_metadata"]
    assert len(set(job["export_config_ids"])) == 10


@pytest.mark.parametrize("access", ["query", "read_only"])
def test_shared_access_is_stored(api, access):
    made = api.post(CHAT, {"shared_access": access})
    assert made["shared_access"] == access
    assert api.summary(made["session_id"])["shared_access"] == access


# ---------------------------------------------------------- the table, row by row
def test_unbound_runs_over_what_it_is_given_and_stays_unbound(api, docs, small):
    session = api.session()
    for one in (docs, small):
        api.ask(session, ASK, [one.id])
        assert api.summary(session)["index_ids"] is None
        assert api.summary(session)["job_metadata"]["export_config_ids"] == [one.export_id]
    both = api.ask(session, ASK, [docs.id, small.export_id])
    assert both.stop["skipped_index_ids"] == []
    assert set(api.summary(session)["job_metadata"]["export_config_ids"]) == {
        docs.export_id, small.export_id}


def test_unbound_with_an_empty_list(api):
    refuse(api, api.session(), 422, [])


@pytest.mark.parametrize("given", ["same", "other spelling", "empty", "repeats", "order"])
def test_bound_with_the_same_set(api, docs, small, given):
    session = api.session(docs.id, small.id)
    ids = {"same": [docs.id, small.id], "other spelling": [docs.export_id, small.id], "empty": [],
           "repeats": [docs.id, small.id, docs.export_id], "order": [small.id, docs.id]}[given]
    api.ask(session, ASK, ids)
    assert api.summary(session)["index_ids"] == [docs.id, small.id]
    # Now it is locked: the same set runs again, another does not.
    api.ask(session, ASK, ids)
    refuse(api, session, 409, [small.id])


def test_bound_rebinds_before_its_first_turn(api, docs, small):
    session = api.session(small.id)
    turn = api.ask(session, ASK, [docs.id])
    assert turn.citations
    assert api.summary(session)["index_ids"] == [docs.id]
    refuse(api, session, 409, [small.id])


def test_locked_refuses_any_other_set(api, docs, small):
    session = api.session(docs.id, small.id)
    api.ask(session, ASK, [])
    refuse(api, session, 409, [docs.id])
    refuse(api, session, 409, [small.export_id])
    api.ask(session, ASK, [small.id, docs.export_id])
    api.ask(session, ASK, [])


def test_locked_refuses_a_superset(api, docs, small):
    session = api.session(docs.id)
    api.ask(session, ASK, [docs.id])
    refuse(api, session, 409, [docs.id, small.id])


@pytest.mark.parametrize("state", ["unbound", "bound", "locked"])
def test_more_than_ten_in_any_state(api, docs, state):
    session = api.session(*([docs.id] if state != "unbound" else []))
    if state == "locked":
        api.ask(session, ASK, [])
    refuse(api, session, 422, [docs.id] * 11)


def test_all_unknown(api, docs, unknown):
    refuse(api, api.session(), 404, [unknown])
    refuse(api, api.session(docs.id), 404, [unknown, "x"])


def test_none_queryable_one_known(api, unready, unknown):
    refuse(api, api.session(), 409, [unready.id])
    refuse(api, api.session(), 409, [unknown, unready.id])
    refuse(api, api.session(unready.id), 409, [])


def test_some_not_queryable_are_skipped_and_named(api, docs, unready, unknown):
    session = api.session()
    asked = [unknown, docs.id, unready.export_id]
    turn = api.ask(session, ASK, asked)
    assert turn.stop["skipped_index_ids"] == [unknown, unready.export_id]
    assert api.summary(session)["job_metadata"]["export_config_ids"] == [docs.export_id]


def test_require_all_indexes(api, docs, small, unready, unknown):
    session = api.session()
    refuse(api, session, 404, [docs.id, unknown], require_all_indexes=True)
    refuse(api, session, 409, [docs.id, unready.id], require_all_indexes=True)
    turn = api.ask(session, ASK, [docs.id, small.id], require_all_indexes=True)
    assert turn.stop["skipped_index_ids"] == []


def test_deleting_an_index_leaves_its_sessions(api, docs):
    _, _, gone = api.build({"a.txt": b"Short lived words."})
    both, only = api.session(docs.id, gone["id"]), api.session(gone["id"])
    api.delete("/api/v1/indexes/" + gone["id"])
    turn = api.ask(both, ASK, [])
    assert turn.stop["skipped_index_ids"] == [gone["id"]]
    refuse(api, only, 404, [])
    assert api.summary(only)["index_ids"] == [gone["id"]]


# ----------------------------------------------------------------------- prompts
@pytest.mark.parametrize("prompt", ["", " ", "\n\t ", "\u3000"])
def test_blank_prompts(api, docs, prompt):
    session = api.session(docs.id)
    refuse(api, session, 422, [], prompt)


def test_prompts_are_counted_in_code_points(api, docs):
    session = api.session(docs.id)
    refuse(api, session, 422, [], "🦙" * 1001)
    turn = api.ask(session, "🦙" * 1000, [])
    assert len(turn.events[0]["content"]) == 1000


# ------------------------------------------------------------------------ titles
@pytest.mark.parametrize("prompt, title", [
    ("Which plant had the longest outage?", "Which plant had the longest outage?"),
    ("  Which \n plant\thad  an outage? ", "Which plant had an outage?"),
])
def test_title_of_a_short_prompt(api, docs, prompt, title):
    session = api.session(docs.id)
    api.ask(session, prompt, [])
    assert api.summary(session)["generated_title"] == title
    api.ask(session, "And another thing entirely", [])
    assert api.summary(session)["generated_title"] == title


def test_title_of_a_long_prompt_is_cut_at_a_word(api, docs):
    session = api.session(docs.id)
    prompt = "Please tell me everything that the documents say about the harbour and its master"
    api.ask(session, prompt, [])
    title = api.summary(session)["generated_title"]
    assert title.endswith("...")
    kept = title[:-3].rstrip()
    assert len(kept) <= 60 and prompt.startswith(kept) and prompt[len(kept)] == " "
    assert len(kept) > 40


def test_title_of_one_endless_word(api, docs):
    session = api.session(docs.id)
    api.ask(session, "ß" * 300, [])
    assert 0 < len(api.summary(session)["generated_title"]) <= 63


def test_legacy_title(api):
    session = api.session()
    made = api.post("%s/%s/title" % (CHAT, session), {"first_message": " A  title\nfrom this "})
    assert made["generated_title"] == "A title from this"
    assert api.summary(session)["generated_title"] == "A title from this"
    api.refused("POST", CHAT + "/ses-nothing/title", 404, {"first_message": "x"})


# ----------------------------------------------------------------- list, get, delete
def test_list_is_by_last_update(api, docs):
    mine = api.scoped(None)
    old, new = mine.session(docs.id), mine.session()
    ids = [s["session_id"] for s in mine.get(CHAT)["items"]]
    assert ids.index(new) < ids.index(old)
    mine.ask(old, ASK, [])
    listed = mine.get(CHAT)["items"]
    ids = [s["session_id"] for s in listed]
    assert ids.index(old) < ids.index(new)
    assert listed[ids.index(old)] == mine.summary(old)


def test_unknown_sessions(api, docs):
    for some in ("ses-" + str(uuid.uuid4()), "no%20such%2Fid", "x"):
        path = "%s/%s" % (CHAT, some)
        for method, tail, body in (
            ("GET", "", None), ("DELETE", "", None), ("GET", "/summary", None),
            ("POST", "/title", {"first_message": "m"}), ("POST", "/cancel", None),
            ("GET", "/messages/stream", None),
            ("POST", "/messages/stream", {"index_ids": [docs.id], "prompt": "p"}),
        ):
            api.refused(method, path + tail, 404, body)


def test_delete(api, docs):
    session = api.session(docs.id)
    api.ask(session, ASK, [])
    path = "%s/%s" % (CHAT, session)
    api.delete(path)
    api.refused("GET", path, 404)
    api.refused("GET", path + "/summary", 404)
    api.refused("GET", path + "/messages/stream", 404)
    api.refused("DELETE", path, 404)
    assert session not in [s["session_id"] for s in api.get(CHAT, query={"page_size": 1000})["items"]]
    assert api.index(docs.id)


def test_sessions_survive_a_restart(fresh):
    import corpus
    from client import Api

    server = fresh()
    mine = Api(server)
    _, _, index = mine.build({"outages.txt": corpus.DOCUMENTS["outages.txt"]})
    session = mine.session(index["id"])
    mine.ask(session, ASK, [])
    before = mine.history(session).body
    for hard in (False, True):
        server.restart(hard=hard)
        assert mine.history(session).body == before
    refuse(mine, session, 404, ["idx-other"])
    mine.ask(session, ASK, [])
