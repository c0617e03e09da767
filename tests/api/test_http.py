"""HTTP itself: malformed requests, limits, slow clients, pipelining."""

import socket
import threading
import time

import pytest

from client import Api
from cria_server import wait_for

GET = b"GET /api/v1/projects HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/beta/directories HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = b'{"name":"h"}'
HIDDEN = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"

# The sixteen of the strictness probe, and a few beside them.
MALFORMED = {
    "two different Content-Length": POST + b"Content-Length: 12\r\nContent-Length: 13\r\n\r\n" + BODY,
    "Content-Length and chunked": POST + b"Content-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n"
                                         b"c\r\n" + BODY + b"\r\n0\r\n\r\n",
    "TE gzip, chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\nc\r\n" + BODY
                        + b"\r\n0\r\n\r\n",
    "TE xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\nc\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunk size 0x1": POST + b"Transfer-Encoding: chunked\r\n\r\n0xc\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunk size +1": POST + b"Transfer-Encoding: chunked\r\n\r\n+c\r\n" + BODY + b"\r\n0\r\n\r\n",
    "Content-Length +5": POST + b"Content-Length: +12\r\n\r\n" + BODY,
    "Content-Length 5, 5": POST + b"Content-Length: 12, 12\r\n\r\n" + BODY,
    "Content-Length 2^64": POST + b"Content-Length: 18446744073709551617\r\n\r\n" + BODY,
    "Content-Length -1": POST + b"Content-Length: -1\r\n\r\n" + BODY,
    "space before the colon": b"GET /api/v1/projects HTTP/1.1\r\nHost : x\r\n\r\n",
    "no Host": b"GET /api/v1/projects HTTP/1.1\r\nX: y\r\n\r\n",
    "two Hosts": b"GET /api/v1/projects HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "NUL in a value": GET + b"X: a\x00b\r\n\r\n",
    "bare CR in a value": GET + b"X: a\rb\r\n\r\n",
    "space in a name": GET + b"X Y: a\r\n\r\n",
    "control byte in a name": GET + b"X\x01: a\r\n\r\n",
    "folded header": GET + b"X: a\r\n b\r\n\r\n",
    "TE chunked, identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "two TE": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "space before TE's colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "TE in HTTP/1.0": b"POST /api/v1/beta/directories HTTP/1.0\r\nHost: x\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\nc\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunk without its end": POST + b"Transfer-Encoding: chunked\r\n\r\nc\r\n" + BODY + b"0\r\n\r\n",
    "chunk size 2^64": POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\nx",
    "version 9.9": b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
    "no version": b"GET /health\r\n\r\n",
    "space in the path": b"GET /hea lth HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown method": b"BREW /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "lower case method": b"get /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "rubbish": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
    "bad Host": b"GET /health HTTP/1.1\r\nHost: a b\r\n\r\n",
}


@pytest.mark.parametrize("name", sorted(MALFORMED))
def test_malformed_requests_are_refused(server, name):
    """Refused, and the connection closed: what follows on it is never read as a request."""
    got, closed = server.raw(MALFORMED[name] + HIDDEN)
    assert closed, "the connection stays open: %r" % got[:200]
    status = int(got.split(b" ", 2)[1]) if got.startswith(b"HTTP/1.1 ") else None
    assert status in (400, 405, 408, 413, 415, 431, 501, 505, None), got[:300]
    assert got.count(b"HTTP/1.1 ") <= 1, "a hidden request was answered: %r" % got
    assert b'"name":"h"' not in got


def test_good_ones_beside_them(server):
    for request, want in (
        (GET + b"\r\n", b"200"),
        (GET + b"X:a\r\n\r\n", b"200"),
        (POST + b"Content-Length: 12\r\n\r\n" + BODY, b"200"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nC\r\n" + BODY + b"\r\n0\r\n\r\n", b"200"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n6;x=y\r\n" + BODY[:6] + b"\r\n6\r\n" + BODY[6:]
         + b"\r\n0\r\nTrailer: x\r\n\r\n", b"200"),
    ):
        got, _ = server.raw(request.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n"))
        assert got.split(b" ")[1] == want, (request, got[:300])


def test_pipelined_requests_are_answered_in_order(server):
    paths = [b"/health", b"/api/v1/projects", b"/nothing", b"/ready"] * 25
    wire = b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % p for p in paths)
    wire += b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    got, closed = server.raw(wire, timeout=15)
    statuses = [s.split(b" ", 1)[0] for s in got.split(b"HTTP/1.1 ")[1:]]
    assert closed and statuses == [b"200", b"200", b"404", b"200"] * 25 + [b"200"]


