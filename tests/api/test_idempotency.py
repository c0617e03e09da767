"""Idempotency-Key on creating POSTs."""

import json
import threading
import uuid

import pytest

from client import Api
from cria_server import multipart, segment

BETA = "/api/v1/beta"
PARSE = {"product_type": "parse_v2", "tier": "fast", "version": "latest"}


def posts(api):
    """name -> (path, JSON body or None, form or None)."""
    directory = api.create_directory()
    stored = api.create_file()
    inside = "%s/directories/%s/files" % (BETA, segment(directory["id"]))
    return {
        "file": (BETA + "/files", None, [("purpose", "parse"), ("file", b"once", "once.txt")]),
        "directory": (BETA + "/directories", {"name": "once"}, None),
        "entry": (inside, {"file_id": stored["id"], "unique_id": uuid.uuid4().hex}, None),
        "upload": (inside + "/upload", None, [("upload_file", b"once", "once.txt")]),
        "index": ("/api/v1/indexes", {"source_directory_id": directory["id"]}, None),
        "session": ("/api/v1/chat", {}, None),
        "configuration": (BETA + "/configurations", {"name": uuid.uuid4().hex, "parameters": PARSE},
                          None),
    }


KINDS = ["file", "directory", "entry", "upload", "index", "session", "configuration"]


def send(api, what, key, expect=200):
    path, body, form = what
    headers = {"Idempotency-Key": key}
    data = None
    if form is not None:
        headers["Content-Type"], data = multipart(form, "same-boundary")
    return api.call("POST", path, expect, json=body, body=data, headers=headers)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_request_is_done_once(api, kind):
    what, key = posts(api)[kind], uuid.uuid4().hex
    first = send(api, what, key)
    again = send(api, what, key)
    assert again.body == first.body
    other = send(api, what, uuid.uuid4().hex, (200, 409))
    if other.status == 200 and kind != "configuration":
        member = "session_id" if kind == "session" else "id"
        assert other.json[member] != first.json[member]


@pytest.mark.parametrize("kind", KINDS)
def test_another_body_under_the_same_key(api, kind):
    path, body, form = posts(api)[kind]
    key = uuid.uuid4().hex
    send(api, (path, body, form), key)
    if form is not None:
        changed = (path, None, [p if p[0] == "purpose" else (p[0], b"other", "other.txt")
                                for p in form])
    elif kind == "session":
        changed = (path, {"shared_access": "query"}, None)
    else:
        changed = (path, dict(body, description="d", display_name="d", name="other"), None)
    assert send(api, changed, key, 422)


def test_sent_at_once(api):
    key, name = uuid.uuid4().hex, uuid.uuid4().hex
    answers = []

    def go():
        answers.append(send(api, (BETA + "/directories", {"name": name}, None), key, (200, 409)))

    threads = [threading.Thread(target=go) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    good = {a.body for a in answers if a.status == 200}
    assert len(good) == 1
    assert len(api.get(BETA + "/directories", query={"name": name})["items"]) == 1


def test_projects_do_not_share_keys(server, api):
    other = api.scoped(server.make_project("idempotency"))
    key = uuid.uuid4().hex
    what = (BETA + "/directories", {"name": "n"}, None)
    assert send(api, what, key).json["id"] != send(other, what, key).json["id"]


def test_routes_do_not_share_an_answer(api):
    key = uuid.uuid4().hex
    send(api, (BETA + "/directories", {"name": "n"}, None), key)
    answer = send(api, ("/api/v1/chat", {}, None), key, (200, 422))
    if answer.status == 200:
        assert "session_id" in answer.json


def test_refusals_do_not_use_up_a_key(api):
    key = uuid.uuid4().hex
    send(api, (BETA + "/directories", {"name": ""}, None), key, 422)
    assert send(api, (BETA + "/directories", {"name": "good"}, None), key, (200, 422))


def test_keys_have_a_limit(api):
    what = (BETA + "/directories", {"name": "n"}, None)
    send(api, what, "k" * 1024, 400)
    send(api, what, "k" * 64)


def test_an_answer_is_kept_across_kill_9(fresh):
    server = fresh()
    api = Api(server)
    what, key = (BETA + "/directories", {"name": "n"}, None), uuid.uuid4().hex
    first = send(api, what, key)
    server.restart(hard=True)
    assert send(api, what, key).body == first.body
    assert len(api.get(BETA + "/directories", query={"name": "n"})["items"]) == 1


def test_without_the_header_posts_repeat(api):
    body = json.dumps({"name": "twice"}).encode()
    ids = {api.call("POST", BETA + "/directories", body=body,
                    headers={"Content-Type": "application/json"}).json["id"] for _ in range(2)}
    assert len(ids) == 2
