"""Start, stop, kill and talk to a real server.

A `Server` owns one data folder and at most one process. `start` returns once the server said where
it listens and /ready answers 200. Nothing of the server is linked or imported: what the tests see
is what a client sees. Python's standard library only.
"""

import atexit
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LISTENING = "listening on http://"
START_SECONDS = float(os.environ.get("CRIA_TEST_START_SECONDS", "30"))
ANSWER_SECONDS = float(os.environ.get("CRIA_TEST_ANSWER_SECONDS", "60"))

_live = set()


class ServerDied(Exception):
    """The server ended or did not become ready; the text holds the end of its log."""


def bin_dir():
    """Where the programs lie: CRIA_BIN_DIR, else the usual build folders."""
    named = os.environ.get("CRIA_BIN_DIR")
    places = [Path(named)] if named else [ROOT / "build-dev" / "bin", ROOT / "build" / "bin"]
    for place in places:
        if (place / "cria").exists():
            return place
    raise FileNotFoundError("no cria program in " + ", ".join(map(str, places)))


def cria(*args, env=None, check=True, timeout=60):
    """Run the command line; return its standard output."""
    done = subprocess.run(
        [str(bin_dir() / "cria"), *map(str, args)],
        env=dict(os.environ, **(env or {})),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=timeout,
    )
    out = done.stdout.decode("utf-8", "replace")
    if check and done.returncode != 0:
        raise RuntimeError(
            "cria %s: exit %d\n%s\n%s"
            % (" ".join(map(str, args)), done.returncode, out, done.stderr.decode("utf-8", "replace"))
        )
    return out


def wait_for(what, condition, seconds=30.0):
    """Ask `condition` until it gives something true, and return that."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError("%s did not happen within %g s" % (what, seconds))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def query_string(query):
    """`query` is a mapping (lists repeat, None is written as `name=`) or a ready text."""
    if not query:
        return ""
    if isinstance(query, str):
        return "?" + query
    pairs = []
    for name, value in query.items():
        if isinstance(value, bool):
            value = "true" if value else "false"
        for one in value if isinstance(value, (list, tuple)) else [value]:
            pairs.append((name, "" if one is None else str(one)))
    return "?" + urllib.parse.urlencode(pairs)


def segment(text):
    """One path segment, slashes included."""
    return urllib.parse.quote(str(text), safe="")


class Answer:
    """What came back: status, headers (lower-case names), bytes."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body.decode("utf-8"))

    def __repr__(self):
        return "<%d %r>" % (self.status, self.body[:400])


def multipart(parts, boundary=None):
    """Build a form. `parts` is a list of (name, value) or (name, bytes, file name, type or None).

    @return (content type, bytes)
    """
    boundary = boundary or "----cria" + uuid.uuid4().hex
    out = []
    for part in parts:
        name, value = part[0], part[1]
        line = 'Content-Disposition: form-data; name="%s"' % name
        extra = ""
        if len(part) > 2:
            if part[2] is not None:
                line += '; filename="%s"' % part[2]
            if len(part) > 3 and part[3]:
                extra = "Content-Type: %s\r\n" % part[3]
        if isinstance(value, str):
            value = value.encode("utf-8")
        head = "--%s\r\n%s\r\n%s\r\n" % (boundary, line, extra)
        out.append(head.encode("utf-8") + value + b"\r\n")
    out.append(("--%s--\r\n" % boundary).encode())
    return "multipart/form-data; boundary=" + boundary, b"".join(out)


