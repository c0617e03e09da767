"""Stored files: upload in every form, description, listing, query, links, bytes, deletion."""

import hashlib
import uuid

import pytest

from client import SEEN, CONTRACT
from cria_server import multipart, segment, wait_for

FILES = "/api/v1/beta/files"


def test_upload_and_describe(api):
    made = api.create_file("Report 2024.PDF", b"%PDF-1.4 not really", "parse", external_file_id="e1")
    assert uuid.UUID(made["id"]) and str(uuid.UUID(made["id"])) == made["id"]
    assert made["name"] == "Report 2024.PDF"
    assert made["file_type"] == "pdf"
    assert made["purpose"] == "parse"
    assert made["external_file_id"] == "e1"
    assert made["download_url"] is None
    assert made["expires_at"] is None
    again = api.get("%s/%s" % (FILES, made["id"]))
    assert again == made


@pytest.mark.parametrize("purpose", [
    "user_data", "parse", "extract", "split", "classify", "sheet", "agent_app"])
def test_every_purpose(api, purpose):
    assert api.create_file(purpose=purpose)["purpose"] == purpose


def test_form_fields_in_any_order(api):
    for parts in (
        [("file", b"x", "a.txt"), ("purpose", "parse"), ("external_file_id", "o1")],
        [("external_file_id", "o1"), ("file", b"x", "a.txt"), ("purpose", "parse")],
        [("purpose", "parse"), ("external_file_id", "o1"), ("unknown", "y"), ("file", b"x", "a.txt")],
    ):
        kind, body = multipart(parts)
        made = api.call("POST", FILES, body=body, headers={"Content-Type": kind}).json
        assert (made["purpose"], made["external_file_id"], made["name"]) == ("parse", "o1", "a.txt")


def test_external_id_null_as_text_means_none(api):
    assert api.create_file(external_file_id="null")["external_file_id"] is None


def test_chunked_upload(api, server):
    data = bytes(range(256)) * 4000
    kind, body = multipart([("file", data, "big.bin", "application/octet-stream"),
                            ("purpose", "user_data")])

    def pieces():
        for i in range(0, len(body), 7001):
            yield body[i:i + 7001]

    made = api.call("POST", FILES, body=pieces(), headers={"Content-Type": kind}).json
    assert download(api, made["id"]).body == data


def test_boundary_like_bytes_inside_the_file(api):
    boundary = "edge"
    data = b"\r\n--edg\r\n--edgX\r\n--\r\n-edge--\r\n\r\n--edge2x"
    data = data.replace(b"--edge2x", b"--Edge")
    kind, body = multipart([("purpose", "parse"), ("file", data, "b.bin")], boundary)
    made = api.call("POST", FILES, body=body, headers={"Content-Type": kind}).json
    assert download(api, made["id"]).body == data


def test_empty_file(api):
    made = api.create_file("empty.txt", b"")
    assert download(api, made["id"]).body == b""


@pytest.mark.parametrize("sent, kept", [
    ("naïve – 文書.txt", "naïve – 文書.txt"),
    ("../../etc/passwd", "passwd"),
    ("..\\\\..\\\\x.txt", "x.txt"),
    ("/abs/olute.txt", "olute.txt"),
    ("-rf.txt", "-rf.txt"),
    ("CON", "CON"),
    ("%2e%2e%2fx.txt", None),
    ("a b;c=d.txt", "a b;c=d.txt"),
])
def test_file_names_are_labels(api, sent, kept):
    made = api.create_file(sent, b"z")
    assert "/" not in made["name"] and made["name"]
    if kept is not None:
        assert made["name"] == kept


def test_long_and_hostile_names(api):
    for name in ("n" * 255 + ".txt", "n" * 5000 + ".txt", "a\u202etxt.exe", "a\tb.txt"):
        kind, body = multipart([("purpose", "parse"), ("file", b"x", name)])
        api.call("POST", FILES, (200, 400, 422), body=body, headers={"Content-Type": kind})
    raw = b'--B\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nparse\r\n--B\r\n' \
          b'Content-Disposition: form-data; name="file"; filename="\xff\xfe.txt"\r\n\r\nx\r\n--B--\r\n'
    api.call("POST", FILES, (200, 400, 422), body=raw,
             headers={"Content-Type": "multipart/form-data; boundary=B"})


def test_part_without_a_name(api):
    kind, body = multipart([("file", b"stream", None, "text/plain"), ("purpose", "parse")])
    made = api.call("POST", FILES, body=body, headers={"Content-Type": kind}).json
    assert made["name"] == "upload-" + made["id"][:8]
    assert made["file_type"] == "txt"


def test_part_with_an_empty_file_name(api):
    kind, body = multipart([("file", b"stream", "", "application/octet-stream"),
                            ("purpose", "parse")])
    made = api.call("POST", FILES, body=body, headers={"Content-Type": kind}).json
    assert made["name"] == "upload-" + made["id"][:8]


