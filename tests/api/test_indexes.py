"""Indexes: building, states, syncing, cancelling, listing, deleting."""

import threading
import uuid

import pytest

import corpus
from client import Api
from cria_server import wait_for

INDEXES = "/api/v1/indexes"


@pytest.fixture(scope="module")
def slow_documents():
    """Enough text that a build is still running when the next request comes."""
    return {"volume-%d.txt" % i: corpus.bulk(i, 4000) for i in range(1, 9)}


def uploaded(api, documents):
    directory = api.create_directory()
    for name, data in documents.items():
        api.upload(directory["id"], name, data)
    return directory


def test_create_answers_before_it_is_built(api):
    directory = uploaded(api, {"a.txt": b"One sentence only."})
    made = api.post(INDEXES, {"source_directory_id": directory["id"], "description": "d"})
    assert made["metadata"]["status"] == "pending"
    assert made["id"].startswith("idx-")
    own = made["id"][4:]
    assert made["export_config_id"] == "exp-" + own and made["sync_config_id"] == "syn-" + own
    assert made["name"] == directory["name"] and made["description"] == "d"
    assert made["source_directory_id"] == directory["id"]
    assert made["last_exported_at"] is None and made["last_synced_at"] is None
    assert made["sync_in_progress"] is None
    done = api.wait_index(made["id"])
    assert done["last_exported_at"] and done["last_synced_at"]
    assert done["metadata"]["file_counts"] == {"total": 1, "succeeded": 1, "failed": 0, "pending": 0}
    assert done["metadata"].get("error_message") is None
    output = api.get("/api/v1/beta/directories/" + done["output_directory_id"])
    assert output["type"] == "index"


def test_only_the_known_states_appear(api):
    directory = uploaded(api, {"a%d.txt" % i: corpus.bulk(i, 200) for i in range(3)})
    made = api.post(INDEXES, {"source_directory_id": directory["id"]})
    order = ["pending", "syncing", "exporting", "ready"]
    seen = ["pending"]
    while seen[-1] != "ready":
        status = api.index(made["id"])["metadata"]["status"]
        assert status in order, status
        if status != seen[-1]:
            assert order.index(status) > order.index(seen[-1]), seen + [status]
            seen.append(status)


def test_both_ids_work_everywhere(api, docs):
    by_id, by_export = api.index(docs.id), api.index(docs.export_id)
    assert by_id == by_export and by_export["id"] == docs.id
    file_id = api.find(docs.export_id)[0]["file_id"]
    assert api.read(docs.export_id, file_id) == api.read(docs.id, file_id)
    assert api.retrieve(docs.export_id, "harbour") == api.retrieve(docs.id, "harbour")
    session = api.session(docs.export_id)
    assert api.summary(session)["index_ids"] == [docs.export_id]
    turn = api.ask(session, "Which plant had the longest outage?", [docs.id])
    assert not turn.stop["is_error"]


def test_empty_directory_is_ready(api):
    _, _, index = api.build({})
    assert index["metadata"]["file_counts"]["total"] == 0
    assert api.retrieve(index["id"], "anything") == []
    assert api.find(index["id"]) == []


def test_some_files_failed(api):
    _, entries, index = api.build({"good.txt": b"The good file is readable.",
                                   "bad.pdf": corpus.BROKEN_PDF})
    counts = index["metadata"]["file_counts"]
    assert (counts["total"], counts["succeeded"], counts["failed"]) == (2, 1, 1)
    failed = index["metadata"]["failed_files"]
    assert [f["directory_file_id"] for f in failed] == [entries["bad.pdf"]["id"]]
    assert len(failed[0]["error"]) > 5
    assert [f["file_name"] for f in api.find(index["id"])] == ["good.txt"]


def test_all_files_failed(api, unready):
    found = api.index(unready.id)
    assert found["metadata"]["status"] == "failed" and found["metadata"]["error_message"]
    assert found["last_exported_at"] is None
    for path, body in (
        ("retrieve", {"query": "q"}), ("files/find", {}),
        ("files/grep", {"file_id": "x", "pattern": "p"}), ("files/read", {"file_id": "x"}),
    ):
        answer = api.call("POST", "/api/v1/retrieval/" + path, 409,
                          json=dict(body, index_id=unready.id))
        assert answer.headers["x-should-retry"] == "false", path


