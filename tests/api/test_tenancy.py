"""Who may reach what: a matrix of every operation x ids x keys, generated from the contract.

Two projects, A and B, with one of everything in each. Every operation of the contract needs a
recipe here; an operation without one fails the run. A foreign id and a deleted id answer like an
id nobody issued, to the byte; a foreign project answers 403.
"""

import json
import uuid

import pytest

import corpus
from client import CONTRACT, SEEN, Api
from cria_server import Server, multipart, segment

PARSE = {"product_type": "parse_v2", "tier": "fast", "version": "latest"}
ASK = "Which plant had the longest outage?"


class World:
    """One of everything in one project."""

    def __init__(self, api):
        self.api = api
        self.file = api.create_file("f.txt", b"file")["id"]
        directory, entries, index = api.build(
            {"outages.txt": corpus.DOCUMENTS["outages.txt"], "manual.pdf": corpus.manual_pdf()},
            store_attachments=["items"])
        self.directory = directory["id"]
        self.entry = entries["outages.txt"]["id"]
        self.index = index["id"]
        self.parsed = [f["file_id"] for f in api.find(self.index) if f["file_name"] == "manual.pdf"][0]
        self.session = api.session(self.index)
        api.ask(self.session, ASK, [])
        self.config = api.post("/api/v1/beta/configurations",
                               {"name": uuid.uuid4().hex, "parameters": PARSE})["id"]
        self.project = directory["project_id"]

    def spare(self):
        """A copy whose things a test may delete."""
        return World(self.api)

    def delete_all(self):
        api = self.api
        api.delete("/api/v1/chat/" + self.session)
        api.delete("/api/v1/indexes/" + self.index)
        api.delete("/api/v1/beta/directories/%s/files/%s" % (self.directory, self.entry))
        api.delete("/api/v1/beta/directories/" + self.directory)
        api.delete("/api/v1/beta/files/" + self.file)
        api.delete("/api/v1/beta/configurations/" + self.config)


class Nobody:
    """Ids that were never issued."""

    def __init__(self):
        own = str(uuid.uuid4())
        self.file = self.project = own
        self.directory, self.entry, self.index = "dir-" + own, "dfl-" + own, "idx-" + own
        self.parsed, self.session, self.config = "dfl-" + own, "ses-" + own, "cfg-" + own


def form(*parts):
    return lambda _: {"form": list(parts)}


FILE_FORM = form(("purpose", "parse"), ("file", b"x", "x.txt"))
UPLOAD_FORM = form(("upload_file", b"x", "x.txt"))


def body(make):
    return lambda w: {"json": make(w)}


