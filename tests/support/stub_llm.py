"""A scripted OpenAI-compatible endpoint.

Each POST to /v1/chat/completions takes the next queued `Play`; with none queued, the last user
message may name a scenario (`scenario:slow`), else the call is answered like a small polite model:
first a `retrieve` tool call, then a text that cites passage 1. A play is a list of steps:

    ("chunk", {...})     one `data:` line with this JSON
    ("raw", b"...")      bytes as they are
    ("wait", event)      hold until the threading.Event is set
    ("sleep", seconds)
    ("done",)            `data: [DONE]`
    ("reset",)           close with RST

All requests are kept in `requests` (parsed JSON) and `headers`. Standard library only.

POST to /v1/embeddings is answered by hashed bags of words: deterministic vectors of `dims` numbers,
near each other for texts that share words. The texts it was sent are kept in `embedded`. With
`spoil` set, a function of the request and the right answer gives what is answered instead: another
answer, bytes, or a `Play`. POST to /v1/rerank scores by shared words; `rerank_requests` keeps what
was asked.
"""

import hashlib
import json
import math
import re
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "stub-model"


class Play:
    """One answer of the endpoint."""

    def __init__(self, steps, status=200, headers=None, stream=True):
        self.steps = steps
        self.status = status
        self.headers = headers or {}
        self.stream = stream


# ---------------------------------------------------------------- making chunks
def chunk(delta=None, finish=None, usage=None, **more):
    out = {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
        "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}],
    }
    if usage is not None:
        out["usage"] = usage
    out.update(more)
    return ("chunk", out)


def usage_chunk(prompt=11, completion=7):
    return ("chunk", {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
        "choices": [],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion,
                  "total_tokens": prompt + completion},
    })


def pieces(text, size=7):
    return [text[i:i + size] for i in range(0, len(text), size)]


def text(words, size=7, usage=True, done=True, finish="stop", prompt=11, completion=7):
    """A plain answer in deltas."""
    steps = [chunk({"role": "assistant", "content": ""})]
    steps += [chunk({"content": p}) for p in pieces(words, size)]
    steps.append(chunk({}, finish))
    if usage:
        steps.append(usage_chunk(prompt, completion))
    if done:
        steps.append(("done",))
    return Play(steps)


def calls(*wanted, usage=True, finish="tool_calls", thinking=None, before=None):
    """Tool calls, each (name, arguments); arguments come in two pieces."""
    steps = [chunk({"role": "assistant", "content": None})]
    if thinking:
        steps += [chunk({"reasoning_content": p}) for p in pieces(thinking)]
    if before:
        steps += [chunk({"content": p}) for p in pieces(before)]
    for i, (name, arguments) in enumerate(wanted):
        argument_text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        half = len(argument_text) // 2
        steps.append(chunk({"tool_calls": [{
            "index": i, "id": "call_stub_%d_%d" % (time.monotonic_ns(), i), "type": "function",
            "function": {"name": name, "arguments": argument_text[:half]},
        }]}))
        steps.append(chunk({"tool_calls": [{
            "index": i, "function": {"arguments": argument_text[half:]},
        }]}))
    steps.append(chunk({}, finish))
    if usage:
        steps.append(usage_chunk(20, 5))
    steps.append(("done",))
    return Play(steps)


def reasoning(thought, words):
    steps = [chunk({"role": "assistant"})]
    steps += [chunk({"reasoning_content": p}) for p in pieces(thought)]
    steps += [chunk({"content": p}) for p in pieces(words)]
    steps += [chunk({}, "stop"), usage_chunk(), ("done",)]
    return Play(steps)


def held(event, before="The first half, ", after="and the second half."):
    """Half an answer, then nothing until `event` is set."""
    steps = [chunk({"role": "assistant", "content": before}), ("wait", event),
             chunk({"content": after}), chunk({}, "stop"), usage_chunk(), ("done",)]
    return Play(steps)


def error(status, message="scripted error", headers=None):
    body = json.dumps({"error": {"message": message, "type": "stub", "code": status}})
    return Play([("raw", body.encode())], status=status, headers=headers, stream=False)


