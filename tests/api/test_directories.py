"""Directories and their entries."""

import json
import uuid

import pytest

from cria_server import multipart, segment

DIRECTORIES = "/api/v1/beta/directories"


def entries_path(directory, entry=None):
    path = "%s/%s/files" % (DIRECTORIES, segment(directory["id"]))
    return path if entry is None else "%s/%s" % (path, segment(entry["id"]))


# ------------------------------------------------------------------ directories
def test_create_and_get(api):
    made = api.post(DIRECTORIES, {"name": "My documents", "description": "for people",
                                  "system_metadata": {"a": [1, {"b": None}], "é": 1.5}})
    assert made["id"].startswith("dir-") and uuid.UUID(made["id"][4:])
    assert made["type"] == "user"
    assert made["description"] == "for people"
    assert made["system_metadata"] == {"a": [1, {"b": None}], "é": 1.5}
    assert made["deleted_at"] is None and made["expires_at"] is None
    assert made["connector_subscription_id"] is None
    assert api.get("%s/%s" % (DIRECTORIES, made["id"])) == made


def test_ephemeral_ones_expire_after_a_day(api):
    from datetime import datetime

    made = api.create_directory(type="ephemeral")
    assert made["type"] == "ephemeral"
    start, end = (datetime.fromisoformat(made[n][:-1]) for n in ("created_at", "expires_at"))
    assert (end - start).total_seconds() == 24 * 3600


def test_names_need_not_be_unique(api):
    name = uuid.uuid4().hex
    assert api.create_directory(name)["id"] != api.create_directory(name)["id"]
    assert len(api.get(DIRECTORIES, query={"name": name})["items"]) == 2


def test_connectors_are_refused(api):
    api.refused("POST", DIRECTORIES, 400, {"name": "n", "connector_subscription_id": "c"})
    assert api.post(DIRECTORIES, {"name": "n", "connector_subscription_id": None})
    api.invalid("POST", DIRECTORIES, ("body", "type"), {"name": "n", "type": "index"})


def test_update(api):
    made = api.create_directory("before", description="old")
    path = "%s/%s" % (DIRECTORIES, made["id"])
    changed = api.patch(path, {"name": "after"})
    assert (changed["name"], changed["description"]) == ("after", "old")
    assert changed["updated_at"] >= made["updated_at"]
    cleared = api.patch(path, {"name": None, "description": None})
    assert (cleared["name"], cleared["description"]) == ("after", None)
    assert api.patch(path, {})["name"] == "after"
    assert api.get(path)["name"] == "after"


def test_list_filters(api, docs):
    tag = uuid.uuid4().hex
    user, passing = api.create_directory(tag), api.create_directory(tag, type="ephemeral")

    def ids(**query):
        return [d["id"] for d in api.get(DIRECTORIES, query=dict(query, page_size=1000))["items"]]

    assert ids(name=tag) == [passing["id"], user["id"]]
    assert ids(name=tag.upper()) == []
    assert ids(name=tag, type="user") == [user["id"]]
    assert ids(name=tag, types=["ephemeral"]) == [passing["id"]]
    assert set(ids(name=tag, type="user", types=["ephemeral"])) == {user["id"], passing["id"]}
    output = docs.index["output_directory_id"]
    assert output in ids(type="index") and output in ids() and output not in ids(type="user")


def test_delete(api):
    made = api.create_directory(uuid.uuid4().hex)
    entry = api.upload(made["id"], "a.txt", b"a")
    path = "%s/%s" % (DIRECTORIES, made["id"])
    api.delete(path)
    api.refused("GET", path, 404)
    api.refused("PATCH", path, 404, {"name": "x"})
    api.refused("DELETE", path, 404)
    api.refused("GET", entries_path(made), 404)
    api.refused("GET", entries_path(made, entry), 404)
    api.refused("POST", entries_path(made), 404, {"file_id": entry["file_id"]})
    assert api.get(DIRECTORIES, query={"name": made["name"]})["items"] == []
    shown = api.get(DIRECTORIES, query={"name": made["name"], "include_deleted": True})["items"]
    assert shown[0]["deleted_at"] is not None
    assert api.get("/api/v1/beta/files/" + entry["file_id"])["id"] == entry["file_id"]


