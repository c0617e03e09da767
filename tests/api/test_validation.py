"""What a route refuses, generated from the contract: every member and every parameter of every
operation is sent missing, null and of each wrong type; then bodies that are no JSON at all."""

import uuid

import pytest

from client import CONTRACT
from cria_server import multipart

# A body of each JSON route that its schema takes; ids are unknown, for 422 comes before 404.
BODIES = {
    "queryFiles": {},
    "createDirectory": {"name": "n"},
    "updateDirectory": {},
    "addDirectoryFile": {"file_id": "x"},
    "updateDirectoryFile": {},
    "createIndex": {"source_directory_id": "x"},
    "retrieve": {"index_id": "x", "query": "q"},
    "findFiles": {"index_id": "x"},
    "grepFile": {"index_id": "x", "file_id": "x", "pattern": "p"},
    "readFile": {"index_id": "x", "file_id": "x"},
    "createChatSession": {},
    "setChatSessionTitle": {"first_message": "m"},
    "streamChatTurn": {"index_ids": ["x"], "prompt": "p"},
    "createConfiguration": {
        "name": "n", "parameters": {"product_type": "parse_v2", "tier": "fast", "version": "latest"},
    },
    "updateConfiguration": {},
}
SAMPLES = {
    "string": "text", "integer": 7, "number": 0.25, "boolean": True, "array": [], "object": {},
    "null": None,
}
KINDS = {
    "string": "string_type", "integer": "int_type", "number": "float_type", "boolean": "bool_type",
    "array": "list_type", "object": "dict_type",
}
# Left to tests of their own: unions whose members need more than a type to be told apart.
BY_HAND = {"parameters", "custom_filters", "value", "metadata"}


def allowed(schema):
    """The JSON types that a schema takes, and its non-null alternatives."""
    schema = CONTRACT.resolve(schema)
    if "anyOf" in schema:
        types, parts = set(), []
        for part in schema["anyOf"]:
            inner, more = allowed(part)
            types |= inner
            parts += more
        return types, parts
    kind = schema.get("type", [])
    types = {kind} if isinstance(kind, str) else set(kind)
    if "enum" in schema and not types:
        types = {"string"}
    return types, [] if types == {"null"} else [schema]


def wrong(schema, loc):
    """Yields (loc, value, kinds) that the schema refuses."""
    types, parts = allowed(schema)
    if not types:
        return
    real = [t for t in types if t != "null"]
    kinds = {KINDS[t] for t in real} | ({"enum"} if any("enum" in p for p in parts) else set())
    for name, sample in SAMPLES.items():
        if name in types or (name == "integer" and "number" in types):
            continue
        yield loc, sample, kinds | ({"missing"} if name == "null" else set())
    if real == ["integer"]:
        yield loc, 1.5, kinds
        yield loc, "3", kinds
    for part in parts:
        if "enum" in part:
            yield loc, "no such word", {"enum"}
        if part.get("format") == "uuid":
            yield loc, "no uuid", {"uuid_parsing"}
        if "minimum" in part:
            yield loc, part["minimum"] - 1, {"greater_than_equal"}
        if "maximum" in part:
            yield loc, part["maximum"] + 1, {"less_than_equal"}
        if part.get("minLength"):
            yield loc, "", {"string_too_short"}
        if "maxLength" in part:
            yield loc, "x" * (part["maxLength"] + 1), {"string_too_long"}
        if "maxItems" in part:
            yield loc, ["i%d" % i for i in range(part["maxItems"] + 1)], {"too_long"}
        if "items" in part:
            for inner, value, more in wrong(part["items"], loc + (0,)):
                if len(inner) == len(loc) + 1:
                    yield inner, [value], more
        for name, member in part.get("properties", {}).items():
            if name in BY_HAND:
                continue
            base = {k: "eq" for k in part.get("required", []) if k == "operator"}
            if "value" in part.get("properties", {}):
                base["value"] = "v"
            for inner, value, more in wrong(member, loc + (name,)):
                yield inner, nest(dict(base), inner[len(loc):], value), more
        if loc != ("body",):
            for name in part.get("required", []):
                yield loc + (name,), {}, {"missing"}


def nest(base, path, value):
    """`value` already holds everything below path[0]."""
    base[path[0]] = value
    return base