def whole(words):
    """The answer as one JSON body although a stream was asked for."""
    body = json.dumps({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL,
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": words}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    })
    return Play([("raw", body.encode())], stream=False)


def cut(words, event):
    """Some text, then, once `event` is set, the connection is gone without a finish reason. (A reset
    that comes too early takes with it what was sent before.)"""
    return Play([chunk({"role": "assistant", "content": words}), ("wait", event), ("reset",)])


def garbage():
    return Play([("raw", b"data: {\"choices\": [{\"delta\": {\"content\": \n\n"),
                 ("raw", b"data: \xff\xfe not json\n\n"), ("done",)])


# ------------------------------------------------------------------- embeddings
EMBEDDER = "stub-embedder"


def words_of(said):
    return re.findall(r"\w+", said.lower())


def embedding(said, dims):
    """A unit vector: each word adds to two places that its digest picks."""
    vector = [0.0] * dims
    vector[0] = 0.1
    for word in words_of(said):
        digest = hashlib.sha256(word.encode("utf-8")).digest()
        for at in (0, 4):
            place = int.from_bytes(digest[at:at + 4], "little")
            vector[place % dims] += 1.0 if digest[at + 8] & 1 else -1.0
    length = math.sqrt(sum(x * x for x in vector)) or 1.0
    return [x / length for x in vector]


def embeddings_answer(request, dims):
    rows = [{"object": "embedding", "index": i, "embedding": embedding(said, dims)}
            for i, said in enumerate(request["input"])]
    return {"object": "list", "model": request["model"], "data": rows,
            "usage": {"prompt_tokens": 1, "total_tokens": 1}}


def rerank_answer(request):
    asked = set(words_of(request["query"]))
    scored = [{"index": i, "relevance_score": len(asked & set(words_of(d))) / max(1, len(asked))}
              for i, d in enumerate(request["documents"])]
    scored.sort(key=lambda row: -row["relevance_score"])
    return {"model": request.get("model"), "results": scored}


# ----------------------------------------------------------------- the endpoint
def last_user(request):
    for message in reversed(request.get("messages", [])):
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, list):
                content = " ".join(p.get("text", "") for p in content)
            return content or ""
    return ""


def has_tool_result(request):
    """Whether a tool has answered since the last thing that the user said."""
    for message in reversed(request.get("messages", [])):
        if message.get("role") == "tool":
            return True
        if message.get("role") == "assistant":
            return False
    return False


class StubLlm:
    """The endpoint; `url` is what --llm-url wants."""

    def __init__(self):
        self.queue = []
        self.requests = []
        self.headers = []
        self.scenarios = {}
        self.dims = 64
        self.spoil = None
        self.embed_requests = []
        self.embedded = []
        self.rerank_requests = []
        self.holds = []
        self.gone = 0  # times the caller left while we were writing
        self.lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                body = json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]})
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def do_POST(self):
                length = int(self.headers.get("Content-Length", "0"))
                request = json.loads(self.rfile.read(length) or b"{}")
                if self.path.endswith(("/embeddings", "/rerank")):
                    self.answer_at_once(request)
                    return
                with stub.lock:
                    stub.requests.append(request)
                    stub.headers.append({k.lower(): v for k, v in self.headers.items()})
                    play = stub.queue.pop(0) if stub.queue else None
                if play is None:
                    play = stub.choose(request)
                try:
                    stub.perform(self, play)
                except (BrokenPipeError, ConnectionResetError):
                    with stub.lock:
                        stub.gone += 1
                    self.close_connection = True

            def answer_at_once(self, request):
                made = stub.answer_model(self.path, request, self.headers)
                try:
                    if isinstance(made, Play):
                        stub.perform(self, made)
                        return
                    body = made if isinstance(made, bytes) else json.dumps(made).encode()
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    with stub.lock:
                        stub.gone += 1
                    self.close_connection = True

        class Listener(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.server = Listener(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return "http://127.0.0.1:%d/v1" % self.server.server_address[1]

    @property
    def args(self):
        return ["--llm-url", self.url, "--llm-model", MODEL]

    @property
    def embed_args(self):
        return ["--embed-url", self.url, "--embed-model", EMBEDDER]

    def answer_model(self, path, request, headers):
        """The answer of /embeddings or /rerank, spoiled if a test wants it so."""
        is_rerank = path.endswith("/rerank")
        with self.lock:
            spoil = self.spoil
            self.headers.append({k.lower(): v for k, v in headers.items()})
            if is_rerank:
                self.rerank_requests.append(request)
            else:
                self.embed_requests.append(request)
        answer = rerank_answer(request) if is_rerank else embeddings_answer(request, self.dims)
        if spoil is not None:
            answer = spoil(request, answer)
        elif not is_rerank:
            with self.lock:
                self.embedded.extend(request["input"])
        return answer

    def play(self, *plays):
        """Queue answers for the next calls."""
        with self.lock:
            self.queue.extend(plays)

    def reset(self):
        with self.lock:
            self.queue.clear()
            self.requests.clear()
            self.headers.clear()
            self.embed_requests.clear()
            self.embedded.clear()
            self.rerank_requests.clear()
            self.spoil = None
            for event in self.holds:
                event.set()
            self.holds.clear()

    def hold(self):
        """An event that `reset` sets at the latest, so that no thread waits for ever."""
        event = threading.Event()
        self.holds.append(event)
        return event

    def close(self):
        self.reset()
        self.server.shutdown()
        self.server.server_close()

    def choose(self, request):
        said = last_user(request)
        for name, make in self.scenarios.items():
            if "scenario:" + name in said:
                return make(request)
        if "scenario:error" in said:
            return error(400, "scripted refusal")
        if "scenario:slow" in said:
            steps = [chunk({"role": "assistant"})]
            for i in range(60):
                steps += [chunk({"content": "word%d " % i}), ("sleep", 0.05)]
            return Play(steps + [chunk({}, "stop"), usage_chunk(), ("done",)])
        if request.get("tools") and not has_tool_result(request):
            return calls(("retrieve", {"query": said[:200]}))
        return text("The documents say so [1].")

    @staticmethod
    def perform(handler, play):
        """Write the steps of a play to the connection."""
        handler.send_response(play.status)
        is_sse = play.stream and play.status == 200
        names = {k.lower() for k in play.headers}
        if "content-type" not in names:
            handler.send_header("Content-Type",
                                "text/event-stream" if is_sse else "application/json")
        for name, value in play.headers.items():
            handler.send_header(name, value)
        handler.send_header("Connection", "close")
        handler.close_connection = True
        handler.end_headers()
        for step in play.steps:
            kind = step[0]
            if kind == "chunk":
                line = "data: %s\n\n" % json.dumps(step[1], ensure_ascii=False)
                handler.wfile.write(line.encode("utf-8"))
            elif kind == "raw":
                handler.wfile.write(step[1])
            elif kind == "wait":
                handler.wfile.flush()
                step[1].wait(60)
            elif kind == "sleep":
                handler.wfile.flush()
                time.sleep(step[1])
            elif kind == "done":
                handler.wfile.write(b"data: [DONE]\n\n")
            elif kind == "reset":
                handler.wfile.flush()
                handler.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handler.connection.close()
                return
            handler.wfile.flush()