def test_output_directory_belongs_to_its_index(api, docs):
    output = docs.index["output_directory_id"]
    path = "%s/%s" % (DIRECTORIES, output)
    assert api.get(path)["type"] == "index"
    answer = api.call("DELETE", path, 409)
    assert answer.headers["x-should-retry"] == "false"
    stored = api.create_file()
    answer = api.call("POST", path + "/files", 409, json={"file_id": stored["id"]})
    assert answer.headers["x-should-retry"] == "false"
    kind, body = multipart([("upload_file", b"a", "a.txt")])
    answer = api.call("POST", path + "/files/upload", 409, body=body, headers={"Content-Type": kind})
    assert answer.headers["x-should-retry"] == "false"


# ---------------------------------------------------------------------- entries
@pytest.fixture
def directory(api):
    return api.create_directory()


def test_add_a_stored_file(api, directory):
    stored = api.create_file("s.txt", b"s")
    entry = api.post(entries_path(directory), {"file_id": stored["id"]})
    assert entry["id"].startswith("dfl-")
    assert entry["file_id"] == stored["id"]
    assert entry["directory_id"] == directory["id"]
    assert entry["display_name"] == entry["unique_id"] == "s.txt"
    assert entry["metadata"] == {}
    assert api.get(entries_path(directory, entry)) == entry


def test_unique_id_defaults_to_the_external_id(api, directory):
    stored = api.create_file("s.txt", b"s", external_file_id="ext-7")
    entry = api.post(entries_path(directory), {"file_id": stored["id"]})
    assert (entry["display_name"], entry["unique_id"]) == ("s.txt", "ext-7")


def test_one_file_in_many_directories(api, directory):
    stored = api.create_file("s.txt", b"s")
    entries = [api.post(entries_path(d), {"file_id": stored["id"]})
               for d in (directory, api.create_directory())]
    assert entries[0]["id"] != entries[1]["id"]
    again = api.post(entries_path(directory), {"file_id": stored["id"], "unique_id": "other"})
    assert again["id"] != entries[0]["id"]


def test_adding_by_entry_id(api, directory):
    first = api.upload(directory["id"], "x.txt", b"x")
    other = api.create_directory()
    made = api.post(entries_path(other), {"file_id": first["id"]}, expect=(200, 404))
    if "id" in made:
        assert made["file_id"] == first["file_id"]


def test_unknown_files_and_directories(api, directory):
    api.refused("POST", entries_path(directory), 404, {"file_id": str(uuid.uuid4())})
    stored = api.create_file()
    api.refused("POST", DIRECTORIES + "/dir-nothing/files", 404, {"file_id": stored["id"]})
    api.refused("GET", DIRECTORIES + "/dir-nothing/files", 404)
    kind, body = multipart([("upload_file", b"a", "a.txt")])
    api.refused("POST", DIRECTORIES + "/dir-nothing/files/upload", 404, body=body,
                headers={"Content-Type": kind})


def test_duplicate_unique_id(api, directory):
    api.upload(directory["id"], "a.txt", b"a")
    before = len(api.get("/api/v1/beta/files", query={"file_name": "twin-7.txt"})["items"])
    kind, body = multipart([("upload_file", b"b", "twin-7.txt"), ("unique_id", "a.txt")])
    answer = api.call("POST", entries_path(directory) + "/upload", 409, body=body,
                      headers={"Content-Type": kind})
    assert answer.headers["x-should-retry"] == "false"
    # The two steps of an upload fail together.
    assert len(api.get("/api/v1/beta/files", query={"file_name": "twin-7.txt"})["items"]) == before
    stored = api.create_file("a.txt", b"c")
    answer = api.call("POST", entries_path(directory), 409, json={"file_id": stored["id"]})
    assert answer.headers["x-should-retry"] == "false"


def test_a_deleted_entry_frees_its_unique_id(api, directory):
    entry = api.upload(directory["id"], "a.txt", b"a")
    api.delete(entries_path(directory, entry))
    assert api.upload(directory["id"], "a.txt", b"a")["id"] != entry["id"]


