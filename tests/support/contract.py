"""Hold answers of a server against api/openapi.yaml.

The contract is loaded once. `Contract.find` maps a method and a path to its operation,
`Contract.check` says whether an answer is one that the operation may give: a status that it lists,
the media type of that status, a body that its schema takes, and the conventions that the text of
the contract states for all bodies (times, page tokens, error objects).
"""

import json
import os
import re
import urllib.parse
from pathlib import Path

import jsonschema
import referencing
import referencing.jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("get", "post", "put", "patch", "delete")
# Statuses that any route may give and that the contract therefore states in its text only.
EVERYWHERE = {405, 408, 413, 414, 431, 501, 507}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
BARE_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$")
TIME_MEMBERS = {
    "created_at", "updated_at", "deleted_at", "expires_at", "last_modified_at", "last_synced_at",
    "last_exported_at", "last_modified",
}
# Members whose inside is the user's own, where no convention of ours holds.
USER_MEMBERS = {"metadata", "system_metadata", "parameters", "arguments", "input", "content"}


def _pointer(*parts):
    escaped = (str(p).replace("~", "~0").replace("/", "~1") for p in parts)
    return "/" + "/".join(urllib.parse.quote(p, safe="~") for p in escaped)


class Operation:
    """One method on one path of the contract."""

    def __init__(self, method, path, node, shared):
        self.method = method.upper()
        self.path = path
        self.node = node
        self.id = node["operationId"]
        self.sdk = node["x-cria-sdk"]
        self.tier = self.sdk["tier"]
        self.is_open = node.get("security") == []
        self.parameters = list(shared) + list(node.get("parameters", []))
        segments = [
            "(?P<%s>[^/]+)" % s[1:-1] if s.startswith("{") else re.escape(s)
            for s in path.strip("/").split("/")
        ]
        self.regex = re.compile("^/" + "/".join(segments) + "$")
        self.is_template = "{" in path

    def __repr__(self):
        return "%s %s" % (self.method, self.path)

    @property
    def successes(self):
        return sorted(int(s) for s in self.node["responses"] if s.startswith("2"))

    @property
    def body_schema(self):
        """The JSON body's schema node, or None."""
        content = self.node.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")

    @property
    def is_multipart(self):
        return "multipart/form-data" in self.node.get("requestBody", {}).get("content", {})

    @property
    def is_write(self):
        """Whether the call changes something, POSTs that only ask aside."""
        reads = {"queryFiles", "retrieve", "findFiles", "grepFile", "readFile"}
        return self.method != "GET" and self.id not in reads