# operation -> (path parameters by the world's names, the request, what the ids in it name)
# "scope": the call names no resource but its project.
RECIPES = {
    "createFile": ({}, FILE_FORM, "scope"),
    "listFiles": ({}, None, "scope"),
    "queryFiles": ({}, body(lambda w: {}), "scope"),
    "getFile": ({"file_id": "file"}, None, "id"),
    "deleteFile": ({"file_id": "file"}, None, "id"),
    "getFileContent": ({"file_id": "file"}, None, "id"),
    "createDirectory": ({}, body(lambda w: {"name": "n"}), "scope"),
    "listDirectories": ({}, None, "scope"),
    "getDirectory": ({"directory_id": "directory"}, None, "id"),
    "updateDirectory": ({"directory_id": "directory"}, body(lambda w: {"name": "m"}), "id"),
    "deleteDirectory": ({"directory_id": "directory"}, None, "id"),
    "addDirectoryFile": ({"directory_id": "directory"}, body(lambda w: {
        "file_id": w.file, "unique_id": uuid.uuid4().hex}), "id"),
    "listDirectoryFiles": ({"directory_id": "directory"}, None, "id"),
    "uploadDirectoryFile": ({"directory_id": "directory"}, UPLOAD_FORM, "id"),
    "getDirectoryFile": ({"directory_id": "directory", "directory_file_id": "entry"}, None, "id"),
    "updateDirectoryFile": ({"directory_id": "directory", "directory_file_id": "entry"},
                            body(lambda w: {"display_name": "m"}), "id"),
    "deleteDirectoryFile": ({"directory_id": "directory", "directory_file_id": "entry"}, None, "id"),
    "createIndex": ({}, body(lambda w: {"source_directory_id": w.directory}), "id"),
    "listIndexes": ({}, None, "scope"),
    "getIndex": ({"index_id": "index"}, None, "id"),
    "deleteIndex": ({"index_id": "index"}, None, "id"),
    "syncIndex": ({"index_id": "index"}, None, "id"),
    "cancelIndexSync": ({"index_id": "index"}, None, "id"),
    "retrieve": ({}, body(lambda w: {"index_id": w.index, "query": "outage"}), "id"),
    "findFiles": ({}, body(lambda w: {"index_id": w.index}), "id"),
    "grepFile": ({}, body(lambda w: {"index_id": w.index, "file_id": w.parsed, "pattern": "a"}), "id"),
    "readFile": ({}, body(lambda w: {"index_id": w.index, "file_id": w.parsed}), "id"),
    "listChatSessions": ({}, None, "scope"),
    "createChatSession": ({}, body(lambda w: {"index_ids": [w.index]}), "id"),
    "getChatSession": ({"session_id": "session"}, None, "id"),
    "deleteChatSession": ({"session_id": "session"}, None, "id"),
    "getChatSessionSummary": ({"session_id": "session"}, None, "id"),
    "setChatSessionTitle": ({"session_id": "session"}, body(lambda w: {"first_message": "m"}), "id"),
    "streamChatTurn": ({"session_id": "session"}, body(lambda w: {
        "index_ids": [w.index], "prompt": ASK}), "id"),
    "resumeChatTurn": ({"session_id": "session"}, None, "id"),
    "cancelChatTurn": ({"session_id": "session"}, None, "id"),
    "listAttachments": ({}, lambda w: {"query": {"source_id": w.parsed}}, "id"),
    "getAttachment": ({"attachment_name": "=items/page_1.json"},
                      lambda w: {"query": {"source_id": w.parsed}}, "id"),
    "listProjects": ({}, None, "own"),
    "getProject": ({"project_id": "project"}, None, "project"),
    "listProjectsV2": ({}, None, "own"),
    "getProjectV2": ({"project_id": "project"}, None, "project"),
    "createConfiguration": ({}, body(lambda w: {"name": "n", "parameters": PARSE}), "scope"),
    "listConfigurations": ({}, None, "scope"),
    "getConfiguration": ({"config_id": "config"}, None, "id"),
    "updateConfiguration": ({"config_id": "config"}, body(lambda w: {"parameters": PARSE}), "id"),
    "deleteConfiguration": ({"config_id": "config"}, None, "id"),
    "downloadBlob": ({"blob_id": "=" + "0" * 64}, lambda w: {"query": {
        "expires": 4102444800, "signature": "00"}}, "open"),
}


def test_every_operation_has_a_recipe():
    assert set(RECIPES) == set(CONTRACT.operations)


class Keyed:
    """A server with keys, two projects, and what is in them."""

    def __init__(self):
        self.server = Server().start()
        self.project_a = self.server.make_project("A")
        self.project_b = self.server.make_project("B")
        self.key_a = self.server.make_key("a", "--project", self.project_a)
        self.key_b = self.server.make_key("b", "--project", self.project_b)
        self.key_read = self.server.make_key("r", "--project", self.project_a, "--read-only")
        self.key_revoked = self.server.make_key("x", "--project", self.project_a)
        self.key_all = self.server.make_key("all")
        self.server.revoke_key(self.key_revoked)
        self.a = World(Api(self.server, self.key_a))
        self.b = World(Api(self.server, self.key_b))
        self.deleted = World(Api(self.server, self.key_a))
        self.deleted.delete_all()
        self.nobody = Nobody()


@pytest.fixture(scope="module")
def keyed():
    made = Keyed()
    yield made
    made.server.close()