def body_cases():
    for op in CONTRACT.operations.values():
        if op.body_schema is None:
            continue
        schema = CONTRACT.resolve(op.body_schema)
        for name in schema.get("required", []):
            yield op.id, ("body", name), "absent", {"missing"}
        for name, member in schema.get("properties", {}).items():
            if name in BY_HAND:
                continue
            for loc, value, kinds in wrong(member, ("body", name)):
                yield op.id, loc, value, kinds


def concrete(op, some_id="no-such-id"):
    path = op.path
    for p in op.parameters:
        if p["in"] == "path":
            one = str(uuid.uuid4()) if p["schema"].get("format") == "uuid" else some_id
            path = path.replace("{%s}" % p["name"], one)
    return path


CASES = list(body_cases())


def test_every_json_route_has_a_body_here():
    assert {o.id for o in CONTRACT.operations.values() if o.body_schema} == set(BODIES)
    assert len(CASES) > 250


@pytest.mark.parametrize("op_id", sorted(BODIES))
def test_wrong_members_are_refused_by_name(api, op_id):
    op = CONTRACT.operations[op_id]
    wrongly = []
    for _, loc, value, kinds in [c for c in CASES if c[0] == op_id]:
        body = dict(BODIES[op_id])
        if value == "absent" and kinds == {"missing"}:
            body.pop(loc[1])
        else:
            body[loc[1]] = value
        answer = api.call(op.method, concrete(op), None, json=body)
        if answer.status != 422:
            wrongly.append((loc, value, answer.status, answer.body[:200]))
            continue
        found = [i for i in answer.json["detail"] if i["loc"] == list(loc)]
        if not found:
            wrongly.append((loc, value, [(i["loc"], i["type"]) for i in answer.json["detail"]]))
        elif found[0]["type"] not in kinds:
            wrongly.append((loc, value, found[0]["type"], "wanted", kinds))
    assert not wrongly, "\n".join(map(str, [len(wrongly)] + wrongly[:20]))


def query_cases():
    for op in CONTRACT.operations.values():
        for p in op.parameters:
            if p["in"] != "query" or op.id == "downloadBlob":
                continue
            types, parts = allowed(p["schema"])
            values = []
            for part in parts:
                inner = CONTRACT.resolve(part.get("items", part))
                if "integer" in types:
                    values += [("x", {"int_type", "int_parsing"}), ("1.5", {"int_type", "int_parsing"})]
                if "minimum" in part:
                    values.append((str(part["minimum"] - 1), {"greater_than_equal"}))
                if "maximum" in part:
                    values.append((str(part["maximum"] + 1), {"less_than_equal"}))
                if "boolean" in types:
                    values.append(("maybe", {"bool_type", "bool_parsing"}))
                if "enum" in inner:
                    values.append(("no such word", {"enum"}))
                if inner.get("format") == "uuid":
                    values.append(("no uuid", {"uuid_parsing"}))
                if inner.get("format") == "date-time":
                    values.append(("yesterday", {"datetime_parsing"}))
            for value, kinds in values:
                yield op.id, p["name"], value, kinds
            if p.get("required"):
                yield op.id, p["name"], None, {"missing"}


QUERY_CASES = list(query_cases())


@pytest.mark.parametrize("op_id", sorted({c[0] for c in QUERY_CASES}))
def test_wrong_query_parameters_are_refused_by_name(api, op_id):
    op = CONTRACT.operations[op_id]
    wrongly = []
    for _, name, value, kinds in [c for c in QUERY_CASES if c[0] == op_id]:
        query = {p["name"]: "x" for p in op.parameters if p["in"] == "query" and p.get("required")}
        query.pop(name, None)
        if value is not None:
            query[name] = value
        more = {}
        if op.is_multipart:
            kind, more["body"] = multipart([("purpose", "parse"), ("file", b"a", "a.txt"),
                                            ("upload_file", b"a", "a.txt")])
            more["headers"] = {"Content-Type": kind}
        answer = api.call(op.method, concrete(op), None, json=BODIES.get(op_id), query=query, **more)
        found = answer.status == 422 and [
            i for i in answer.json["detail"] if i["loc"] == ["query", name]]
        if not found or found[0]["type"] not in kinds:
            wrongly.append((name, value, answer.status, answer.body[:200]))
    assert not wrongly, "\n".join(map(str, wrongly))