def test_quoted_boundary(api):
    kind, body = multipart([("purpose", "parse"), ("file", b"q", "q.txt")], "a'b(c)d")
    kind = 'multipart/form-data; boundary="a\'b(c)d"'
    assert api.call("POST", FILES, body=body, headers={"Content-Type": kind}).json["name"] == "q.txt"


def test_list_is_newest_first_and_filters(api):
    tag = uuid.uuid4().hex
    made = [api.create_file("%s-%d.txt" % (tag, i), b"x", external_file_id=tag) for i in range(3)]
    found = api.get(FILES, query={"external_file_id": tag})
    assert [f["id"] for f in found["items"]] == [f["id"] for f in reversed(made)]
    assert found["next_page_token"] is None
    one = api.get(FILES, query={"file_name": tag + "-1.txt"})["items"]
    assert [f["id"] for f in one] == [made[1]["id"]]
    two = api.get(FILES, query={"file_ids": [made[0]["id"], made[2]["id"], str(uuid.uuid4())]})
    assert {f["id"] for f in two["items"]} == {made[0]["id"], made[2]["id"]}
    assert api.get(FILES, query={"external_file_id": "none " + tag})["items"] == []


def test_list_orders(api):
    tag = uuid.uuid4().hex
    names = ["b.txt", "a.txt", "c.txt"]
    made = [api.create_file(n, b"x", external_file_id=tag) for n in names]

    def ordered(by):
        return api.get(FILES, query={"external_file_id": tag, "order_by": by})["items"]

    assert [f["name"] for f in ordered("name")] == ["a.txt", "b.txt", "c.txt"]
    assert [f["id"] for f in ordered("id")] == sorted(f["id"] for f in made)
    assert [f["name"] for f in ordered("created_at")] == list(reversed(names))
    for bad in ("name desc", "name,id", "-name", "size"):
        api.invalid("GET", FILES, ("query", "order_by"), query={"order_by": bad})


def test_query_with_a_body(api):
    tag = uuid.uuid4().hex
    made = [api.create_file(n, b"x", external_file_id=tag) for n in ("b.txt", "a.txt", "c.txt")]
    path = FILES + "/query"

    def ask(**body):
        return api.post(path, body)["items"]

    wanted = {"external_file_id": tag}
    assert [f["name"] for f in ask(filter=wanted, order_by="name")] == ["a.txt", "b.txt", "c.txt"]
    assert [f["name"] for f in ask(filter=wanted, order_by="name desc")] == [
        "c.txt", "b.txt", "a.txt"]
    assert [f["name"] for f in ask(filter=wanted, order_by="created_at desc, name")] == [
        "c.txt", "a.txt", "b.txt"]
    assert len(ask(filter=dict(wanted, file_ids=[made[0]["id"]]))) == 1
    assert len(ask(filter=dict(wanted, file_name="a.txt", only_manually_uploaded=True))) == 1
    assert ask(filter=dict(wanted, data_source_id=str(uuid.uuid4()))) == []
    assert ask(filter=dict(wanted, project_id=made[0]["project_id"])) != []
    api.refused("POST", path, 403, {"filter": {"project_id": str(uuid.uuid4())}})
    api.invalid("POST", path, ("body", "order_by"), {"order_by": "size"})


def test_expand_download_url(api):
    made = api.create_file("link.txt", b"linked")
    shown = api.get("%s/%s" % (FILES, made["id"]), query={"expand": ["download_url", "what"]})
    assert fetch(api, shown["download_url"]["url"]).body == b"linked"
    listed = api.get(FILES, query={"file_ids": [made["id"]], "expand": "download_url"})["items"][0]
    assert fetch(api, listed["download_url"]["url"]).body == b"linked"


def test_delete(api):
    made = api.create_file("gone.txt", b"x")
    path = "%s/%s" % (FILES, made["id"])
    link = api.get(path + "/content")["url"]
    api.delete(path)
    for method, where in (("GET", path), ("GET", path + "/content"), ("DELETE", path)):
        assert api.refused(method, where, 404)
    assert api.get(FILES, query={"file_ids": [made["id"]]})["items"] == []
    assert fetch(api, link, expect=(403, 404)).status in (403, 404)


def test_bytes_shared_by_two_files_outlive_one(api):
    one, two = (api.create_file(n, b"the same bytes") for n in ("one.txt", "two.txt"))
    assert one["id"] != two["id"]
    api.delete("%s/%s" % (FILES, one["id"]))
    assert download(api, two["id"]).body == b"the same bytes"


def test_an_entry_id_means_its_stored_file(api):
    directory = api.create_directory()
    entry = api.upload(directory["id"], "e.txt", b"entry")
    shown = api.get("%s/%s" % (FILES, entry["id"]))
    assert shown["id"] == entry["file_id"]
    assert api.get("%s/%s/content" % (FILES, entry["id"]))["url"]


@pytest.mark.parametrize("odd", [
    "no-such-id", "no such/id", "../x", "a\u00e9", "'; drop table files; --", "%", "_", "\x00", "."])
def test_odd_ids_are_not_found(api, odd):
    api.refused("GET", "%s/%s" % (FILES, segment(odd)), (404, 400) if odd == "\x00" else 404)
    api.refused("DELETE", "%s/%s" % (FILES, segment(odd)), (404, 400) if odd == "\x00" else 404)