def perform(keyed, op_id, world, key, extra=None):
    """Send the operation with this world's ids; no expectation."""
    op = CONTRACT.operations[op_id]
    names, request, _ = RECIPES[op_id]
    path = op.path
    for name, source in names.items():
        value = source[1:] if source.startswith("=") else getattr(world, source)
        path = path.replace("{%s}" % name, segment(value))
    more = request(world) if request else {}
    query = dict(more.get("query", {}), **(extra or {}))
    headers, data = {}, None
    if "form" in more:
        headers["Content-Type"], data = multipart(more["form"], "cria-boundary")
    answer = keyed.server.request(op.method, path, json_body=more.get("json"), body=data,
                                  headers=headers, query=query, key=key)
    SEEN.setdefault(op_id, set()).add(answer.status)
    CONTRACT.check(op, answer.status, answer.headers, answer.body)
    return answer


ALL = sorted(RECIPES)
NAMED = [o for o in ALL if RECIPES[o][2] == "id"]
CLOSED = [o for o in ALL if RECIPES[o][2] != "open"]


@pytest.mark.parametrize("op_id", CLOSED)
def test_without_a_key(keyed, op_id):
    for world in (keyed.a, keyed.nobody):
        assert perform(keyed, op_id, world, None).status == 401


@pytest.mark.parametrize("op_id", CLOSED)
def test_with_a_wrong_key(keyed, op_id):
    good = keyed.key_a
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    for key in (wrong, good + "A", good[:-1], "x", "cria_" + "0" * 43,
                "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."):
        assert perform(keyed, op_id, keyed.a, key).status == 401


@pytest.mark.parametrize("op_id", CLOSED)
def test_with_a_revoked_key(keyed, op_id):
    assert perform(keyed, op_id, keyed.a, keyed.key_revoked).status == 401


@pytest.mark.parametrize("op_id", CLOSED)
def test_with_a_read_only_key(keyed, op_id):
    status = perform(keyed, op_id, keyed.a, keyed.key_read).status
    if CONTRACT.operations[op_id].is_write:
        assert status == 403
    else:
        assert status in (200, 204)


@pytest.mark.parametrize("op_id", NAMED)
def test_ids_of_another_project(keyed, op_id):
    """The same status and the same words as for an id that nobody issued."""
    missing = perform(keyed, op_id, keyed.nobody, keyed.key_a)
    foreign = perform(keyed, op_id, keyed.b, keyed.key_a)
    assert missing.status == 404, missing
    assert (foreign.status, foreign.body) == (404, missing.body)
    # And the other way round, so that neither project is special.
    assert perform(keyed, op_id, keyed.a, keyed.key_b).body == missing.body


@pytest.mark.parametrize("op_id", NAMED)
def test_deleted_ids(keyed, op_id):
    missing = perform(keyed, op_id, keyed.nobody, keyed.key_a)
    gone = perform(keyed, op_id, keyed.deleted, keyed.key_a)
    assert (gone.status, gone.body) == (404, missing.body)


@pytest.mark.parametrize("op_id", [o for o in NAMED if o != "createChatSession"])
def test_own_ids_mixed_with_foreign_ones(keyed, op_id):
    """Each id of a call is checked by itself: one foreign id is enough for a 404."""
    names = [n for n in ("file", "directory", "entry", "index", "parsed", "session", "config")]
    used = set(RECIPES[op_id][0].values())
    for name in names:
        mixed = World.__new__(World)
        mixed.__dict__.update(keyed.a.__dict__)
        setattr(mixed, name, getattr(keyed.b, name))
        sample = RECIPES[op_id][1]
        text = json.dumps(sample(mixed), default=str) if sample else ""
        if name not in used and getattr(keyed.b, name) not in text:
            continue
        assert perform(keyed, op_id, mixed, keyed.key_a).status == 404, name


@pytest.mark.parametrize("op_id", [o for o in CLOSED if RECIPES[o][2] not in ("own", "project")])
def test_a_project_that_the_key_may_not_use(keyed, op_id):
    real = perform(keyed, op_id, keyed.b, keyed.key_a, {"project_id": keyed.project_b})
    none = perform(keyed, op_id, keyed.b, keyed.key_a, {"project_id": str(uuid.uuid4())})
    assert real.status == none.status == 403
    assert real.body == none.body
    org = perform(keyed, op_id, keyed.a, keyed.key_a, {"organization_id": str(uuid.uuid4())})
    assert org.status == 403


