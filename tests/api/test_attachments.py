"""Page screenshots and items kept beside parsed files."""

import json
import uuid

import pytest

import corpus

ATTACHMENTS = "/api/v1/beta/attachments"


@pytest.fixture(scope="module")
def file_id(api, manual):
    return api.find(manual.id)[0]["file_id"]


def test_list_and_fetch(api, manual, file_id):
    listed = api.get(ATTACHMENTS, query={"source_id": file_id})["items"]
    names = [a["name"] for a in listed]
    assert set(names) == {"%s/page_%d.%s" % (k, n, e) for n in (1, 2, 3)
                          for k, e in (("screenshots", "jpg"), ("items", "json"))}
    for item in listed:
        link = api.get("%s/%s" % (ATTACHMENTS, item["name"].replace("/", "%2F")),
                       query={"source_id": file_id})
        answer = api.server.request("GET", link["url"][len(api.server.url):])
        assert answer.status == 200 and len(answer.body) == item["size"]
        if item["name"].endswith(".jpg"):
            assert answer.body[:3] == b"\xff\xd8\xff"
        else:
            json.loads(answer.body)


def test_page_numbers_are_ordered_as_numbers(api):
    pages = [["Page %d" % i, "words of page %d" % i] for i in range(1, 12)]
    _, _, index = api.build({"long.pdf": corpus.pdf(pages)}, store_attachments=["items"])
    source = api.find(index["id"])[0]["file_id"]
    listed = api.get(ATTACHMENTS, query={"source_id": source})["items"]
    assert [a["name"] for a in listed] == ["items/page_%d.json" % i for i in range(1, 12)]


def test_unescaped_slashes_are_taken_too(api, file_id):
    assert api.server.request("GET", ATTACHMENTS + "/screenshots/page_2.jpg",
                              query={"source_id": file_id}).json["url"]


def test_by_the_other_ids(api, manual, file_id):
    entry = manual.entries["manual.pdf"]
    for source in (entry["file_id"], entry["id"], file_id):
        assert len(api.get(ATTACHMENTS, query={"source_id": source})["items"]) == 6, source


def test_results_name_them(api, manual, file_id):
    found = api.retrieve(manual.id, "How often are the sails oiled?")[0]
    fields = found["static_fields"]
    kinds = {a["type"] for a in fields["attachments"]}
    assert kinds == {"screenshot", "items"}
    for ref in fields["attachments"]:
        assert api.get("%s/%s" % (ATTACHMENTS, ref["attachment_name"].replace("/", "%2F")),
                       query={"source_id": ref["source_id"]})["url"]
    assert fields["page_range_start"] <= 2 <= fields["page_range_end"]


def test_not_found(api, file_id, docs):
    for name in ("screenshots%2Fpage_9.jpg", "screenshots%2F..%2Fitems%2Fpage_1.json", "x",
                 "..%2F..%2Fetc%2Fpasswd", "screenshots%2Fpage_1.png"):
        api.refused("GET", "%s/%s" % (ATTACHMENTS, name), 404, query={"source_id": file_id})
    for source in (str(uuid.uuid4()), "dfl-nothing"):
        api.refused("GET", ATTACHMENTS, 404, query={"source_id": source})
        api.refused("GET", ATTACHMENTS + "/items%2Fpage_1.json", 404, query={"source_id": source})
    api.invalid("GET", ATTACHMENTS, ("query", "source_id"))
    api.invalid("GET", ATTACHMENTS, ("query", "source_id"), query={"source_id": ""})


def test_none_kept_unless_asked_for(api, docs):
    source = api.find(docs.id)[0]["file_id"]
    assert api.get(ATTACHMENTS, query={"source_id": source})["items"] == []


def test_they_go_with_their_index(api):
    _, _, index = api.build({"m.pdf": corpus.manual_pdf()}, store_attachments=["items"])
    source = api.find(index["id"])[0]["file_id"]
    assert api.get(ATTACHMENTS, query={"source_id": source})["items"]
    api.delete("/api/v1/indexes/" + index["id"])
    api.refused("GET", ATTACHMENTS, 404, query={"source_id": source})