@pytest.mark.parametrize("op_id", sorted(
    o.id for o in CONTRACT.operations.values() if o.id != "downloadBlob"))
def test_empty_query_values_are_absent(api, op_id):
    """The TypeScript SDK writes null as `name=`: the answer is the one without it."""
    op = CONTRACT.operations[op_id]
    names = [p["name"] for p in op.parameters if p["in"] == "query" and not p.get("required")]
    needed = {p["name"]: "x" for p in op.parameters if p["in"] == "query" and p.get("required")}
    body = {"index_ids": "wrong"} if op_id == "createChatSession" else BODIES.get(op_id)
    if op.is_multipart or op_id in ("createDirectory", "createConfiguration"):
        body = {} if not op.is_multipart else None
    plain = api.call(op.method, concrete(op), None, json=body, query=needed)
    empty = api.call(op.method, concrete(op), None, json=body,
                     query=dict(needed, **{n: "" for n in names}))
    assert (plain.status, plain.body) == (empty.status, empty.body) or plain.status == 200 == \
        empty.status


BROKEN_JSON = [
    b"{", b"}", b"[", b'{"a":1}}', b'{"a":1} x', b"{'a':1}", b'{"a":1,}', b'{"a":}', b"{a:1}",
    b"nul", b"tru", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":01}', b'{"a":.5}', b'{"a":+1}',
    b'{"a":0x10}', b'{"a":"\n"}', b'{"a":"\\x41"}', b'{"a":"\\u12"}', b'/* */{}', b"{} //",
    b'{"a":"\xff\xfe"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"', b"\x00", b"\xef\xbb",
    b"[" * 10000, b'{"a":' * 5000, b"[" * 10000 + b"]" * 10000,
]


@pytest.mark.parametrize("op_id", sorted(BODIES))
def test_a_body_that_is_no_json_is_a_400(api, op_id):
    op = CONTRACT.operations[op_id]
    wrongly = []
    for body in BROKEN_JSON if op_id == "createDirectory" else BROKEN_JSON[:6]:
        answer = api.call(op.method, concrete(op), None, body=body,
                          headers={"Content-Type": "application/json"})
        if answer.status != 400:
            wrongly.append((body[:40], answer))
    assert not wrongly, "\n".join(map(str, wrongly))


ODD_JSON = [
    b'{"name":"a","name":"b"}', b'{"name":"\\ud800"}', b'{"name":"\\udc00\\ud800"}',
    b'{"name":"a\\u0000b"}', b'{"name":1e999}', b'{"name":-0}', b'{"name":9223372036854775808}',
    b'{"name":' + b"9" * 400 + b"}", b'{"name":"a","x":' + b"[" * 60 + b"]" * 60 + b"}",
    b'{"name":"a","x":' + b"[" * 70 + b"]" * 70 + b"}", b'\xef\xbb\xbf{"name":"a"}',
    b'{"name":"' + b"k" * 1000000 + b'"}', b'{"' + b"k" * 900000 + b'":1,"name":"a"}',
    b' \t\r\n{"name":"a"}\r\n ',
]


def test_odd_json_is_taken_or_refused_but_never_breaks(api):
    for body in ODD_JSON:
        answer = api.call("POST", "/api/v1/beta/directories", (200, 400, 422), body=body,
                          headers={"Content-Type": "application/json"})
        if answer.status == 200:
            assert isinstance(answer.json["name"], str)
    deep = b'{"name":"a","x":' + b"[" * 300 + b"]" * 300 + b"}"
    api.call("POST", "/api/v1/beta/directories", (400, 422), body=deep)


@pytest.mark.parametrize("op_id", sorted(BODIES))
def test_a_body_that_is_no_object_is_a_422(api, op_id):
    op = CONTRACT.operations[op_id]
    for body in (b"[]", b'"text"', b"5", b"true"):
        answer = api.call(op.method, concrete(op), 422, body=body)
        item = answer.json["detail"][0]
        assert item["loc"] == ["body"] and item["type"] == "dict_type", item


@pytest.mark.parametrize("op_id", sorted(set(BODIES) - {"createChatSession"}))
def test_a_missing_body_is_refused(api, op_id):
    op = CONTRACT.operations[op_id]
    answer = api.call(op.method, concrete(op), (400, 422), body=b"",
                      headers={"Content-Type": "application/json"})
    if answer.status == 422:
        assert answer.json["detail"][0]["loc"] == ["body"]