def test_upload_with_all_fields_in_any_order(api, directory):
    fields = [("display_name", "Shown"), ("unique_id", "u-1"), ("external_file_id", "x-1"),
              ("metadata", json.dumps({"a": "b", "n": 1, "f": 1.5, "t": True, "z": None,
                                       "l": ["x", "y"]}))]
    for number, place in enumerate((0, 2, 4)):
        parts = [(k, v.replace("u-1", "u-%d" % number)) for k, v in fields]
        parts.insert(place, ("upload_file", b"body", "f.txt"))
        kind, body = multipart(parts)
        entry = api.call("POST", entries_path(directory) + "/upload", body=body,
                         headers={"Content-Type": kind}).json
        assert entry["display_name"] == "Shown" and entry["unique_id"] == "u-%d" % number
        assert entry["metadata"] == {"a": "b", "n": 1, "f": 1.5, "t": True, "z": None,
                                     "l": ["x", "y"]}
        stored = api.get("/api/v1/beta/files/" + entry["file_id"])
        assert (stored["purpose"], stored["external_file_id"]) == ("user_data", "x-1")
        assert stored["name"] == "f.txt"


@pytest.mark.parametrize("text", ["", "no json", "[]", '"x"', "5", '{"a":{"b":1}}', '{"a":[1]}',
                                  '{"a":', "nul"])
def test_metadata_must_be_a_flat_object(api, directory, text):
    kind, body = multipart([("upload_file", b"a", "a.txt"), ("metadata", text)])
    answer = api.call("POST", entries_path(directory) + "/upload", (200, 422) if text == "" else 422,
                      body=body, headers={"Content-Type": kind})
    if answer.status == 422:
        assert answer.json["detail"][0]["loc"][:2] == ["body", "metadata"]
        assert api.get(entries_path(directory))["items"] == []


def test_metadata_in_a_json_body(api, directory):
    stored = api.create_file()
    body = {"file_id": stored["id"], "metadata": {"k": "v", "n": 3, "l": ["a"]}, "unique_id": "m"}
    assert api.post(entries_path(directory), body)["metadata"] == {"k": "v", "n": 3, "l": ["a"]}
    for bad in ({"a": {"b": 1}}, {"a": [1]}, [], "x", 5):
        detail = api.refused("POST", entries_path(directory), 422,
                             {"file_id": stored["id"], "metadata": bad})
        assert detail[0]["loc"][:2] == ["body", "metadata"]


def test_list_is_oldest_first_and_filters(api, directory):
    names = ["Alpha one.txt", "beta ONE.txt", "gamma_100%.txt"]
    made = [api.upload(directory["id"], n, n.encode(), unique_id="u%d" % i)
            for i, n in enumerate(names)]

    def ids(**query):
        return [e["id"] for e in api.get(entries_path(directory), query=query)["items"]]

    all_ids = [e["id"] for e in made]
    assert ids() == all_ids
    assert ids(display_name="beta ONE.txt") == [all_ids[1]]
    assert ids(display_name="BETA one.txt") == []
    assert ids(display_name_contains="one") == all_ids[:2]
    assert ids(display_name_contains="%") == [all_ids[2]]
    assert ids(display_name_contains="_") == [all_ids[2]]
    assert ids(unique_id="u2") == [all_ids[2]]
    assert ids(file_id=made[0]["file_id"]) == [all_ids[0]]
    assert ids(display_name_contains="one", unique_id="u2") == []
    assert ids(updated_at_on_or_after=made[1]["updated_at"]) == all_ids[1:]
    assert ids(updated_at_on_or_before=made[1]["updated_at"]) == all_ids[:2]
    assert ids(updated_at_on_or_after="2999-01-01T00:00:00Z") == []
    assert ids(updated_at_on_or_before="2999-01-01T01:00:00+01:00") == all_ids


def test_expand_download_url(api, directory):
    entry = api.upload(directory["id"], "a.txt", b"linked entry")
    assert entry["download_url"] is None
    shown = api.get(entries_path(directory, entry), query={"expand": "download_url"})
    url = shown["download_url"]["url"]
    assert api.server.request("GET", url[len(api.server.url):]).body == b"linked entry"
    listed = api.get(entries_path(directory), query={"expand": ["download_url"]})["items"]
    assert listed[0]["download_url"]["url"]