class Server:
    """One data folder and the process that serves it."""

    def __init__(self, *args, data=None, env=None, listen="127.0.0.1:0", preload=None):
        self.args = [str(a) for a in args]
        self.env = dict(env or {})
        self.listen = listen
        self.preload = preload
        self._owned = data is None
        self.base = Path(tempfile.mkdtemp(prefix="cria-test-"))
        self.data = Path(data) if data else self.base / "data"
        self.log_path = self.base / "log"
        self.process = None
        self.host, self.port = "127.0.0.1", 0
        _live.add(self)

    # ------------------------------------------------------------------ life
    @property
    def url(self):
        return "http://%s:%d" % (self.host, self.port)

    def start(self, wait_ready=True):
        assert self.process is None
        env = dict(os.environ, **self.env)
        if self.preload:
            env["LD_PRELOAD"] = str(self.preload)
        self._log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [str(bin_dir() / "cria"), "serve", "--data", str(self.data), "--listen", self.listen]
            + self.args,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self._said = threading.Event()
        threading.Thread(target=self._read_stdout, args=(self.process,), daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while not self._said.wait(0.05):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self._fail("did not say where it listens")
        if wait_ready:
            try:
                wait_for("ready", self.is_ready, START_SECONDS)
            except TimeoutError:
                self._fail("did not become ready")
        return self

    def _read_stdout(self, process):
        for line in process.stdout:
            text = line.decode("utf-8", "replace").strip()
            if LISTENING in text and process is self.process:
                address = text.split(LISTENING, 1)[1].split()[0].rstrip("/")
                self.host, port = address.rsplit(":", 1)
                self.port = int(port)
                self._said.set()
        process.stdout.close()

    def _fail(self, why):
        code = self.process.poll()
        self.kill()
        raise ServerDied("%s (exit %s)\n%s" % (why, code, self.log()[-4000:]))

    def is_ready(self):
        if self.process.poll() is not None:
            self._fail("ended while starting")
        try:
            return self.request("GET", "/ready", timeout=5).status == 200
        except OSError:
            return False

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        try:
            return self.log_path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def stop(self, seconds=40):
        """SIGTERM, and wait; return the exit code."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerDied("SIGTERM did not end it in %g s\n%s" % (seconds, self.log()[-4000:]))
        self.process = None
        self._log.close()
        return code

    def kill(self):
        """kill -9, and reap."""
        if self.process is None:
            return
        try:
            self.process.send_signal(signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None
        self._log.close()

    def restart(self, hard=False):
        """Stop (or kill -9) and start again on the same folder and, where it can, the same port."""
        if hard:
            self.kill()
        else:
            self.stop()
        return self.start()

    def close(self):
        """End the process and remove the folder."""
        _live.discard(self)
        try:
            self.stop()
        except ServerDied:
            pass
        if not os.environ.get("CRIA_TEST_KEEP"):
            shutil.rmtree(self.base, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # ------------------------------------------------------------------ keys
    def make_key(self, name, *args):
        """`cria keys create`; the key is the last line that it prints."""
        out = cria("keys", "create", "--data", self.data, "--name", name, *args)
        return out.strip().splitlines()[-1].strip()

    def revoke_key(self, key):
        """`cria keys revoke` by the visible beginning of the key."""
        listed = cria("keys", "list", "--data", self.data).splitlines()
        for line in listed[1:]:
            words = line.split()
            if len(words) > 1 and len(words[1]) > 5 and key.startswith(words[1].rstrip(".…")):
                cria("keys", "revoke", words[0], "--data", self.data)
                return
        raise AssertionError("the key is not listed:\n" + "\n".join(listed))

    def make_project(self, name):
        """`cria projects create`; it prints the id."""
        out = cria("projects", "create", name, "--data", self.data)
        return out.strip().splitlines()[-1].strip()

    # -------------------------------------------------------------- requests
    def connection(self, timeout=None):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout or ANSWER_SECONDS)

    def request(self, method, path, json_body=None, body=None, headers=None, query=None, key=None,
                timeout=None, connection=None):
        """One exchange; a connection of its own unless one is given."""
        headers = dict(headers or {})
        if json_body is not None:
            body = json.dumps(json_body, ensure_ascii=False).encode("utf-8")
            headers.setdefault("Content-Type", "application/json")
        if key:
            headers["Authorization"] = "Bearer " + key
        used = connection or self.connection(timeout)
        try:
            used.request(method, path + query_string(query), body=body, headers=headers)
            got = used.getresponse()
            data = got.read()
            return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, data)
        finally:
            if connection is None:
                used.close()

    def open_stream(self, method, path, json_body=None, headers=None, query=None, key=None,
                    timeout=None):
        """Send a request and give the SSE reader, or the Answer when it is no stream."""
        headers = dict(headers or {})
        headers.setdefault("Accept", "application/json")
        body = None
        if json_body is not None:
            body = json.dumps(json_body, ensure_ascii=False).encode("utf-8")
            headers["Content-Type"] = "application/json"
        if key:
            headers["Authorization"] = "Bearer " + key
        used = self.connection(timeout)
        used.request(method, path + query_string(query), body=body, headers=headers)
        got = used.getresponse()
        names = {k.lower(): v for k, v in got.getheaders()}
        if names.get("content-type", "").startswith("text/event-stream"):
            return SseReader(used, got, names)
        answer = Answer(got.status, names, got.read())
        used.close()
        return answer

    def raw(self, data, timeout=5.0, finish=False):
        """Send bytes as they are, read until the server closes or `timeout` passes without more.

        @return (bytes read, whether the server closed)
        """
        with socket.create_connection((self.host, self.port), timeout=timeout) as sock:
            try:
                sock.sendall(data)
                if finish:
                    sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            got = b""
            while True:
                try:
                    piece = sock.recv(65536)
                except socket.timeout:
                    return got, False
                except OSError:
                    return got, True
                if not piece:
                    return got, True
                got += piece


class Frame:
    """One event of a stream: id, event name, the data's text as sent, and its JSON."""

    def __init__(self, lines):
        self.lines = lines
        self.id = self.event = None
        data = []
        for line in lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.id = value
            elif name == "event":
                self.event = value
            elif name == "data":
                data.append(value)
            else:
                raise AssertionError("an unknown line in a frame: %r" % line)
        assert len(data) == 1, "a frame has one data line: %r" % lines
        self.data = data[0]
        self.json = json.loads(self.data)
        self.type = self.json["type"]

    def __repr__(self):
        return "<%s %s %s>" % (self.id, self.event, self.data[:200])


class SseReader:
    """Frames of an open stream, one by one, with what lay between them."""

    def __init__(self, connection, response, headers):
        self._connection = connection
        self._response = response
        self.headers = headers
        self.status = response.status
        self.frames = []
        self.comments = []
        self.raw_lines = []
        self.ended = False

    def next(self):
        """The next frame, or None at the end of the stream."""
        lines = []
        while True:
            line = self._response.readline()
            if line == b"":
                self.ended = True
                assert not lines, "the stream ended inside a frame: %r" % lines
                return None
            assert line.endswith(b"\n"), "cut line %r" % line
            text = line[:-1].decode("utf-8")
            assert not text.endswith("\r"), "CR in a stream"
            self.raw_lines.append(text)
            if text.startswith(":"):
                assert not lines, "a comment inside a frame"
                self.comments.append(text)
            elif text == "":
                assert lines, "a blank line that ends no frame"
                frame = Frame(lines)
                self.frames.append(frame)
                return frame
            else:
                lines.append(text)

    def until(self, type_name):
        """Read up to and including the first frame of this type; None if the stream ends first."""
        while True:
            frame = self.next()
            if frame is None or frame.type == type_name:
                return frame

    def rest(self):
        """Read to the end; return all frames seen so far."""
        while not self.ended:
            self.next()
        self.close()
        return self.frames

    def close(self):
        """Leave, whether the stream ended or not."""
        if self._connection is not None:
            if self._connection.sock is not None:
                self._connection.sock.close()
            self._response.close()
            self._connection.close()
            self._connection = None


def _close_all():
    for server in list(_live):
        server.close()


atexit.register(_close_all)