def test_a_file_of_an_unknown_type_fails_at_index_time(api):
    _, _, index = api.build({"a.txt": b"text", "movie.xyz": bytes(range(256)) * 20})
    assert index["metadata"]["file_counts"]["failed"] == 1


@pytest.mark.parametrize("name, data, words", [
    ("m.pdf", corpus.manual_pdf(), "carpenter Jakob Brandt"),
    ("w.docx", corpus.docx(["# Beekeeping", "The queen of hive nine is marked with blue paint."]),
     "marked with blue paint"),
    ("p.html", b"<h1>T</h1><p>Paper &amp; pencils</p>", "Paper & pencils"),
    ("d.csv", b"a,b\nx,copper\n", "copper"),
    ("j.json", b'{"colour": "vermilion"}', "vermilion"),
    ("n.md", b"# H\n\nSome *emphasised* words\n", "emphasised"),
    ("t.txt", b"Plain words", "Plain words"),
    ("latin1.txt", "Caf\u00e9 cr\u00e8me au comptoir, s'il vous pla\u00eet".encode("latin-1"), "Café"),
    ("utf16.txt", "A sixteen bit text about otters".encode("utf-16"), "otters"),
])
def test_formats(api, name, data, words):
    _, _, index = api.build({name: data})
    file_id = api.find(index["id"])[0]["file_id"]
    assert words in api.read(index["id"], file_id)
    assert api.retrieve(index["id"], words)[0]["content"]


def test_scripts_and_styles_are_no_text(api, docs):
    file_id = [f["file_id"] for f in api.find(docs.id) if f["file_name"] == "tea.html"][0]
    text = api.read(docs.id, file_id)
    assert "hidden" not in text and "color:red" not in text and "Meghamalai" in text


def test_creation_refusals(api):
    directory = api.create_directory()
    source = {"source_directory_id": directory["id"]}
    api.refused("POST", INDEXES, 404, {"source_directory_id": "dir-nothing"})
    api.refused("POST", INDEXES, 404, dict(source, products=[
        {"product_type": "parse", "product_config_id": "cfg-nothing"}]))
    for body, loc in (
        ({"products": [{"product_type": "extract", "product_config_id": "c"}]},
         ("body", "products", 0, "product_type")),
        ({"products": [{"product_type": "parse"}]}, ("body", "products", 0, "product_config_id")),
        ({"store_attachments": ["pictures"]}, ("body", "store_attachments", 0)),
        ({"sync_frequency": "hourly"}, ("body", "sync_frequency")),
    ):
        api.invalid("POST", INDEXES, loc, dict(source, **body))
    twice = [{"product_type": "parse", "product_config_id": "cfg-PARSE_FAST"}] * 2
    api.refused("POST", INDEXES, 422, dict(source, products=twice))
    api.delete("/api/v1/beta/directories/" + directory["id"])
    api.refused("POST", INDEXES, 404, source)


def test_creation_with_all_members(api):
    directory = uploaded(api, {"a.txt": b"All the members are given here."})
    made = api.post(INDEXES, {
        "source_directory_id": directory["id"], "name": "named", "description": None,
        "products": [{"product_type": "parse", "product_config_id": "cfg-PARSE_FAST"}],
        "store_attachments": [], "sync_frequency": "daily", "vector_target": "DISABLED"})
    assert made["name"] == "named"
    api.wait_index(made["id"])
    assert api.retrieve(made["id"], "members")


def test_expand(api, docs):
    assert api.index(docs.id)["sync_in_progress"] is None
    assert api.index(docs.id, expand="sync_in_progress")["sync_in_progress"] is False


