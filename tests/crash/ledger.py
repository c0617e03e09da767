"""Writers that keep a ledger of what the server acknowledged, and the audit of it after a crash.

Acknowledged means: the client has read a 2xx answer, or a `message` frame of a turn. What was sent
and not answered may be there or not; it is nobody's promise. What was acknowledged must be there,
as it was said.
"""

import hashlib
import http.client
import json
import random
import sqlite3
import shutil
import tempfile
import threading
from pathlib import Path

from cria_server import SseReader, multipart

BETA = "/api/v1/beta"
PARSE = {"product_type": "parse_v2", "tier": "fast", "version": "latest"}
BROKEN = (OSError, http.client.HTTPException, AssertionError, ValueError)


class Ledger:
    """What was acknowledged, by kind; safe for many writers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.directories = {}  # id -> name, or None once its deletion was acknowledged
        self.files = {}        # id -> sha256 of the bytes, or None
        self.entries = {}      # (directory id, entry id) -> display name, or None
        self.configurations = {}
        self.sessions = {}     # id -> list of turns; a turn is a list of (frame id, data)
        self.unsure = set()    # ids of which a change was sent and never answered
        self.refused = 0

    def counts(self):
        turns = [t for s in self.sessions.values() if s for t in s]
        return {
            "directories": len(self.directories), "files": len(self.files),
            "entries": len(self.entries), "configurations": len(self.configurations),
            "sessions": len(self.sessions), "turns": len(turns),
            "turn events": sum(map(len, turns)),
        }


class Writer(threading.Thread):
    """One client that writes until its server is gone."""

    def __init__(self, server, ledger, index_id, seed, stop, turns=True):
        super().__init__(daemon=True)
        self.server = server
        self.ledger = ledger
        self.index_id = index_id
        self.random = random.Random(seed)
        self.stop_now = stop
        self.turns = turns
        self.problem = None
        self.own = {"directories": [], "files": [], "entries": [], "sessions": []}

    def run(self):
        connection = self.server.connection(20)
        steps = [self.directory, self.file, self.entry, self.configuration, self.session, self.rename,
                 self.delete]
        if self.turns:
            steps += [self.turn] * 4
        try:
            while not self.stop_now.is_set():
                self.random.choice(steps)(connection)
        except BROKEN as problem:
            self.problem = problem
        finally:
            connection.close()

    def send(self, connection, method, path, body=None, form=None):
        headers, data = {}, None
        if form is not None:
            headers["Content-Type"], data = multipart(form)
        answer = self.server.request(method, path, json_body=body, body=data, headers=headers,
                                     connection=connection)
        if answer.status >= 300:
            # A full disk or a stopping server may refuse; that is no promise broken.
            assert answer.status in (429, 503, 507), answer
            self.ledger.refused += 1
            return None
        return answer.json if answer.body else {}

    def word(self):
        return "%032x" % self.random.getrandbits(128)

    def directory(self, connection):
        name = self.word()
        made = self.send(connection, "POST", BETA + "/directories", {"name": name})
        if made:
            with self.ledger.lock:
                self.ledger.directories[made["id"]] = name
            self.own["directories"].append(made["id"])

    def file(self, connection):
        data = self.word().encode() * self.random.choice([1, 10, 1000])
        made = self.send(connection, "POST", BETA + "/files",
                         form=[("purpose", "user_data"), ("file", data, "f.bin")])
        if made:
            with self.ledger.lock:
                self.ledger.files[made["id"]] = hashlib.sha256(data).hexdigest()
            self.own["files"].append(made["id"])

    def entry(self, connection):
        if not self.own["directories"]:
            return
        directory = self.random.choice(self.own["directories"])
        name = self.word()
        made = self.send(connection, "POST", "%s/directories/%s/files/upload" % (BETA, directory),
                         form=[("unique_id", name), ("upload_file", name.encode(), name)])
        if made:
            with self.ledger.lock:
                self.ledger.entries[(directory, made["id"])] = name
            self.own["entries"].append((directory, made["id"]))

    def configuration(self, connection):
        name = self.word()
        made = self.send(connection, "POST", BETA + "/configurations",
                         {"name": name, "parameters": PARSE})
        if made:
            with self.ledger.lock:
                self.ledger.configurations[made["id"]] = name

    def session(self, connection):
        made = self.send(connection, "POST", "/api/v1/chat", {"index_ids": [self.index_id]})
        if made:
            with self.ledger.lock:
                self.ledger.sessions[made["session_id"]] = []
            self.own["sessions"].append(made["session_id"])

    def rename(self, connection):
        if not self.own["directories"]:
            return
        one, name = self.random.choice(self.own["directories"]), self.word()
        self.unsure(one)
        if self.send(connection, "PATCH", "%s/directories/%s" % (BETA, one), {"name": name}):
            with self.ledger.lock:
                self.ledger.directories[one] = name
                self.ledger.unsure.discard(one)

    def delete(self, connection):
        kind = self.random.choice(["files", "entries", "sessions"])
        if len(self.own[kind]) < 5:
            return
        one = self.own[kind].pop(self.random.randrange(len(self.own[kind])))
        path = {
            "files": lambda: "%s/files/%s" % (BETA, one),
            "entries": lambda: "%s/directories/%s/files/%s" % (BETA, one[0], one[1]),
            "sessions": lambda: "/api/v1/chat/" + one,
        }[kind]()
        self.unsure(one)
        if self.send(connection, "DELETE", path) is not None:
            with self.ledger.lock:
                getattr(self.ledger, kind)[one] = None
                self.ledger.unsure.discard(one)

    def unsure(self, one):
        with self.ledger.lock:
            self.ledger.unsure.add(one)

    def turn(self, _):
        if not self.own["sessions"]:
            return
        session = self.random.choice(self.own["sessions"])
        stream = self.server.open_stream(
            "POST", "/api/v1/chat/%s/messages/stream" % session,
            {"index_ids": [], "prompt": "Which plant had the longest outage? " + self.word()},
            timeout=20)
        if not isinstance(stream, SseReader):
            assert stream.status in (409, 429, 503, 507), stream
            return
        frames = []
        with self.ledger.lock:
            self.ledger.sessions[session].append(frames)
        try:
            while True:
                frame = stream.next()
                if frame is None:
                    return
                if not frame.type.endswith("_delta"):
                    frames.append((frame.id, frame.data))
        finally:
            stream.close()


def write_until(server, ledger, index_id, writers, seed, seconds, end):
    """Let writers write for a while, then call `end` under them (the kill)."""
    stop = threading.Event()
    threads = [Writer(server, ledger, index_id, seed * 1000 + i, stop) for i in range(writers)]
    for thread in threads:
        thread.start()
    stop.wait(seconds)
    end()
    stop.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a writer hangs"


def audit(api, ledger, sample=None, seed=0):
    """What of the ledger is missing or wrong, as a list of sentences.

    @param sample  how many of each kind to look at, the latest always among them; None: all.
    """
    wrong = []
    rng = random.Random(seed)

    def chosen(items):
        items = list(items.items())
        if sample is None or len(items) <= sample:
            return items
        return items[-sample // 2:] + rng.sample(items[:-sample // 2], sample // 2)

    def look(kind, one, path):
        answer = api.call("GET", path, (200, 404))
        if answer.status == 404:
            return None
        return answer.json

    for kind, member, make_path in (
        ("directories", "name", lambda i: "%s/directories/%s" % (BETA, i)),
        ("configurations", "name", lambda i: "%s/configurations/%s" % (BETA, i)),
        ("entries", "display_name", lambda i: "%s/directories/%s/files/%s" % (BETA, i[0], i[1])),
    ):
        for one, said in chosen(getattr(ledger, kind)):
            found = look(kind, one, make_path(one))
            if one in ledger.unsure:
                continue
            if said is None and found is not None:
                wrong.append("%s %s came back after its deletion" % (kind, one))
            elif said is not None and (found is None or found[member] != said):
                wrong.append("%s %s lost or changed: %s" % (kind, one, found))
    for one, digest in chosen(ledger.files):
        answer = api.call("GET", "%s/files/%s/content" % (BETA, one), (200, 404))
        if one in ledger.unsure:
            continue
        if digest is None:
            if answer.status == 200:
                wrong.append("file %s came back" % one)
            continue
        if answer.status != 200:
            wrong.append("file %s lost" % one)
            continue
        got = api.server.request("GET", answer.json["url"][len(api.server.url):])
        if got.status != 200 or hashlib.sha256(got.body).hexdigest() != digest:
            wrong.append("file %s has other bytes (%d)" % (one, got.status))
    for one, turns in chosen(ledger.sessions):
        answer = api.call("GET", "/api/v1/chat/" + one, (200, 404))
        if one in ledger.unsure:
            continue
        if turns is None:
            if answer.status == 200:
                wrong.append("session %s came back" % one)
        elif answer.status != 200:
            wrong.append("session %s lost" % one)
        else:
            wrong += audit_session(api, one, turns, answer)
    return wrong


def audit_session(api, session, turns, answer):
    """Each frame that a reader saw is in the history, in order; every turn has one stop, last."""
    wrong = []
    events = answer.json["events"]
    open_turn = False
    for event in events:
        if event["type"] == "user_input":
            if open_turn:
                wrong.append("session %s: a turn without a stop" % session)
            open_turn = True
        elif not open_turn:
            wrong.append("session %s: %s after the stop" % (session, event["type"]))
        if event["type"] == "stop":
            open_turn = False
    if open_turn:
        wrong.append("session %s: its last turn was not closed" % session)
    at = 0
    for frames in turns:
        for _, data in frames:
            event = json.loads(data)
            try:
                at = events.index(event, at) + 1
            except ValueError:
                wrong.append("session %s: a shown event is lost: %s" % (session, data[:120]))
                return wrong
    if turns and turns[-1]:
        stream = api.server.open_stream("GET", "/api/v1/chat/%s/messages/stream" % session)
        if isinstance(stream, SseReader):
            told = {f.id: f.data for f in stream.rest()}
            latest = [i for i, _ in turns[-1]]
            if latest[0] in told:
                for frame_id, data in turns[-1]:
                    if told.get(frame_id) != data:
                        wrong.append("session %s: frame %s changed" % (session, frame_id))
    return wrong


def integrity(data):
    """`PRAGMA integrity_check` of every SQLite file, on copies: what is not 'ok'."""
    wrong = []
    for path in Path(data).rglob("*"):
        if not path.is_file() or path.stat().st_size < 100:
            continue
        with open(path, "rb") as file:
            if file.read(15) != b"SQLite format 3":
                continue
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / path.name
            shutil.copy(path, copy)
            wal = path.with_name(path.name + "-wal")
            if wal.exists():
                shutil.copy(wal, copy.with_name(copy.name + "-wal"))
            base = sqlite3.connect(str(copy))
            said = [row[0] for row in base.execute("PRAGMA integrity_check")]
            said += ["foreign key: %s" % (row,) for row in base.execute("PRAGMA foreign_key_check")]
            base.close()
            if said != ["ok"]:
                wrong.append("%s: %s" % (path, said[:5]))
    return wrong