def test_a_refused_body_hides_no_request(server):
    inner = b"GET /nothing-hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST /api/v1/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(inner)
    got, _ = server.raw(head + inner + b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert got.count(b"HTTP/1.1 404") == 1, got


def test_byte_by_byte(server):
    wire = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n" + BODY + \
        b"\r\n0\r\n\r\n"
    with socket.create_connection((server.host, server.port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(wire)):
            sock.sendall(wire[i:i + 1])
        got = b""
        while True:
            piece = sock.recv(65536)
            if not piece:
                break
            got += piece
    assert got.startswith(b"HTTP/1.1 200")


def test_expect_100_continue(server):
    with socket.create_connection((server.host, server.port), timeout=5) as sock:
        sock.sendall(POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 12\r\n\r\n")
        first = sock.recv(65536)
        assert first.startswith(b"HTTP/1.1 100") or first.startswith(b"HTTP/1.1 417")
        if first.startswith(b"HTTP/1.1 100"):
            sock.sendall(BODY)
            got = first.split(b"\r\n\r\n", 1)[1]
            while b"\r\n\r\n" not in got:
                got += sock.recv(65536)
            assert got.startswith(b"HTTP/1.1 200")


def test_upgrades_are_ignored(server):
    got, _ = server.raw(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\n"
                        b"Upgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n", timeout=3)
    assert got.startswith(b"HTTP/1.1 200") or got.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("path", [
    "//", "/./health", "/../etc/passwd", "/api/v1/beta/files/..%2f..%2fetc%2fpasswd", "/health%00",
    "/api/v1/beta/files/%00", "/%", "/%zz", "/api/v1/chat/%ff%fe", "/api/v1//chat", "/health/",
    "/api/v1/chat/x;y", "/api/v1/beta/files/%252e", "/API/V1/CHAT", "/health.", "/*"])
def test_odd_paths(server, path):
    got, _ = server.raw(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
    assert got.split(b" ")[1] in (b"400", b"404"), got[:300]
    assert b"root:" not in got


def test_trace_does_not_echo(server):
    got, _ = server.raw(b"TRACE /health HTTP/1.1\r\nHost: x\r\nX-Secret: s3cr3t\r\n"
                        b"Connection: close\r\n\r\n")
    assert b"s3cr3t" not in got and got.split(b" ")[1] in (b"400", b"405", b"501")


# ------------------------------------------------------------------------ limits
def test_header_limit(server):
    got, closed = server.raw(GET + b"X: " + b"a" * 20000 + b"\r\n\r\n")
    assert closed and got.split(b" ")[1] == b"431"
    got, closed = server.raw(b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert closed and got.split(b" ")[1] in (b"414", b"431")
    got, closed = server.raw(GET + b"".join(b"X%d: y\r\n" % i for i in range(3000)) + b"\r\n")
    assert closed and got.split(b" ")[1] == b"431"
    fine, _ = server.raw(GET + b"Connection: close\r\nX: " + b"a" * 10000 + b"\r\n\r\n")
    assert fine.split(b" ")[1] == b"200"


def test_json_limit(api):
    big = b'{"name":"n","description":"' + b"d" * (1 << 20) + b'"}'
    api.call("POST", "/api/v1/beta/directories", 413, body=big)
    api.call("POST", "/api/v1/beta/directories", 413, body=iter([big[:600000], big[600000:]]))
    fits = b'{"name":"n","description":"' + b"d" * ((1 << 20) - 100) + b'"}'
    api.call("POST", "/api/v1/beta/directories", 200, body=fits)


def test_upload_limit_is_told_before_the_body(server):
    head = b"POST /api/v1/beta/files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; " \
           b"boundary=b\r\nContent-Length: 600000000\r\n\r\n--b\r\n"
    begun = time.monotonic()
    got, closed = server.raw(head, timeout=10)
    assert got.split(b" ")[1] == b"413" and closed
    assert time.monotonic() - begun < 5


def test_upload_limit_by_chunks(fresh):
    server = fresh("--max-upload-bytes", "100000")
    api = Api(server)
    api.create_file("fits.bin", b"x" * 90000)
    before = sum(1 for _ in server.data.rglob("*"))
    from cria_server import multipart

    kind, body = multipart([("purpose", "parse"), ("file", b"x" * 200000, "big.bin")])
    answer = api.call("POST", "/api/v1/beta/files", 413, headers={"Content-Type": kind},
                      body=iter([body[i:i + 50000] for i in range(0, len(body), 50000)]))
    assert "detail" in answer.json
    wait_for("no left-overs", lambda: sum(1 for _ in server.data.rglob("*")) <= before + 1, 5)


def test_a_cut_upload_leaves_nothing(fresh):
    server = fresh()
    api = Api(server)
    api.create_file()
    before = sorted(p.name for p in server.data.rglob("*"))
    for _ in range(3):
        with socket.create_connection((server.host, server.port), timeout=5) as sock:
            sock.sendall(b"POST /api/v1/beta/files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/"
                         b"form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n--b\r\n"
                         b'Content-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
                         + b"x" * 100000)
    wait_for("no left-overs",
             lambda: sorted(p.name for p in server.data.rglob("*")) == before, 10)
    assert len(api.get("/api/v1/beta/files")["items"]) == 1


def test_request_rate(fresh):
    server = fresh("--rate-per-minute", "20")
    key = server.make_key("limited")
    other = server.make_key("another")
    api = Api(server, key)
    statuses = [api.call("GET", "/api/v1/projects", (200, 429)).status for _ in range(60)]
    assert statuses[0] == 200 and statuses.count(200) <= 40 and statuses[-1] == 429
    assert Api(server, other).get("/api/v1/projects"), "one key does not use up another's"
    assert server.request("GET", "/health").status == 200


# ----------------------------------------------------------------- slow and idle
def test_slow_headers_are_cut_off(fresh):
    server = fresh("--header-timeout-ms", "500")
    with socket.create_connection((server.host, server.port), timeout=10) as sock:
        begun = time.monotonic()
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        got = b""
        try:
            while True:
                piece = sock.recv(65536)
                if not piece:
                    break
                got += piece
        except ConnectionResetError:
            pass
        assert 0.3 < time.monotonic() - begun < 6
        assert got == b"" or got.split(b" ")[1] == b"408"


def test_dripped_headers_do_not_reset_the_clock(fresh):
    server = fresh("--header-timeout-ms", "600")
    with socket.create_connection((server.host, server.port), timeout=10) as sock:
        begun = time.monotonic()
        sock.sendall(b"GET /health HTTP/1.1\r\n")
        try:
            for i in range(60):
                sock.sendall(b"X%d: y\r\n" % i)
                time.sleep(0.1)
                sock.setblocking(False)
                try:
                    if sock.recv(1) is not None:
                        break
                except BlockingIOError:
                    pass
                finally:
                    sock.setblocking(True)
        except OSError:
            pass
        assert time.monotonic() - begun < 4


def test_idle_connections_are_closed(fresh):
    server = fresh("--idle-timeout-ms", "300")
    got, closed = server.raw(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", timeout=6)
    assert closed and got.startswith(b"HTTP/1.1 200")


def test_a_stream_is_not_idle(fresh, stub):
    import stub_llm

    stub.reset()
    server = fresh("--idle-timeout-ms", "200", "--keep-alive-ms", "5000", *stub.args)
    api = Api(server)
    _, _, index = api.build({"a.txt": b"Some words."})
    session = api.session(index["id"])
    go = stub.hold()
    stub.play(stub_llm.held(go))
    stream = api.open_turn(session, "Hold on", [])
    threading.Timer(1.0, go.set).start()
    assert not api.finish(stream, session, "Hold on").stop["is_error"]


def test_a_reader_that_takes_nothing_slows_nobody(llm, llm_docs, stub):
    import stub_llm

    words = "many words " * 40000
    stub.play(stub_llm.text(words, size=400))
    session = llm.session(llm_docs.id)
    body = b'{"index_ids":[],"prompt":"Say much"}'
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((llm.server.host, llm.server.port))
    sock.sendall(b"POST /api/v1/chat/%s/messages/stream HTTP/1.1\r\nHost: x\r\nContent-Type: "
                 b"application/json\r\nContent-Length: %d\r\n\r\n" % (session.encode(), len(body))
                 + body)
    job = wait_for("the end of the turn", lambda: llm.summary(session)["job_metadata"], 30)
    assert not job["is_error"]
    sock.close()
    frames = llm.resume(session).rest()
    assert "".join(f.json["content"] for f in frames if f.type == "text_delta").strip() == words.strip()


def test_many_connections_at_once(server):
    socks = []
    try:
        for _ in range(300):
            sock = socket.create_connection((server.host, server.port), timeout=10)
            sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
            socks.append(sock)
        assert server.request("GET", "/health", timeout=5).status == 200
        for sock in socks:
            sock.sendall(b"\r\n")
        for sock in socks:
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        for sock in socks:
            sock.close()
