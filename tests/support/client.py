"""A client that believes nothing: every answer is held against the contract, every turn against
the invariants of a chat turn, every citation against the text that it points at."""

import re
import uuid

from contract import Contract
from cria_server import Answer, SseReader, multipart, segment, wait_for

CONTRACT = Contract()
SEEN = {}  # operation id -> the statuses that tests got from it

DELTAS = {"text_delta", "thinking_delta"}
FINAL = ("ready", "failed")


class Api:
    """Calls to one server under one key and, optionally, one project."""

    def __init__(self, server, key=None, project=None):
        self.server = server
        self.key = key
        self.project = project

    def scoped(self, project):
        return Api(self.server, self.key, project)

    def _query(self, query):
        if self.project and not isinstance(query, str):
            query = dict({"project_id": self.project}, **(query or {}))
        return query

    def call(self, method, path, expect=200, json=None, query=None, **more):
        """One exchange, checked. `expect` is a status or several; None takes any listed one."""
        more.setdefault("key", self.key)
        answer = self.server.request(method, path, json_body=json, query=self._query(query), **more)
        self.check(method, path, answer, expect)
        return answer

    @staticmethod
    def check(method, path, answer, expect):
        op = CONTRACT.find(method, path)
        if expect is not None:
            wanted = (expect,) if isinstance(expect, int) else tuple(expect)
            assert answer.status in wanted, "%s %s: wanted %s, got %d %s" % (
                method, path, wanted, answer.status, answer.body[:600])
        if op is not None:
            SEEN.setdefault(op.id, set()).add(answer.status)
            CONTRACT.check(op, answer.status, answer.headers, answer.body)
        elif answer.status >= 400:
            CONTRACT.validate(CONTRACT.schema("ErrorResponse"), answer.json, method + " " + path)

    def get(self, path, expect=200, **more):
        answer = self.call("GET", path, expect, **more)
        return answer.json if answer.body else None

    def post(self, path, json=None, expect=200, **more):
        answer = self.call("POST", path, expect, json=json, **more)
        return answer.json if answer.body else None

    def patch(self, path, json=None, expect=200, **more):
        return self.call("PATCH", path, expect, json=json, **more).json

    def put(self, path, json=None, expect=200, **more):
        return self.call("PUT", path, expect, json=json, **more).json

    def delete(self, path, expect=204, **more):
        # As the Python SDK sends it: a JSON content type and neither body nor length.
        headers = dict(more.pop("headers", {}) or {}, **{"Content-Type": "application/json"})
        answer = self.call("DELETE", path, expect, headers=headers, **more)
        return answer.json if answer.body else None

    def refused(self, method, path, status, json=None, **more):
        """An error answer; gives its `detail`."""
        return self.call(method, path, status, json=json, **more).json["detail"]

    def invalid(self, method, path, loc, json=None, kind=None, **more):
        """A 422 that names `loc`; gives the item."""
        detail = self.call(method, path, 422, json=json, **more).json["detail"]
        found = [item for item in detail if item["loc"] == list(loc)]
        assert found, "no problem at %s in %s" % (list(loc), detail)
        if kind is not None:
            kinds = (kind,) if isinstance(kind, str) else kind
            assert found[0]["type"] in kinds, found[0]
        return found[0]

    # ------------------------------------------------------------- documents
    def create_file(self, name="a.txt", data=b"alpha", purpose="user_data", expect=200, **fields):
        parts = [("purpose", purpose), ("file", data, name)]
        parts += [(k, v) for k, v in fields.items()]
        kind, body = multipart(parts)
        answer = self.call("POST", "/api/v1/beta/files", expect, body=body,
                           headers={"Content-Type": kind})
        return answer.json

    def create_directory(self, name=None, **fields):
        return self.post("/api/v1/beta/directories",
                         dict({"name": name or "dir " + uuid.uuid4().hex[:8]}, **fields))

    def upload(self, directory_id, name, data, expect=200, headers=None, **fields):
        parts = [(k, v) for k, v in fields.items()] + [("upload_file", data, name)]
        kind, body = multipart(parts)
        path = "/api/v1/beta/directories/%s/files/upload" % segment(directory_id)
        return self.call("POST", path, expect, body=body,
                         headers=dict({"Content-Type": kind}, **(headers or {}))).json

    def index(self, index_id, **query):
        return self.get("/api/v1/indexes/" + segment(index_id), query=query)

    def wait_index(self, index_id, want="ready", seconds=60.0):
        """Poll like a client until the build ends; assert how it ended."""

        def ended():
            found = self.index(index_id)
            return found if found["metadata"]["status"] in FINAL else None

        found = wait_for("end of the build of " + index_id, ended, seconds)
        assert found["metadata"]["status"] == want, found
        return found

    def build(self, documents, name=None, want="ready", metadata=None, seconds=60.0, **options):
        """A directory, its documents, an index over it, and wait.

        @return (directory, {file name: entry}, index)
        """
        import json as json_module

        directory = self.create_directory(name)
        entries = {}
        for file_name, data in documents.items():
            fields = {}
            if metadata and file_name in metadata:
                fields["metadata"] = json_module.dumps(metadata[file_name])
            entries[file_name] = self.upload(directory["id"], file_name, data, **fields)
        body = dict({"source_directory_id": directory["id"]}, **options)
        index = self.post("/api/v1/indexes", body)
        return directory, entries, self.wait_index(index["id"], want, seconds)

    def find(self, index_id, **body):
        return self.post("/api/v1/retrieval/files/find", dict(body, index_id=index_id))["items"]

    def read(self, index_id, file_id, **body):
        return self.post("/api/v1/retrieval/files/read",
                         dict(body, index_id=index_id, file_id=file_id))["content"]

    def retrieve(self, index_id, query, **body):
        return self.post("/api/v1/retrieval/retrieve",
                         dict(body, index_id=index_id, query=query))["results"]

    # ------------------------------------------------------------------ chat
    def session(self, *index_ids, **body):
        if index_ids:
            body["index_ids"] = list(index_ids)
        return self.post("/api/v1/chat", body)["session_id"]

    def summary(self, session_id):
        return self.get("/api/v1/chat/%s/summary" % segment(session_id))

    def history(self, session_id):
        return self.call("GET", "/api/v1/chat/" + segment(session_id))

    def open_turn(self, session_id, prompt, index_ids=(), expect=200, headers=None, **body):
        """Start a turn; the open stream, or the refusal's Answer when another status is wanted."""
        path = "/api/v1/chat/%s/messages/stream" % segment(session_id)
        got = self.server.open_stream(
            "POST", path, dict(body, prompt=prompt, index_ids=list(index_ids)), headers,
            self._query(None), self.key)
        return self._opened("POST", path, got, expect)

    def resume(self, session_id, last=None, expect=200):
        """Attach again after the frame `last`."""
        path = "/api/v1/chat/%s/messages/stream" % segment(session_id)
        headers = {} if last is None else {"Last-Event-ID": last}
        got = self.server.open_stream("GET", path, None, headers, self._query(None), self.key)
        return self._opened("GET", path, got, expect)

    def _opened(self, method, path, got, expect):
        if isinstance(got, Answer):
            self.check(method, path, got, expect)
            return got
        assert expect == 200, "wanted %s, got a stream" % expect
        SEEN.setdefault(CONTRACT.find(method, path).id, set()).add(200)
        assert got.headers["content-type"].replace(" ", "") == "text/event-stream;charset=utf-8"
        assert got.headers.get("cache-control") == "no-store", got.headers
        assert got.headers.get("x-accel-buffering") == "no", got.headers
        assert "content-encoding" not in got.headers, got.headers
        assert got.headers.get("x-request-id"), got.headers
        assert "x-should-retry" not in got.headers
        return got

    def ask(self, session_id, prompt, index_ids=(), **body):
        """A whole turn, read to its end and checked in every respect."""
        stream = self.open_turn(session_id, prompt, index_ids, **body)
        assert isinstance(stream, SseReader)
        return self.finish(stream, session_id, prompt)

    def finish(self, stream, session_id, prompt=None):
        """Read the rest of a turn's stream that was read from its first frame, and check it."""
        turn = Turn(stream.rest())
        turn.check_shape()
        if prompt is not None:
            assert turn.events[0]["content"] == prompt
        turn.check_history(self, session_id)
        turn.check_citations(self)
        return turn

    def cancel(self, session_id):
        return self.post("/api/v1/chat/%s/cancel" % segment(session_id))


