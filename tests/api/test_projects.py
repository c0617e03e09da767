"""Projects in both generations, and saved configurations."""

import uuid

import pytest

CONFIGURATIONS = "/api/v1/beta/configurations"
PARSE = {"product_type": "parse_v2", "tier": "fast", "version": "latest"}


# --------------------------------------------------------------------- projects
def test_the_default_project(api):
    projects = api.get("/api/v1/projects")
    assert isinstance(projects, list)
    defaults = [p for p in projects if p["is_default"]]
    assert len(defaults) == 1
    one = api.get("/api/v1/projects/" + defaults[0]["id"])
    assert one == defaults[0]
    assert api.create_directory()["project_id"] == one["id"]


def test_both_generations_agree(api):
    first = api.get("/api/v1/projects")
    page = api.get("/api/v2/projects")
    assert sorted(p["id"] for p in first) == sorted(p["id"] for p in page["items"])
    for project in first:
        assert api.get("/api/v2/projects/" + project["id"]) == project


def test_by_name(api):
    project = api.get("/api/v1/projects")[0]
    assert project in api.get("/api/v1/projects", query={"project_name": project["name"]})
    assert api.get("/api/v1/projects", query={"project_name": "no such name"}) == []
    assert project in api.get("/api/v2/projects", query={"name": project["name"]})["items"]
    assert api.get("/api/v2/projects", query={"name": "no such name"})["items"] == []


def test_scope_by_organization_and_project(api):
    project = [p for p in api.get("/api/v1/projects") if p["is_default"]][0]
    for query in ({"organization_id": project["organization_id"]}, {"project_id": project["id"]},
                  {"organization_id": project["organization_id"], "project_id": project["id"]}):
        made = api.post("/api/v1/beta/directories", {"name": "n"}, query=query)
        assert made["project_id"] == project["id"]
    api.refused("GET", "/api/v1/chat", 403, query={"project_id": str(uuid.uuid4())})
    api.refused("GET", "/api/v1/chat", 403, query={"organization_id": str(uuid.uuid4())})
    api.refused("GET", "/api/v1/projects", 403, query={"organization_id": str(uuid.uuid4())})


def test_unknown_project(api):
    for generation in ("v1", "v2"):
        api.refused("GET", "/api/%s/projects/%s" % (generation, uuid.uuid4()), 404)


def test_projects_made_on_a_running_server(fresh):
    from client import Api

    server = fresh()
    mine = Api(server)
    made = server.make_project("second project")
    found = [p for p in mine.get("/api/v1/projects") if p["id"] == made]
    assert found and found[0]["name"] == "second project" and not found[0]["is_default"]
    inside = mine.scoped(made)
    directory = inside.create_directory()
    assert directory["project_id"] == made
    mine.refused("GET", "/api/v1/beta/directories/" + directory["id"], 404)
    server.restart()
    assert inside.get("/api/v1/beta/directories/" + directory["id"])["id"] == directory["id"]


# --------------------------------------------------------------- configurations
def test_create_is_an_upsert(api):
    name = uuid.uuid4().hex
    first = api.post(CONFIGURATIONS, {"name": name, "parameters": PARSE})
    assert first["id"].startswith("cfg-") and first["product_type"] == "parse_v2"
    assert first["parameters"] == PARSE
    changed = dict(PARSE, tier="agentic")
    second = api.post(CONFIGURATIONS, {"name": name, "parameters": changed})
    assert second["id"] == first["id"] and second["parameters"] == changed
    assert second["version"] >= first["version"]
    other = {"product_type": "extract_v2", "anything": [1, {"b": None}]}
    third = api.post(CONFIGURATIONS, {"name": name, "parameters": other})
    assert third["id"] != first["id"] and third["parameters"] == other
    found = api.get(CONFIGURATIONS, query={"name": name})["items"]
    assert [c["id"] for c in found] == [third["id"], first["id"]]


def test_parameters_come_back_as_sent(api):
    sent = dict(PARSE, client_name="me", crop_box={"top": 0.1, "left": 0}, fast_options=[1, "x"],
                page_ranges={"target_pages": "1,3,5-8"}, webhook_configurations=[{"url": "u"}],
                processing_options={"ignore": {"ignore_hidden_text": True}, "more": {"x": 1}},
                input_options={"html": {"a": 1}}, disable_cache=True,
                agentic_options={"custom_prompt": "do"}, unheard_of={"z": [None, 1.25]})
    made = api.post(CONFIGURATIONS, {"name": uuid.uuid4().hex, "parameters": sent})
    assert made["parameters"] == sent
    assert api.get("%s/%s" % (CONFIGURATIONS, made["id"]))["parameters"] == sent