@pytest.mark.parametrize("op_id", sorted(BODIES))
def test_other_media_types_are_a_415(api, op_id):
    op = CONTRACT.operations[op_id]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                 "application/xml"):
        api.call(op.method, concrete(op), 415, body=b"{}", headers={"Content-Type": kind})


def test_json_media_type_in_its_spellings(api):
    for kind in ("application/json", "Application/JSON", "application/json; charset=utf-8",
                 "application/json;charset=UTF-8"):
        api.call("POST", "/api/v1/beta/directories", 200, body=b'{"name":"a"}',
                 headers={"Content-Type": kind})
    api.call("POST", "/api/v1/beta/directories", 200, body=b'{"name":"a"}')


def test_all_problems_are_listed_in_document_order(api):
    detail = api.refused("POST", "/api/v1/retrieval/files/grep", 422,
                         {"pattern": 5, "index_id": None, "context_chars": -1})
    locs = [tuple(i["loc"]) for i in detail]
    assert set(locs) == {("body", "pattern"), ("body", "index_id"), ("body", "context_chars"),
                         ("body", "file_id")}


def test_a_missing_member_shows_the_object_it_is_missing_from(api):
    item = api.invalid("POST", "/api/v1/beta/directories", ("body", "name"), {"description": "d"})
    assert item["type"] == "missing" and item["input"] == {"description": "d"}
    item = api.invalid("POST", "/api/v1/beta/directories", ("body", "name"), {"name": 5})
    assert item["input"] == 5


def test_limits_tell_themselves(api, docs):
    item = api.invalid("POST", "/api/v1/chat/x/messages/stream", ("body", "prompt"),
                       {"index_ids": [docs.id], "prompt": "é" * 1001}, "string_too_long")
    assert item["ctx"] == {"max_length": 1000}


def test_numbers_that_are_whole_count_as_integers(api, docs):
    assert len(api.retrieve(docs.id, "harbour", top_k=1.0)) == 1
    assert len(api.read(docs.id, api.find(docs.id)[0]["file_id"], max_length=3.0)) == 3


def test_unknown_members_and_parameters_are_ignored(api):
    made = api.post("/api/v1/beta/directories",
                    {"name": "n", "id": "dir-mine", "project_id": "p", "created_at": "x",
                     "deleted_at": "2020-01-01T00:00:00Z", "unheard_of": {"a": [1]}},
                    query={"unheard_of": "x"})
    assert made["id"] != "dir-mine" and made["project_id"] != "p" and made["deleted_at"] is None


def test_wrong_multipart_forms(api):
    path = "/api/v1/beta/files"
    kind, body = multipart([("purpose", "parse")])
    assert api.invalid("POST", path, ("body", "file"), body=body,
                       headers={"Content-Type": kind})["type"] == "missing"
    kind, body = multipart([("file", b"a", "a.txt")])
    api.invalid("POST", path, ("body", "purpose"), body=body, headers={"Content-Type": kind})
    kind, body = multipart([("file", b"a", "a.txt"), ("purpose", "party")])
    api.invalid("POST", path, ("body", "purpose"), kind="enum", body=body,
                headers={"Content-Type": kind})
    api.call("POST", path, 415, body=b"{}", headers={"Content-Type": "application/json"})
    api.call("POST", path, (400, 415), body=b"abc", headers={"Content-Type": "multipart/form-data"})
    kind, body = multipart([("purpose", "parse"), ("file", b"a" * 100, "a.txt")])
    for cut in (body[:40], body[:-20], body[:-4], b"", b"no form at all"):
        api.call("POST", path, (400, 422), body=cut, headers={"Content-Type": kind})
    long = "b" * 300
    api.call("POST", path, (400, 200), body=multipart([("purpose", "parse"), ("file", b"x", "a")],
                                                      long)[1],
             headers={"Content-Type": "multipart/form-data; boundary=" + long})
    many = [("x%d" % i, "y") for i in range(10000)] + [("purpose", "parse"), ("file", b"x", "a")]
    kind, body = multipart(many)
    api.call("POST", path, (200, 400, 413), body=body, headers={"Content-Type": kind})