class Contract:
    def __init__(self, path=None):
        self.file = Path(path or os.environ.get("CRIA_CONTRACT") or ROOT / "api" / "openapi.yaml")
        self.text = self.file.read_bytes()
        self.doc = yaml.load(self.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        resource = referencing.Resource.from_contents(
            self.doc, default_specification=referencing.jsonschema.DRAFT202012
        )
        self._registry = referencing.Registry().with_resource("urn:contract", resource)
        self._validators = {}
        self.operations = {}
        for path, item in self.doc["paths"].items():
            shared = [self.resolve(p) for p in item.get("parameters", [])]
            for method in METHODS:
                if method in item:
                    node = item[method]
                    op = Operation(method, path, node, shared)
                    op.parameters = [self.resolve(p) for p in op.parameters]
                    self.operations[op.id] = op
        # Fixed paths are looked at before templates: /files/query is no file id.
        self._ordered = sorted(self.operations.values(), key=lambda o: (o.is_template, o.path))

    def resolve(self, node):
        """Follow `$ref` of a node until it is a node itself."""
        while isinstance(node, dict) and "$ref" in node:
            here = self.doc
            for part in node["$ref"].lstrip("#/").split("/"):
                here = here[part.replace("~1", "/").replace("~0", "~")]
            node = here
        return node

    def find(self, method, target):
        """The operation that a request line means, or None."""
        path = target.split("?", 1)[0]
        for op in self._ordered:
            if op.method == method.upper() and op.regex.match(path):
                return op
        return None

    def schema(self, name):
        """A validator of components/schemas/<name>."""
        return self._validator(_pointer("components", "schemas", name))

    def _validator(self, pointer):
        if pointer not in self._validators:
            self._validators[pointer] = jsonschema.Draft202012Validator(
                {"$ref": "urn:contract#" + pointer},
                registry=self._registry,
                format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
            )
        return self._validators[pointer]

    def _response_pointer(self, op, status, media):
        node = op.node["responses"][str(status)]
        if "$ref" in node:
            base = node["$ref"].lstrip("#")
            node = self.resolve(node)
        else:
            base = _pointer("paths", op.path, op.method.lower(), "responses", status)
        if media not in node.get("content", {}):
            return None
        return base + _pointer("content", media, "schema")

    def check(self, op, status, headers, body):
        """Assert that the answer is one that `op` may give; return the parsed JSON or None.

        @param headers  a mapping with lower-case names.
        @param body     the bytes.
        """
        where = "%s %s -> %d %s" % (op.method, op.path, status, body[:600])
        media = headers.get("content-type", "").split(";")[0].strip().lower()
        listed = str(status) in op.node["responses"]
        assert listed or status in EVERYWHERE, "status not in the contract: " + where
        assert headers.get("x-request-id"), "no X-Request-Id: " + where
        if status < 300:
            assert "x-should-retry" not in headers, "x-should-retry on a success: " + where
        if status == 204:
            assert body == b"", where
            return None
        if op.id == "downloadBlob" and status in (200, 206):
            return None
        if media == "text/event-stream":
            assert op.id in ("streamChatTurn", "resumeChatTurn") and status == 200, where
            return None
        assert media == "application/json", "media type %r: %s" % (media, where)
        value = json.loads(body.decode("utf-8"))
        if listed:
            pointer = self._response_pointer(op, status, media)
            assert pointer is not None, "no JSON promised: " + where
            self.validate(self._validator(pointer), value, where)
        else:
            self.validate(self.schema("ErrorResponse"), value, where)
        if status >= 400:
            self._check_error(status, headers, value, where)
        check_conventions(value, where)
        return value

    @staticmethod
    def validate(validator, value, where=""):
        errors = sorted(validator.iter_errors(value), key=lambda e: list(map(str, e.absolute_path)))
        assert not errors, "\n".join(
            ["does not match the schema: " + where]
            + ["  at %s: %s" % (list(e.absolute_path), e.message[:300]) for e in errors[:8]]
        )

    @staticmethod
    def _check_error(status, headers, value, where):
        assert isinstance(value, dict) and "detail" in value, where
        if status == 401:
            assert headers.get("www-authenticate") == "Bearer", where
        if status == 429:
            assert headers.get("retry-after") or headers.get("retry-after-ms"), where
        if status == 405:
            assert headers.get("allow"), where
        if status == 422:
            assert value["detail"], "a 422 without a problem: " + where
            for item in value["detail"]:
                assert item["loc"] and item["loc"][0] in ("body", "query", "path", "header"), where


def check_conventions(value, where=""):
    """What the contract's text says of all bodies: times, page tokens, totals."""
    if isinstance(value, list):
        for item in value:
            check_conventions(item, where)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name in TIME_MEMBERS and member is not None:
                assert isinstance(member, str) and TIME.match(member), (name, member, where)
            elif name == "last_updated_at":
                assert BARE_TIME.match(member), (name, member, where)
            elif name == "next_page_token":
                assert member != "", "an empty page token: " + where
            elif name == "total_size":
                assert member is None, "total_size is never filled: " + where
            elif name == "form_fields":
                assert member is None, where
            if name not in USER_MEMBERS:
                check_conventions(member, where)