def test_one_sync_at_a_time(api, slow_documents):
    directory = uploaded(api, slow_documents)
    made = api.post(INDEXES, {"source_directory_id": directory["id"]})
    answer = api.call("POST", "%s/%s/sync" % (INDEXES, made["id"]), 409)
    assert "x-should-retry" not in answer.headers
    assert api.index(made["id"], expand="sync_in_progress")["sync_in_progress"] is True
    api.wait_index(made["id"], seconds=120)
    assert api.post("%s/%s/sync" % (INDEXES, made["id"])) == {}
    api.wait_index(made["id"], seconds=120)


def test_cancel_the_first_build(api, slow_documents):
    directory = uploaded(api, slow_documents)
    made = api.post(INDEXES, {"source_directory_id": directory["id"]})
    assert isinstance(api.post("%s/%s/sync/cancel" % (INDEXES, made["id"])), dict)
    found = api.wait_index(made["id"], "failed")
    assert found["metadata"]["error_message"] == "sync cancelled"
    assert found["last_exported_at"] is None
    answer = api.call("POST", "%s/%s/sync/cancel" % (INDEXES, made["id"]), 409)
    assert answer.headers["x-should-retry"] == "false"
    api.post("%s/%s/sync" % (INDEXES, made["id"]))
    api.wait_index(made["id"], seconds=120)


def test_cancel_a_later_sync_keeps_the_last_export(api, slow_documents):
    directory, _, index = api.build({"old.txt": b"The pelican eats herring."})
    for name, data in slow_documents.items():
        api.upload(directory["id"], name, data)
    api.post("%s/%s/sync" % (INDEXES, index["id"]))
    # During the sync the last good export answers.
    assert "pelican" in api.retrieve(index["id"], "pelican herring")[0]["content"]
    api.post("%s/%s/sync/cancel" % (INDEXES, index["id"]))
    found = api.wait_index(index["id"], "ready")
    assert found["last_exported_at"] == index["last_exported_at"]
    assert "pelican" in api.retrieve(index["id"], "pelican herring")[0]["content"]


def test_sync_follows_the_source(api):
    directory, entries, index = api.build(
        {"stay.txt": b"The badger sleeps by day.", "change.txt": b"The toll is five pence.",
         "drop.txt": b"The ferry leaves at noon."})
    before = {f["file_name"]: f["file_id"] for f in api.find(index["id"])}
    files = "/api/v1/beta/directories/%s/files" % directory["id"]
    api.delete("%s/%s" % (files, entries["drop.txt"]["id"]))
    api.delete("%s/%s" % (files, entries["change.txt"]["id"]))
    api.upload(directory["id"], "change.txt", b"The toll is nine pence.")
    api.upload(directory["id"], "new.txt", b"The mill grinds on Tuesdays.")
    api.patch("%s/%s" % (files, entries["stay.txt"]["id"]),
              {"metadata": {"animal": "badger"}, "display_name": "stayed.txt"})
    # Until the next sync the old chunks stay.
    assert "ferry" in api.retrieve(index["id"], "ferry noon")[0]["content"]
    api.post("%s/%s/sync" % (INDEXES, index["id"]))
    api.wait_index(index["id"])
    after = {f["file_name"]: f["file_id"] for f in api.find(index["id"])}
    assert set(after) == {"stayed.txt", "change.txt", "new.txt"}
    assert after["stayed.txt"] == before["stay.txt"], "the parsed entry's id is stable"
    assert all("ferry" not in r["content"] for r in api.retrieve(index["id"], "ferry noon"))
    assert "nine pence" in api.retrieve(index["id"], "toll pence")[0]["content"]
    found = api.retrieve(index["id"], "badger",
                         custom_filters={"animal": {"operator": "eq", "value": "badger"}})
    assert found and found[0]["metadata"] == {"animal": "badger"}


def test_a_deleted_source_fails_the_next_sync_and_keeps_the_export(api):
    directory, _, index = api.build({"a.txt": b"The otter swims at dusk."})
    api.delete("/api/v1/beta/directories/" + directory["id"])
    assert api.retrieve(index["id"], "otter")
    api.post("%s/%s/sync" % (INDEXES, index["id"]))
    found = api.wait_index(index["id"], "failed")
    assert found["metadata"]["error_message"] and found["last_exported_at"]
    assert "otter" in api.retrieve(index["id"], "otter")[0]["content"]