def test_update_entry(api, directory):
    entry = api.upload(directory["id"], "a.txt", b"a", metadata='{"k": "v"}')
    path = entries_path(directory, entry)
    changed = api.patch(path, {"display_name": "b.txt"})
    assert (changed["display_name"], changed["unique_id"]) == ("b.txt", "a.txt")
    assert changed["metadata"] == {"k": "v"}
    assert changed["updated_at"] > entry["updated_at"]
    assert api.patch(path, {"metadata": {"other": 1}})["metadata"] == {"other": 1}
    assert api.patch(path, {"display_name": None, "unique_id": None, "metadata": None}) [
        "metadata"] == {}
    shown = api.get(path)
    assert (shown["display_name"], shown["unique_id"]) == ("b.txt", "a.txt")
    api.upload(directory["id"], "c.txt", b"c")
    answer = api.call("PATCH", path, 409, json={"unique_id": "c.txt"})
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("member", ["target_directory_id", "directory_id"])
def test_move_entry(api, directory, member):
    other = api.create_directory()
    entry = api.upload(directory["id"], "a.txt", b"a")
    moved = api.patch(entries_path(directory, entry), {member: other["id"]})
    assert (moved["id"], moved["directory_id"]) == (entry["id"], other["id"])
    api.refused("GET", entries_path(directory, entry), 404)
    assert api.get(entries_path(other, entry))["id"] == entry["id"]
    assert api.get(entries_path(directory))["items"] == []


def test_target_wins_over_the_older_spelling(api, directory):
    one, two = api.create_directory(), api.create_directory()
    entry = api.upload(directory["id"], "a.txt", b"a")
    moved = api.patch(entries_path(directory, entry),
                      {"target_directory_id": one["id"], "directory_id": two["id"]})
    assert moved["directory_id"] == one["id"]


def test_move_refusals(api, directory, docs):
    entry = api.upload(directory["id"], "a.txt", b"a")
    path = entries_path(directory, entry)
    api.refused("PATCH", path, 404, {"target_directory_id": "dir-nothing"})
    other = api.create_directory()
    api.upload(other["id"], "a.txt", b"b")
    assert api.call("PATCH", path, 409, json={"target_directory_id": other["id"]}) \
        .headers["x-should-retry"] == "false"
    api.refused("PATCH", path, 409, {"target_directory_id": docs.index["output_directory_id"]})
    assert api.get(path)["directory_id"] == directory["id"]


def test_delete_entry(api, directory):
    entry = api.upload(directory["id"], "a.txt", b"a")
    path = entries_path(directory, entry)
    api.delete(path)
    api.refused("GET", path, 404)
    api.refused("PATCH", path, 404, {"display_name": "x"})
    api.refused("DELETE", path, 404)
    assert api.get(entries_path(directory))["items"] == []
    shown = api.get(entries_path(directory), query={"include_deleted": "true"})["items"]
    assert [e["id"] for e in shown] == [entry["id"]]
    assert shown[0]["deleted_at"] and shown[0]["file_id"] == entry["file_id"]
    assert api.get("/api/v1/beta/files/" + entry["file_id"])


def test_deleting_the_file_marks_its_entries(api, directory):
    entry = api.upload(directory["id"], "a.txt", b"a")
    api.delete("/api/v1/beta/files/" + entry["file_id"])
    api.refused("GET", entries_path(directory, entry), 404)
    shown = api.get(entries_path(directory), query={"include_deleted": "true"})["items"][0]
    assert shown["deleted_at"] is not None and shown["file_id"] is None


def test_entry_of_another_directory_is_not_found(api, directory):
    other = api.create_directory()
    entry = api.upload(directory["id"], "a.txt", b"a")
    for method, body in (("GET", None), ("PATCH", {"display_name": "x"}), ("DELETE", None)):
        api.refused(method, entries_path(other, entry), 404, body)


def test_output_entries_cannot_be_changed_by_hand(api, docs):
    output = {"id": docs.index["output_directory_id"]}
    items = api.get(entries_path(output))["items"]
    assert len(items) == len(docs.entries)
    answer = api.call("DELETE", entries_path(output, items[0]), 409)
    assert answer.headers["x-should-retry"] == "false"