@pytest.mark.parametrize("parameters", [
    {}, {"product_type": "parse_v2"}, {"product_type": "parse_v2", "tier": "fast"},
    dict(PARSE, tier="best"), dict(PARSE, version=1), {"product_type": "coffee"},
    {"product_type": 5}, dict(PARSE, crop_box={"top": 2}), dict(PARSE, page_ranges={"max_pages": 0}),
    dict(PARSE, disable_cache="yes"),
])
def test_wrong_parameters(api, parameters):
    detail = api.refused("POST", CONFIGURATIONS, 422, {"name": "n", "parameters": parameters})
    assert detail[0]["loc"][:2] == ["body", "parameters"]


def test_update(api):
    one = api.post(CONFIGURATIONS, {"name": uuid.uuid4().hex, "parameters": PARSE})
    two = api.post(CONFIGURATIONS, {"name": uuid.uuid4().hex, "parameters": PARSE})
    path = "%s/%s" % (CONFIGURATIONS, one["id"])
    fresh_name = uuid.uuid4().hex
    changed = api.put(path, {"name": fresh_name})
    assert (changed["name"], changed["parameters"]) == (fresh_name, PARSE)
    changed = api.put(path, {"name": None, "parameters": dict(PARSE, tier="agentic_plus")})
    assert (changed["name"], changed["parameters"]["tier"]) == (fresh_name, "agentic_plus")
    assert api.put(path, {"parameters": None})["parameters"]["tier"] == "agentic_plus"
    assert changed["version"] > one["version"]
    answer = api.call("PUT", path, 409, json={"name": two["name"]})
    assert answer.headers["x-should-retry"] == "false"
    api.refused("PUT", CONFIGURATIONS + "/cfg-nothing", 404, {"name": "x"})


@pytest.mark.parametrize("built_in", [
    "cfg-PARSE_FAST", "cfg-PARSE_COST_EFFECTIVE", "cfg-PARSE_AGENTIC", "cfg-PARSE_AGENTIC_PLUS"])
def test_built_in_ones(api, built_in):
    path = "%s/%s" % (CONFIGURATIONS, built_in)
    assert api.get(path)["product_type"] == "parse_v2"
    for method, body in (("PUT", {"name": "mine"}), ("DELETE", None)):
        answer = api.call(method, path, 409, json=body)
        assert answer.headers["x-should-retry"] == "false"


def test_list_filters_and_order(api):
    name = uuid.uuid4().hex
    parse = api.post(CONFIGURATIONS, {"name": name, "parameters": PARSE})
    split = api.post(CONFIGURATIONS, {"name": name, "parameters": {"product_type": "split_v1"}})

    def ids(**query):
        return [c["id"] for c in api.get(CONFIGURATIONS, query=dict(query, name=name))["items"]]

    assert ids() == [split["id"], parse["id"]]
    assert ids(latest_only="true") == ids(latest_only="false") == ids()
    assert ids(product_type="parse_v2") == [parse["id"]]
    assert set(ids(product_type=["parse_v2", "split_v1"])) == {parse["id"], split["id"]}
    api.put("%s/%s" % (CONFIGURATIONS, parse["id"]), {"parameters": dict(PARSE, tier="agentic")})
    assert ids() == [parse["id"], split["id"]]


def test_delete(api):
    made = api.post(CONFIGURATIONS, {"name": uuid.uuid4().hex, "parameters": PARSE})
    path = "%s/%s" % (CONFIGURATIONS, made["id"])
    api.delete(path)
    for method in ("GET", "DELETE"):
        api.refused(method, path, 404)
    assert api.get(CONFIGURATIONS, query={"name": made["name"]})["items"] == []


def test_an_index_keeps_its_copy_of_a_deleted_configuration(api):
    config = api.post(CONFIGURATIONS, {"name": uuid.uuid4().hex, "parameters": PARSE})
    _, _, index = api.build({"a.txt": b"A copy is kept of the settings."}, products=[
        {"product_type": "parse", "product_config_id": config["id"]}])
    api.delete("%s/%s" % (CONFIGURATIONS, config["id"]))
    api.post("/api/v1/indexes/%s/sync" % index["id"])
    api.wait_index(index["id"])