# ------------------------------------------------------------------------- bytes
def fetch(api, url, expect=200, **headers):
    """Follow a link on the server, without any credential."""
    path = url[len(api.server.url):]
    assert url.startswith(api.server.url + "/api/v1/blobs/"), url
    answer = api.server.request("GET", path, headers={k.replace("_", "-"): v
                                                      for k, v in headers.items()})
    api.check("GET", path, answer, expect)
    return answer


def download(api, file_id):
    return fetch(api, api.get("%s/%s/content" % (FILES, file_id))["url"])


DATA = hashlib.sha256(b"seed").digest() * 100


@pytest.fixture(scope="module")
def link(api):
    made = api.create_file("data.bin", DATA)
    return api.get("%s/%s/content" % (FILES, made["id"]))["url"]


def test_whole_bytes(api, link):
    answer = fetch(api, link)
    assert answer.body == DATA
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers.get("accept-ranges") == "bytes"
    assert answer.headers.get("x-content-type-options") == "nosniff"
    assert "attachment" in answer.headers.get("content-disposition", "")


@pytest.mark.parametrize("asked, start, end", [
    ("bytes=0-3", 0, 4), ("bytes=10-", 10, len(DATA)), ("bytes=-5", len(DATA) - 5, len(DATA)),
    ("bytes=3199-99999", 3199, 3200), ("bytes=0-0", 0, 1), ("bytes=-99999", 0, len(DATA)),
])
def test_ranges(api, link, asked, start, end):
    answer = fetch(api, link, expect=206, Range=asked)
    assert answer.body == DATA[start:end]
    assert answer.headers["content-range"] == "bytes %d-%d/%d" % (start, end - 1, len(DATA))


def test_range_outside(api, link):
    for asked in ("bytes=3200-", "bytes=99999-100000", "bytes=-0"):
        answer = fetch(api, link, expect=416, Range=asked)
        assert answer.headers["content-range"] == "bytes */%d" % len(DATA)


def test_ranges_that_are_no_ranges_are_ignored(api, link):
    for asked in ("bites=0-3", "bytes=3-1", "bytes=a-b", "bytes="):
        answer = fetch(api, link, expect=(200, 416), Range=asked)
        if answer.status == 200:
            assert answer.body == DATA
    many = "bytes=" + ",".join("%d-%d" % (i, i) for i in range(0, 10000, 2))
    fetch(api, link, expect=(200, 206, 416, 431), Range=many[:12000])


def test_head_of_a_link(api, link, server):
    answer = server.request("HEAD", link[len(server.url):])
    assert answer.status in (200, 405) and answer.body == b""


def test_forged_links(api, link):
    path, query = link.split("?")
    fields = dict(p.split("=") for p in query.split("&"))
    flipped = ("0" if fields["signature"][0] != "0" else "1") + fields["signature"][1:]
    bad = [
        path + "?expires=%s&signature=%s" % (fields["expires"], flipped),
        path + "?expires=%d&signature=%s" % (int(fields["expires"]) + 1, fields["signature"]),
        path + "?expires=%s&signature=%s" % (fields["expires"], fields["signature"][:-1]),
        path + "x?" + query,
    ]
    for url in bad:
        fetch(api, url, expect=403 if not url.startswith(path + "x") else (403, 404))
    for url in (path, path + "?expires=" + fields["expires"],
                path + "?signature=" + fields["signature"],
                path + "?expires=soon&signature=" + fields["signature"]):
        fetch(api, url, expect=422)
    assert "downloadBlob" in SEEN and CONTRACT.operations["downloadBlob"].is_open


def test_links_die(api):
    made = api.create_file("short.txt", b"x")
    url = api.get("%s/%s/content" % (FILES, made["id"]), query={"expires_at_seconds": 1})["url"]
    fetch(api, url, expect=(200, 403))
    wait_for("the link's end", lambda: fetch(api, url, (200, 403)).status == 403, 5)


def test_link_times(api):
    made = api.create_file("t.txt", b"x")
    path = "%s/%s/content" % (FILES, made["id"])
    for seconds in (1, 604800):
        api.get(path, query={"expires_at_seconds": seconds})
    for seconds in (0, 604801, -1):
        api.invalid("GET", path, ("query", "expires_at_seconds"),
                    query={"expires_at_seconds": seconds})


def test_public_base_url(fresh):
    from client import Api

    mine = Api(fresh("--public-url", "https://docs.example.org"))
    made = mine.create_file("p.txt", b"x")
    url = mine.get("%s/%s/content" % (FILES, made["id"]))["url"]
    assert url.startswith("https://docs.example.org/api/v1/blobs/")


def test_links_live_across_a_restart(fresh):
    from client import Api

    server = fresh()
    mine = Api(server)
    made = mine.create_file("kept.txt", b"kept bytes")
    path = mine.get("%s/%s/content" % (FILES, made["id"]))["url"][len(server.url):]
    server.restart()
    assert server.request("GET", path).body == b"kept bytes"