@pytest.mark.parametrize("op_id", ["getProject", "getProjectV2"])
def test_foreign_projects(keyed, op_id):
    assert perform(keyed, op_id, keyed.a, keyed.key_a).status == 200
    missing = perform(keyed, op_id, keyed.nobody, keyed.key_a)
    foreign = perform(keyed, op_id, keyed.b, keyed.key_a)
    assert missing.status == foreign.status and foreign.status in (403, 404)
    assert missing.body == foreign.body


@pytest.mark.parametrize("op_id", sorted(o for o in CLOSED))
def test_own_ids_work(keyed, op_id):
    """The recipes are right: with the right key each call is taken."""
    world = keyed.a
    op = CONTRACT.operations[op_id]
    if op.is_write and RECIPES[op_id][2] == "id":
        world = keyed.a.spare()
    answer = perform(keyed, op_id, world, keyed.key_a)
    if op_id == "cancelIndexSync":
        assert answer.status in (200, 409)
    else:
        assert answer.status in op.successes, answer


def test_lists_hold_the_own_project_only(keyed):
    for path, member in (("/api/v1/beta/files", "id"), ("/api/v1/beta/directories", "id"),
                         ("/api/v1/indexes", "id"), ("/api/v1/chat", "session_id"),
                         ("/api/v1/beta/configurations", "id")):
        ids = []
        for key in (keyed.key_a, keyed.key_b):
            page = Api(keyed.server, key).get(path, query={"page_size": 1000})
            ids.append({i[member] for i in page["items"] if not i[member].startswith("cfg-PARSE")})
        assert ids[0] and ids[1] and not ids[0] & ids[1], path
    for key, own in ((keyed.key_a, keyed.project_a), (keyed.key_b, keyed.project_b)):
        assert [p["id"] for p in Api(keyed.server, key).get("/api/v1/projects")] == [own]
        assert [p["id"] for p in Api(keyed.server, key).get("/api/v2/projects")["items"]] == [own]


def test_filters_reach_no_other_project(keyed):
    api = Api(keyed.server, keyed.key_a)
    assert api.get("/api/v1/beta/files", query={"file_ids": [keyed.b.file]})["items"] == []
    assert api.get("/api/v1/indexes", query={"source_directory_id": keyed.b.directory})["items"] == []
    assert api.post("/api/v1/beta/files/query", {"filter": {"file_ids": [keyed.b.file]}})["items"] == []
    api.refused("POST", "/api/v1/beta/files/query", 403, {"filter": {"project_id": keyed.project_b}})


def test_foreign_indexes_in_a_turn(keyed):
    api = Api(keyed.server, keyed.key_a)
    session = api.session()
    api.open_turn(session, ASK, [keyed.b.index], expect=404)
    turn = api.ask(session, ASK, [keyed.a.index, keyed.b.index])
    assert turn.stop["skipped_index_ids"] == [keyed.b.index]
    api.refused("POST", "/api/v1/chat", 404, {"index_ids": [keyed.a.index, keyed.b.index]})


def test_foreign_frame_ids(keyed):
    api = Api(keyed.server, keyed.key_a)
    theirs = Api(keyed.server, keyed.key_b).resume(keyed.b.session).rest()[0].id
    api.resume(keyed.b.session, theirs, expect=404)
    api.resume(keyed.a.session, theirs, expect=422)


def test_foreign_configurations_in_an_index(keyed):
    api = Api(keyed.server, keyed.key_a)
    api.refused("POST", "/api/v1/indexes", 404, {
        "source_directory_id": keyed.a.directory,
        "products": [{"product_type": "parse", "product_config_id": keyed.b.config}]})


def test_moving_into_a_foreign_directory(keyed):
    api = Api(keyed.server, keyed.key_a)
    path = "/api/v1/beta/directories/%s/files/%s" % (keyed.a.directory, keyed.a.entry)
    api.refused("PATCH", path, 404, {"target_directory_id": keyed.b.directory})