class Turn:
    """The frames of one turn."""

    def __init__(self, frames):
        self.frames = frames
        self.events = [f.json for f in frames]
        self.messages = [f for f in frames if f.type not in DELTAS]

    def of(self, *types):
        return [e for e in self.events if e["type"] in types]

    @property
    def stop(self):
        return self.events[-1]

    @property
    def texts(self):
        return self.of("text")

    @property
    def text(self):
        return "\n".join(e["content"] for e in self.texts)

    @property
    def citations(self):
        return [c for e in self.texts for c in e.get("citations", [])]

    @property
    def grounding(self):
        found = [e["grounding"] for e in self.texts if "grounding" in e]
        return found[-1] if found else None

    def check_shape(self):
        """Order, ids, names, pairs: what NOTES §4 promises of the frames alone."""
        check_frames(self.frames)
        assert self.events and self.events[0]["type"] == "user_input", self.events[:1]
        stops = self.of("stop")
        assert len(stops) == 1 and self.events[-1] is stops[0], "exactly one stop, last: %s" % [
            e["type"] for e in self.events]
        assert isinstance(stops[0]["skipped_index_ids"], list)
        assert stops[0]["is_error"] == (stops[0]["error"] is not None), stops[0]
        joined = {"text": None, "thinking": None}
        open_calls = {}
        for event in self.events[1:-1]:
            kind = event["type"]
            if kind in DELTAS:
                block = kind.split("_")[0]
                other = "text" if block == "thinking" else "thinking"
                assert joined[other] is None, "a %s block inside a %s block" % (block, other)
                joined[block] = (joined[block] or "") + event["content"]
            elif kind in joined:
                assert joined[kind] is not None, "a %s block without deltas" % kind
                assert event["content"] == joined[kind], (event["content"], joined[kind])
                joined[kind] = None
            else:
                assert joined == {"text": None, "thinking": None}, "%s inside a block" % kind
                if kind == "tool_call":
                    assert event["call_id"] not in open_calls, "a call id twice"
                    assert not any(open_calls.values()), "a call before the last one's result"
                    open_calls[event["call_id"]] = event["name"]
                elif kind == "tool_result":
                    assert open_calls.get(event["call_id"]) == event["name"], event
                    open_calls[event["call_id"]] = None
                    assert "image_attachment" in event, event
                else:
                    raise AssertionError("%s in the middle of a turn" % kind)
        assert joined == {"text": None, "thinking": None}, "a block was not closed: %s" % joined
        assert not any(open_calls.values()), "a tool call without a result: %s" % open_calls
        for event in self.texts:
            check_markers(event)

    def check_history(self, api, session_id):
        """What is stored is what was streamed, byte for byte, and job_metadata says the same."""
        answer = api.history(session_id)
        session = answer.json
        kept = [f.json for f in self.messages]
        assert session["events"][-len(kept):] == kept
        at = answer.body.find(b'"events"')
        wire = answer.body
        for frame in self.messages:
            found = wire.find(frame.data.encode("utf-8"), at)
            if found < 0:
                raise AssertionError("not stored as streamed: " + frame.data[:300])
            at = found
        job, stop = session["job_metadata"], self.stop
        assert job is not None
        for name in ("is_error", "error"):
            assert job[name] == stop[name], (name, job, stop)
        for name in ("duration_ms", "total_input_tokens", "total_output_tokens", "turns"):
            assert job[name] == stop["usage"][name], (name, job, stop)
        short = api.summary(session_id)
        for name in ("job_metadata", "generated_title", "index_ids", "last_updated_at"):
            assert short[name] == session[name], name
        assert short["generated_title"], "a session with a turn has a title"

    def check_citations(self, api):
        """Each quote is the parsed text at its offsets."""
        for citation in self.citations:
            check_citation(api, citation)