def test_list_is_newest_first(api):
    directory = api.create_directory()
    made = [api.post(INDEXES, {"source_directory_id": directory["id"], "name": n}) for n in "abc"]
    found = api.get(INDEXES, query={"source_directory_id": directory["id"]})["items"]
    assert [i["id"] for i in found] == [i["id"] for i in reversed(made)]
    assert api.get(INDEXES, query={"source_directory_id": "dir-none"})["items"] == []


def test_delete(api):
    directory, entries, index = api.build({"a.txt": b"The heron stands still."})
    session = api.session(index["id"])
    path = "%s/%s" % (INDEXES, index["id"])
    file_id = api.find(index["id"])[0]["file_id"]
    api.delete(path)
    for method, where in (("GET", path), ("DELETE", path), ("POST", path + "/sync"),
                          ("POST", path + "/sync/cancel"),
                          ("GET", "%s/%s" % (INDEXES, index["export_config_id"])),
                          ("GET", "/api/v1/beta/directories/" + index["output_directory_id"])):
        api.refused(method, where, 404)
    for body in ({"query": "q"}, {"file_id": file_id}, {}):
        name = "retrieve" if "query" in body else "files/read" if body else "files/find"
        api.refused("POST", "/api/v1/retrieval/" + name, 404, dict(body, index_id=index["id"]))
    assert api.get("/api/v1/beta/directories/" + directory["id"])
    assert api.get("/api/v1/beta/files/" + entries["a.txt"]["file_id"])
    assert api.summary(session)["index_ids"] == [index["id"]]
    assert api.get(INDEXES, query={"source_directory_id": directory["id"]})["items"] == []


def test_delete_stops_a_running_build(api, slow_documents):
    directory = uploaded(api, slow_documents)
    made = api.post(INDEXES, {"source_directory_id": directory["id"]})
    api.delete("%s/%s" % (INDEXES, made["id"]))
    api.refused("GET", "%s/%s" % (INDEXES, made["id"]), 404)
    assert api.get("/api/v1/beta/directories/" + directory["id"])


def test_unknown_ids(api):
    for some in ("idx-" + str(uuid.uuid4()), "exp-" + str(uuid.uuid4()), "x", "syn-x"):
        for method, tail in (("GET", ""), ("DELETE", ""), ("POST", "/sync"), ("POST", "/sync/cancel")):
            api.refused(method, "%s/%s%s" % (INDEXES, some, tail), 404)


def test_sync_ids_are_taken_by_no_route(api, docs):
    api.refused("GET", "%s/%s" % (INDEXES, docs.index["sync_config_id"]), 404)


def test_a_restart_begins_a_running_build_again(fresh, slow_documents):
    for hard in (False, True):
        server = fresh("--ingest-workers", "1")
        api = Api(server)
        directory = uploaded(api, slow_documents)
        made = api.post(INDEXES, {"source_directory_id": directory["id"]})
        server.restart(hard=hard)
        done = api.wait_index(made["id"], seconds=120)
        assert done["metadata"]["file_counts"]["succeeded"] == len(slow_documents)
        assert api.find(made["id"], page_size=1)


def test_sync_by_many_at_once(api):
    _, _, index = api.build({"a.txt": corpus.bulk(3, 300)})
    statuses = []

    def go():
        statuses.append(api.call("POST", "%s/%s/sync" % (INDEXES, index["id"]), (200, 409)).status)

    threads = [threading.Thread(target=go) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert 200 in statuses and len(statuses) == 8
    api.wait_index(index["id"])


def test_on_source_change_syncs_by_itself(api):
    """30 s after the last change, says the contract."""
    directory, _, index = api.build({"a.txt": b"First."}, sync_frequency="on_source_change")
    api.upload(directory["id"], "b.txt", b"A late marmot arrives.")
    wait_for("the sync after the change",
             lambda: any("marmot" in r["content"] for r in api.retrieve(index["id"], "marmot")), 60)
