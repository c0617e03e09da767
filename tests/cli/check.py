"""The commands of `cria` that talk to a server; tests/support/with_server.py starts the servers."""

import fcntl
import json
import os
import pty
import select
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import termios
import threading
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CRIA = Path(os.environ.get("CRIA_BIN_DIR") or ROOT / "build-dev" / "bin") / "cria"
USAGE, UNAVAILABLE, TEMPORARY, NO_PERMISSION = 64, 69, 75, 77


def cria(*words, want=0, env=None, typed=None, url=None, cwd=ROOT):
    more = dict(os.environ, LLAMA_CLOUD_BASE_URL=url or os.environ["CRIA_TEST_URL"], **(env or {}))
    done = subprocess.run([CRIA, *words], cwd=cwd, env=more, input=typed, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == want, (words, done.returncode, done.stdout, done.stderr)
    assert "\033" not in done.stdout, "colours into a pipe"
    return done


def without_an_index():
    for words in (["ask", "x"], ["search", "x"], ["find"], ["chat"]):
        assert "cria add" in cria(*words, want=1).stderr
    assert cria("indexes").stdout == "" and cria("sessions").stdout == ""


def add_uploads_by_difference():
    folder = Path(tempfile.mkdtemp(prefix="cria-cli-"))
    try:
        shutil.copytree(ROOT / "samples", folder / "s", ignore=shutil.ignore_patterns("questions*"))
        shutil.rmtree(folder / "s" / "source")
        files = [p for p in (folder / "s").rglob("*") if p.is_file()]
        said = cria("add", str(folder / "s"), "--index", "railway").stdout
        assert "%d uploaded" % len(files) in said and "is ready" in said, said
        said = cria("add", str(folder / "s"), "--index", "railway").stdout
        assert "0 uploaded" in said and "%d unchanged" % len(files) in said, said
        (folder / "s" / "fares.txt").write_text("A dog costs nine crowns from Alderbrook.\n")
        said = cria("add", str(folder / "s"), "--index", "railway").stdout
        assert "1 uploaded" in said and "replaced" in said, said
        assert "nine crowns" in cria("cat", "fares.txt").stdout
        assert "/no/such" in cria("add", "/no/such", "--index", "railway", want=1).stderr
        bad = folder / "bad.pdf"
        bad.write_bytes(b"not a pdf at all \x00\x01")
        said = cria("add", str(bad), "--index", "railway", want=1).stderr
        assert "not indexed: %s: " % bad in said and "PDF" in said, said
        # One file by two spellings of its path is one file.
        assert "1 uploaded" in cria("add", "s/fares.txt", "--index", "spelt", cwd=folder).stdout
        assert "1 unchanged" in cria("add", ".//s/", "--index", "spelt", cwd=folder).stdout
        spelt = [json.loads(line) for line in cria("indexes", "--json").stdout.splitlines()]
        cria("indexes", "delete", [one["id"] for one in spelt if one["name"] == "spelt"][0])
    finally:
        shutil.rmtree(folder)


def questions():
    said = cria("ask", "At what wind speed does no train run above High Larches?").stdout
    assert "85 kilometres per hour" in said and "operating-handbook.pdf, p. 3" in said, said
    events = [json.loads(line) for line in
              cria("ask", "Who founded the railway?", "--json", "--index", "railway").stdout.splitlines()]
    assert events[0]["type"] == "user_input" and events[-1]["type"] == "stop"
    session = json.loads(cria("sessions", "--json", "--limit", "1").stdout)["session_id"]
    assert "Who founded the railway?" in cria("sessions", "show", session).stdout
    cria("sessions", "delete", session)
    cria("sessions", "show", session, want=1)


def conversation():
    said = cria("chat", typed="Who founded the railway?\n/sources\n/open 1\n/open 99\n/new\n/what\n/quit\n").stdout
    assert "212 households" in said and '"It was founded' in said and "There are /sources" in said
    assert "There is no such source" in said


def looking():
    passages = [json.loads(line) for line in cria("search", "rack section", "--json").stdout.splitlines()]
    assert passages and all(0 <= p["score"] <= 1 for p in passages)
    assert "operating-handbook.pdf" in cria("search", "rack section", "--limit", "1").stdout
    assert "timetable.csv" in cria("find", "TIME").stdout
    cria("find", "no such name", want=1)
    assert "operating-handbook.pdf:" in cria("grep", r"\d+ per mille").stdout
    cria("grep", "xyzzy", want=1)
    assert "no file" in cria("cat", "nothing.txt", want=1).stderr
    cria("search", "zyzzyva", want=1)


def lists():
    index = json.loads(cria("indexes", "--json").stdout)
    assert index["name"] == "railway" and index["metadata"]["status"] == "ready"
    assert json.loads(cria("indexes", "show", index["id"]).stdout)["id"] == index["id"]
    cria("indexes", "sync", index["id"])
    assert "fares.txt" in cria("files").stdout
    cria("add", str(ROOT / "samples" / "fares.txt"), "--index", "second")
    for words in (["search", "dog"], ["ask", "dog"], ["chat"]):
        said = cria(*words, want=USAGE).stderr
        assert "choose with --index" in said and "railway" in said and "second" in said, said
    cria("search", "dog", "--index", "second", "--index", "railway")
    assert "no index 'third'" in cria("search", "dog", "--index", "third", want=1).stderr


def mistakes():
    for words in (["ask"], ["ask", "a", "b"], ["grep"], ["cat"], ["search", "x", "--frob"],
                  ["search", "x", "--limit"], ["search", "x", "--limit", "many"], ["ask", "-q"], ["chat", "x"],
                  ["export", "x"], ["import"], ["backup"], ["keys"], ["projects", "frob"], ["restore", "x"], ["config"], ["indexes", "frob"], ["indexes", "delete"], ["frob"]):
        cria(*words, want=USAGE)
    assert "cria serve" in cria("ask", "x", want=UNAVAILABLE, url="http://127.0.0.1:9").stderr
    keyed = os.environ["CRIA_TEST_KEYED_URL"]
    said = cria("indexes", want=NO_PERMISSION, url=keyed, env={"LLAMA_CLOUD_API_KEY": "wrong-key"}).stderr
    assert "LLAMA_CLOUD_API_KEY" in said and "wrong-key" not in said
    cria("indexes", url=keyed, env={"LLAMA_CLOUD_API_KEY": os.environ["CRIA_TEST_KEY"]})
    for command in ("serve", "keys", "projects", "restore", "config"):
        said = cria(command, "--help").stdout
        assert "cria " + command in said and len(said) > 200, said
    assert "good" in cria("config", "check").stdout
    assert "max-turns" in cria("config", "check", "--max-turns", "many", want=78).stderr
    assert "listen" in cria("config", "check", "--listen", "127.0.0.1:80x", want=78).stderr
    for command in ("add", "ask", "chat", "search", "find", "grep", "cat", "indexes", "files", "sessions"):
        assert "--base-url" in cria(command, "--help").stdout
        assert "cria " + command in cria("--help").stdout


def manual_completions_doctor():
    assert ".SH COMMANDS" in cria("man").stdout and ".B ask" in cria("man").stdout
    if shutil.which("man"):
        subprocess.run(["sh", "-c", "'%s' man | man -l - | grep -q 'ask once'" % CRIA], check=True)
    for shell in ("bash", "zsh", "fish"):
        text = cria("completion", shell).stdout
        assert "search" in text and "restore" in text
        if shutil.which(shell):
            subprocess.run([shell, "-n"], input=text, text=True, check=True)
    cria("completion", "tcsh", want=USAGE)
    assert cria("doctor").stdout.count("fine") == 4
    assert all(json.loads(line)["is_good"] for line in cria("doctor", "--json").stdout.splitlines())
    assert "wrong" in cria("doctor", want=UNAVAILABLE, url="http://127.0.0.1:9").stdout


def a_folder_without_a_server():
    home = tempfile.mkdtemp(prefix="cria-cli-home-")
    try:
        env = {"HOME": home, "XDG_CACHE_HOME": ""}
        for _ in range(2):
            said = cria("ask", "samples", "Who founded the railway?", url="http://127.0.0.1:9", env=env).stdout
            assert "212 households" in said, said
        assert len(list((Path(home) / ".cache" / "cria").iterdir())) == 1
    finally:
        shutil.rmtree(home)


def backup_and_restore():
    """A copy made under load holds all that was acknowledged before, and answers the same."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from client import Api
    from cria_server import Server

    place = Path(tempfile.mkdtemp(prefix="cria-cli-backup-"))
    stop, written, problems = threading.Event(), [], []
    try:
        with Server() as server:
            api = Api(server)
            cria("add", "samples/operating-handbook.pdf", "--index", "railway", url=server.url)
            index = json.loads(cria("indexes", "--json", url=server.url).stdout)
            before = api.ask(api.session(index["id"]), "Who founded the railway?", [])

            def load():
                try:
                    while not stop.is_set():
                        written.append(api.post("/api/v1/beta/directories", {"name": "d"})["id"])
                except Exception as problem:  # told below
                    problems.append(problem)

            threads = [threading.Thread(target=load) for _ in range(4)]
            for t in threads:
                t.start()
            time.sleep(0.3)
            known = list(written)
            file = place / "backup.tar"
            cria("backup", str(file), url=server.url)
            assert len(written) > len(known), "writes went on meanwhile"
            stop.set()
            for t in threads:
                t.join()
            assert not problems, problems[0]
            assert not (place / "backup.tar.part").exists()
        with tarfile.open(file) as archive:
            kept = {name.split("/")[0] for name in archive.getnames()}
        assert kept == {"manifest.json", "cria.db", "cria.db-wal", "blobs", "segments", "digests.xxh128"}, kept
        assert "digests" in subprocess.run([CRIA, "restore", file, place / "data", "--verify"],
                                           check=True, capture_output=True, text=True).stdout
        with Server(data=place / "data") as again:
            api = Api(again)
            for one in known:
                api.get("/api/v1/beta/directories/" + one)
            after = api.ask(api.session(index["id"]), "Who founded the railway?", [])
            assert (after.text, after.citations) == (before.text, before.citations)
            entry = api.find(index["id"])[0]
            assert entry["file_name"] == "samples/operating-handbook.pdf" or "handbook" in entry["file_name"]
        # A second time into the same folder, and damaged files, are refused.
        assert subprocess.run([CRIA, "restore", file, place / "data"], capture_output=True).returncode == 73
        whole = file.read_bytes()
        for name, damaged in (("cut", whole[:len(whole) // 2]), ("text", b"hello" * 500),
                              ("flipped", whole[:-6000] + bytes([whole[-6000] ^ 1]) + whole[-5999:]),
                              ("path", whole.replace(b"manifest.json", b"../../../evil", 1))):
            (place / name).write_bytes(damaged)
            done = subprocess.run([CRIA, "restore", place / name, place / ("d-" + name)], capture_output=True)
            assert done.returncode == 65, (name, done)
        assert not (place.parent / "evil").exists()
        keyed, key = os.environ["CRIA_TEST_KEYED_URL"], os.environ["CRIA_TEST_READ_KEY"]
        cria("backup", str(place / "no.tar"), url=keyed, env={"LLAMA_CLOUD_API_KEY": key}, want=NO_PERMISSION)
        assert not list(place.glob("no.tar*"))
        cria("backup", str(place / "yes.tar"), url=keyed,
             env={"LLAMA_CLOUD_API_KEY": os.environ["CRIA_TEST_KEY"]})
    finally:
        stop.set()
        shutil.rmtree(place)


def a_backup_whose_reader_leaves():
    """Neither one who leaves nor one who stays and reads nothing is in anybody's way."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from client import Api
    from cria_server import Server, wait_for

    def begin(server):
        link = socket.create_connection((server.host, server.port))
        link.sendall(b"GET /backup HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in link.recv(1000)
        return link

    with Server() as server:
        Api(server).create_file("big.bin", os.urandom(30 << 20))
        with begin(server):
            assert server.request("GET", "/backup").status == 409
        wait_for("the next backup", lambda: server.request("GET", "/backup").status == 200)
        with begin(server) as link:
            begun = time.monotonic()
            server.stop()
            assert time.monotonic() - begun < 10
            got = b"".join(iter(lambda: link.recv(1 << 20), b""))
            assert len(got) < 30 << 20 and not got.endswith(b"0\r\n\r\n")


def a_backup_that_is_cut():
    """An answer without its last chunk is none; nothing is asked for a second time."""
    place, asked = Path(tempfile.mkdtemp(prefix="cria-cli-cut-")), []

    def serve():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            asked.append("http://127.0.0.1:%d" % listener.getsockname()[1])
            listening.set()
            while True:
                link, _ = listener.accept()
                with link:
                    head = link.recv(65536)
                    if not head.startswith(b"GET /backup"):
                        return
                    asked.append(head)
                    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\n"
                                 b"Transfer-Encoding: chunked\r\n\r\n00000005\r\nhello\r\n")

    listening = threading.Event()
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        listening.wait()
        said = cria("backup", str(place / "cut.tar"), url=asked[0], want=TEMPORARY).stderr
        assert "nothing was kept" in said, said
        assert not list(place.iterdir())
        host, port = asked[0][7:].split(":")
        with socket.create_connection((host, int(port))) as link:
            link.sendall(b"the end")
        thread.join()
        assert len(asked) == 2, asked
    finally:
        shutil.rmtree(place)


def export_and_import():
    """A project goes to another server: its ids, answers and citations stay what they were."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from client import Api
    from cria_server import Server

    place = Path(tempfile.mkdtemp(prefix="cria-cli-export-"))
    file, question = place / "project.tar", "Who founded the railway?"
    try:
        with Server() as here:
            api = Api(here)
            for part in ("operating-handbook.pdf", "fares.txt"):
                cria("add", "samples/" + part, "--index", "railway", url=here.url)
            index = json.loads(cria("indexes", "--json", url=here.url).stdout)
            session = api.session(index["id"])
            before = api.ask(session, question, [])
            assert before.citations
            history = api.get("/api/v1/chat/" + session)
            cria("export", "No such", str(file), url=here.url, want=1)
            assert not file.exists() and not list(place.iterdir())
            assert " MB" in cria("export", "Default", str(file), url=here.url).stdout
            assert json.loads(cria("export", "Default", str(place / "b"), "--json", url=here.url).stdout)["bytes"] > 0
            assert "here already" in cria("import", str(file), url=here.url, want=65).stderr
        with Server() as there:
            api = Api(there)
            project = json.loads(cria("import", str(file), "--json", url=there.url).stdout)
            wish = {"project_id": project["id"]}
            assert api.get("/api/v1/chat/" + session, query=wish) == history
            moved = json.loads(cria("indexes", "--json", "--project", project["id"], url=there.url).stdout)
            assert {k: moved[k] for k in ("id", "name")} == {k: index[k] for k in ("id", "name")}
            said = [json.loads(line) for line in
                    cria("ask", question, "--json", "--project", project["id"], url=there.url).stdout.splitlines()]
            text = [e for e in said if e["type"] == "text"][0]
            assert (text["content"], text["citations"]) == (before.text, before.citations)
            # What is moved can be worked on: nothing is uploaded again, what is new is found.
            more = cria("add", "samples/fares.txt", "samples/timetable.csv", "--index", "railway", "--project",
                        project["id"], url=there.url).stdout
            assert "1 uploaded" in more and "1 unchanged" in more, more
            assert "timetable.csv" in cria("find", "--project", project["id"], url=there.url).stdout
            cria("import", str(file), url=there.url, want=65)
            copy = json.loads(cria("import", str(file), "--name", "copy", "--json", url=there.url).stdout)
            assert copy["name"] == "copy" and copy["id"] != project["id"]
            assert "212 households" in cria("ask", question, "--project", copy["id"], url=there.url).stdout
            whole = file.read_bytes()
            for damaged in (whole[:len(whole) // 2], b"no", whole.replace(b"households", b"househords", 1)):
                (place / "damaged").write_bytes(damaged)
                cria("import", str(place / "damaged"), "--name", "x", url=there.url, want=65)
            cria("import", str(place / "nothing"), url=there.url, want=66)
            names = [p["name"] for p in api.get("/api/v1/projects")]
            assert sorted(names) == ["Default", "Default", "copy"], names
            # It all is still there after a restart.
            there.stop()
            there.start()
            assert "212 households" in cria("ask", question, "--project", copy["id"], url=there.url).stdout
        keyed, env = os.environ["CRIA_TEST_KEYED_URL"], {"LLAMA_CLOUD_API_KEY": os.environ["CRIA_TEST_READ_KEY"]}
        cria("export", "Default", str(place / "no.tar"), url=keyed, env=env, want=NO_PERMISSION)
        cria("import", str(file), url=keyed, env=env, want=NO_PERMISSION)
    finally:
        shutil.rmtree(place)


def keys_and_projects_in_json():
    folder = Path(tempfile.mkdtemp(prefix="cria-cli-keys-"))
    try:
        made = json.loads(cria("keys", "create", "--name", "k", "--json", "--data", str(folder)).stdout)
        listed = json.loads(cria("keys", "list", "--json", "--data", str(folder)).stdout)
        assert listed["id"] == made["id"] and made["key"].startswith(listed["prefix"])
        assert listed["project_id"] is None and not listed["is_revoked"]
        project = json.loads(cria("projects", "create", "p", "--json", "--data", str(folder)).stdout)
        rows = [json.loads(line) for line in
                cria("projects", "list", "--json", "--data", str(folder)).stdout.splitlines()]
        assert project in rows and len(rows) == 2
    finally:
        shutil.rmtree(folder)


class Terminal:
    """A command on a terminal of its own, 80 columns wide."""

    def __init__(self, *words, **env):
        self.seen = b""
        pid, self.master = pty.fork()
        if pid == 0:
            os.environ.update(env, TERM="xterm", LANG="C.UTF-8")
            os.execv(CRIA, [str(CRIA), *words])
        self.pid = pid
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, text, seconds=20):
        """What came until then; forgets it."""
        end = time.monotonic() + seconds
        while text.encode() not in self.seen:
            assert time.monotonic() < end, (text, self.seen)
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 4096)
        before, self.seen = self.seen.split(text.encode(), 1)
        return before.decode("utf-8", "replace")

    def end(self):
        """The rest, and the exit code."""
        try:
            while chunk := os.read(self.master, 4096):
                self.seen += chunk
        except OSError:
            pass  # the other end is closed
        os.close(self.master)
        return self.seen.decode("utf-8", "replace"), os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def a_conversation_on_a_terminal():
    """Ctrl-C drops what is typed, or stops the turn; the program goes on. Lines are remembered."""
    state = tempfile.mkdtemp(prefix="cria-cli-state-")
    url = os.environ["CRIA_TEST_LLM_URL"]
    cria("add", "samples/fares.txt", "--index", "slow", url=url)
    try:
        chat = Terminal("chat", "--index", "slow", LLAMA_CLOUD_BASE_URL=url, XDG_STATE_HOME=state)
        chat.wait_for("> ")
        chat.type("half a question\x03")
        chat.wait_for("^C")
        chat.type("scenario:slow\r")
        chat.wait_for("word3")
        chat.type("\x03")
        cut = chat.wait_for("(stopped)")
        assert "word59" not in cut
        chat.wait_for("> ")
        chat.type("Is it over?\r")
        chat.wait_for("The documents say so")
        chat.wait_for("> ")
        chat.type("/quit\r")
        _, code = chat.end()
        assert code == 0
        kept = Path(state) / "cria" / "history"
        assert "Is\\040it\\040over?" in kept.read_text() and "half" not in kept.read_text()
        assert kept.stat().st_mode & 0o077 == 0
    finally:
        shutil.rmtree(state)


def progress_on_a_terminal():
    folder = Path(tempfile.mkdtemp(prefix="cria-cli-progress-"))
    try:
        for n in range(3):
            (folder / ("a long name that does not fit into the line %d.txt" % n)).write_text("Some words. " * 200000)
        adding = Terminal("add", str(folder), "--index", "progress", LLAMA_CLOUD_BASE_URL=os.environ["CRIA_TEST_URL"])
        seen, code = adding.end()
        assert code == 0 and "\u2588" in seen and "MB/s" in seen and "s left" in seen, seen
        for line in seen.replace("\n", "\r").split("\r"):
            if "left" in line:
                assert len(line.replace("\033[K", "")) <= 80, line
        assert "3 uploaded" in seen
    finally:
        shutil.rmtree(folder)


def colours_on_a_terminal():
    for env, want in (({}, True), ({"NO_COLOR": "1"}, False)):
        master, slave = pty.openpty()
        more = dict(os.environ, LLAMA_CLOUD_BASE_URL=os.environ["CRIA_TEST_URL"], TERM="xterm", **env)
        process = subprocess.Popen([CRIA, "search", "dog", "--index", "second"], stdout=slave, env=more)
        os.close(slave)
        seen = b""
        try:
            while chunk := os.read(master, 4096):
                seen += chunk
        except OSError:
            pass  # the other end is closed
        process.wait(20)
        os.close(master)
        assert (b"\033[1m" in seen) == want, seen


def main():
    passed = failed = 0
    for test in (without_an_index, add_uploads_by_difference, questions, conversation, looking, lists,
                 mistakes, manual_completions_doctor, a_folder_without_a_server,
                 backup_and_restore, a_backup_whose_reader_leaves, a_backup_that_is_cut, export_and_import,
                 keys_and_projects_in_json, a_conversation_on_a_terminal, progress_on_a_terminal,
                 colours_on_a_terminal):
        try:
            test()
            passed += 1
        except Exception:  # told with its name; the others still run
            failed += 1
            print("not ok: " + test.__name__)
            traceback.print_exc(limit=-2)
    print("cli: %d passed, %d failed, 0 skipped" % (passed, failed), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