def check_frames(frames):
    """Ids count the frames of one turn; names follow the types; each event fits its schema."""
    validator = CONTRACT.schema("ChatEvent")
    numbers, turns = [], set()
    for frame in frames:
        assert frame.id, "a frame without an id: %r" % frame
        turn_id, _, number = frame.id.rpartition("-")
        turns.add(turn_id)
        numbers.append(int(number))
        want = "delta" if frame.type in DELTAS else "message"
        assert frame.event == want, frame
        assert frame.lines[0].startswith("id: ") and frame.lines[1].startswith("event: ")
        assert frame.lines[2].startswith("data: ") and len(frame.lines) == 3
        CONTRACT.validate(validator, frame.json, frame.data[:200])
    assert len(turns) <= 1, "frames of several turns: %s" % turns
    assert numbers == sorted(set(numbers)), "ids do not rise: %s" % numbers


def check_markers(event):
    """The markers of an answer and its citations name each other."""
    citations = event.get("citations", [])
    if event.get("grounding") == "not_found":
        assert citations == [], "a refusal bears no citations"
    if event.get("grounding") == "answered":
        assert citations, "an answer without a citation"
    if not citations:
        return
    first = []
    for found in re.finditer(r"\[(\d+(?:\s*,\s*\d+)*)\]", event["content"]):
        for number in re.split(r"\s*,\s*", found.group(1)):
            if int(number) not in first:
                first.append(int(number))
    named = []
    for citation in citations:
        if citation["n"] not in named:
            named.append(citation["n"])
    for number in named:
        assert number in first, "no marker [%d] in %r" % (number, event["content"][:300])
    assert named == [n for n in first if n in named], "not in the order of the markers: %s" % named


def check_citation(api, citation):
    length = citation["char_end"] - citation["char_start"]
    assert length > 0 and len(citation["quote"]) == length, citation
    read = api.read(citation["index_id"], citation["file_id"], offset=citation["char_start"],
                    max_length=length)
    assert read == citation["quote"], (read, citation)
    names = {f["file_id"]: f["file_name"] for f in api.find(citation["index_id"], page_size=1000)}
    assert names.get(citation["file_id"]) == citation["file_name"], (names, citation)
    assert (citation["page_start"] is None) == (citation["page_end"] is None), citation
    if citation["page_start"] is not None:
        assert 1 <= citation["page_start"] <= citation["page_end"], citation


def joined(frames, kind="text_delta"):
    """What a reader has on its screen after these frames."""
    return "".join(f.json["content"] for f in frames if f.type == kind)
