"""Routes around the API: health, readiness, metrics, the contract itself; unknown routes."""

import json
import re

import yaml

from client import CONTRACT


def test_health_says_only_that_it_lives(server):
    answer = server.request("GET", "/health")
    assert answer.status == 200
    assert len(answer.body) < 200


def test_ready(server):
    assert server.request("GET", "/ready").status == 200


def test_metrics_are_prometheus_text(server):
    server.request("GET", "/api/v1/projects")
    answer = server.request("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [s for s in answer.body.decode().splitlines() if s and not s.startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r'^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*\})? [-+0-9.eEnaifNI]+$', line), line
    assert any(s.startswith("cria_http_requests_total") for s in lines)


def test_the_contract_is_served_as_it_lies_in_the_repository(server):
    answer = server.request("GET", "/openapi.yaml")
    assert answer.status == 200
    assert answer.body == CONTRACT.text
    assert len(yaml.safe_load(answer.body)["paths"]) > 20


def test_the_contract_has_48_operations():
    assert len(CONTRACT.operations) == 48


def test_unknown_route_is_a_404(server):
    for path in ("/", "/api", "/api/v1/nothing", "/api/v1/beta/files/a/b/c", "/api/v1/chat/"):
        answer = server.request("GET", path)
        assert answer.status in (404, 200) if path == "/" else answer.status == 404, (path, answer)
        if answer.status == 404:
            assert answer.json == {"detail": "Not Found"}, path


def test_wrong_method_is_a_405_that_names_the_right_ones(server):
    paths = {}
    for op in CONTRACT.operations.values():
        paths.setdefault(op.path, set()).add(op.method)
    for template, known in paths.items():
        path = re.sub(r"\{[^}]*\}", "x", template)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if method in known or (CONTRACT.find(method, path) is not None):
                continue
            answer = server.request(method, path)
            assert answer.status == 405, (method, path, answer)
            assert answer.json == {"detail": "Method Not Allowed"}
            allowed = {m.strip() for m in answer.headers["allow"].split(",")}
            assert known <= allowed, (path, allowed)
            fitting = {o.method for o in CONTRACT.operations.values() if o.regex.match(path)}
            assert allowed <= fitting | {"HEAD", "OPTIONS"}, (path, allowed)


def test_request_ids(server):
    first = server.request("GET", "/api/v1/projects").headers["x-request-id"]
    second = server.request("GET", "/api/v1/projects").headers["x-request-id"]
    assert first and second and first != second
    mine = server.request("GET", "/api/v1/projects", headers={"X-Request-Id": "abc-123_XYZ"})
    assert mine.headers["x-request-id"] == "abc-123_XYZ"
    bad = server.request("GET", "/api/v1/projects", headers={"X-Request-Id": "${jndi:x}\"'"})
    assert bad.headers["x-request-id"] != "${jndi:x}\"'"


def test_each_request_is_one_json_line_in_the_log(server):
    server.request("GET", "/api/v1/projects", headers={"X-Request-Id": "log-line-probe"})
    from cria_server import wait_for

    def found():
        return [s for s in server.log().splitlines() if "log-line-probe" in s]

    lines = wait_for("the log line", found, 5)
    assert len(lines) == 1, lines
    entry = json.loads(lines[0])
    assert "log-line-probe" in entry.values()
    assert 200 in entry.values()


def test_no_user_text_and_no_keys_in_the_log(api, server):
    api.create_directory("canary-name-7f3b")
    api.get("/api/v1/projects", key="cria-canary-key-7f3b", expect=(200, 401))
    assert "canary-name-7f3b" not in server.log()
    assert "canary-key-7f3b" not in server.log()


def test_cors_is_off(server):
    answer = server.request("GET", "/api/v1/projects", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_answers_are_not_cached(server):
    answer = server.request("GET", "/api/v1/projects")
    assert "public" not in answer.headers.get("cache-control", "")
    assert answer.headers.get("x-content-type-options", "nosniff") == "nosniff"