def test_a_key_of_the_organization(keyed):
    api = Api(keyed.server, keyed.key_all)
    assert {keyed.project_a, keyed.project_b} <= {p["id"] for p in api.get("/api/v1/projects")}
    for world in (keyed.a, keyed.b):
        assert api.scoped(world.project).index(world.index)["id"] == world.index
    api.refused("GET", "/api/v1/indexes/" + keyed.a.index, 404)
    api.scoped(keyed.project_a).refused("GET", "/api/v1/indexes/" + keyed.b.index, 404)


# ------------------------------------------------------------------ credentials
def test_only_the_bearer_header_counts(keyed):
    path, key = "/api/v1/projects", keyed.key_a
    send = keyed.server.request
    for headers, query in (
        ({"X-Api-Key": key}, None), ({"Cookie": "session=" + key}, None),
        ({"Authorization": "Basic " + key}, None), ({"Authorization": key}, None),
        ({"Authorization": "Bearer"}, None), ({"Authorization": "Bearer " + key + " x"}, None),
        ({}, {"api_key": key}), ({}, {"key": key}), ({}, {"access_token": key}),
        ({"Proxy-Authorization": "Bearer " + key}, None),
    ):
        answer = send("GET", path, headers=headers, query=query)
        assert answer.status == 401, headers
        assert answer.headers["www-authenticate"] == "Bearer"
    for good in ("Bearer " + key, "bearer " + key, "BEARER " + key):
        assert send("GET", path, headers={"Authorization": good}).status == 200, good


def test_method_override_is_ignored(keyed):
    answer = keyed.server.request("POST", "/api/v1/beta/directories", json_body={"name": "n"},
                                  headers={"X-HTTP-Method-Override": "GET"}, key=keyed.key_read)
    assert answer.status == 403


def test_authentication_comes_before_validation(keyed):
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = keyed.server.request("POST", "/api/v1/beta/directories", body=b"{broken",
                                      headers=headers)
        assert answer.status == 401


def test_open_routes_need_no_key(keyed):
    for path in ("/health", "/ready", "/openapi.yaml"):
        assert keyed.server.request("GET", path).status == 200


def test_links_need_no_key(keyed):
    api = Api(keyed.server, keyed.key_a)
    url = api.get("/api/v1/beta/files/%s/content" % keyed.a.file)["url"]
    path = url[len(keyed.server.url):]
    assert keyed.server.request("GET", path).body == b"file"
    assert keyed.server.request("GET", path, key="wrong").body == b"file"


def test_keys_are_nowhere(keyed):
    """Shown once: not in the log, not in the data folder as text."""
    secret = keyed.key_b.encode()
    assert keyed.key_b not in keyed.server.log()
    for path in keyed.server.data.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes(), path


def test_a_revoked_key_is_refused_at_once(keyed):
    from cria_server import wait_for

    key = keyed.server.make_key("short", "--project", keyed.project_a)
    api = Api(keyed.server, key)
    api.get("/api/v1/projects")
    keyed.server.revoke_key(key)
    wait_for("the refusal", lambda: api.call("GET", "/api/v1/projects", (200, 401)).status == 401, 1)


def test_keys_survive_a_restart_and_can_be_made_on_a_stopped_server(fresh):
    server = fresh()
    server.stop()
    key = server.make_key("made while stopped")
    server.start()
    assert server.request("GET", "/api/v1/projects").status == 401
    assert server.request("GET", "/api/v1/projects", key=key).status == 200
    server.restart(hard=True)
    assert server.request("GET", "/api/v1/projects", key=key).status == 200


def test_without_a_key_only_loopback_is_served():
    import subprocess

    from cria_server import bin_dir

    server = Server()
    done = subprocess.run([str(bin_dir() / "cria"), "serve", "--data", str(server.data), "--listen",
                           "0.0.0.0:0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=20)
    assert done.returncode != 0 and b"key" in done.stderr
    server.close()
