"""Crash tests of the whole server: kill -9, power cuts, a full disk.

CRIA_CRASH_ROUNDS (20) kills, CRIA_CRASH_CUTS (10) power cuts, CRIA_CRASH_SEED (the day's number).
Prints what the ledgers hold and closes with `crash: N passed, N failed, N skipped`.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import corpus  # noqa: E402
from client import Api, Turn  # noqa: E402
from cria_server import Server, wait_for  # noqa: E402
from ledger import Ledger, audit, integrity, write_until  # noqa: E402
from stub_llm import StubLlm  # noqa: E402

ROUNDS = int(os.environ.get("CRIA_CRASH_ROUNDS", "20"))
CUTS = int(os.environ.get("CRIA_CRASH_CUTS", "10"))
SEED = int(os.environ.get("CRIA_CRASH_SEED", str(int(time.time()) // 86400)))
WRITERS = 6


class Skipped(Exception):
    pass


def table(name, ledger, rounds, extra=""):
    counts = ledger.counts()
    print("%s: %d rounds; acknowledged: %s; lost: 0%s" % (
        name, rounds, ", ".join("%d %s" % (n, k) for k, n in counts.items()), extra), flush=True)
    assert counts["turn events"] > rounds and counts["files"] > rounds, "too little was written"


def answers_on(api, index_id):
    """The server does its whole work again."""
    session = api.session(index_id)
    api.ask(session, "Which plant had the longest outage?", [])
    assert api.retrieve(index_id, "Elm Street")


def kill_loop():
    """kill -9 at a random moment, again and again; nothing acknowledged is lost."""
    rng = random.Random(SEED)
    stub, ledger = StubLlm(), Ledger()
    server = Server(*stub.args).start()
    try:
        api = Api(server)
        index_id = api.build({"outages.txt": corpus.DOCUMENTS["outages.txt"]})[2]["id"]
        slowest = 0.0
        for number in range(ROUNDS):
            write_until(server, ledger, index_id, WRITERS, SEED + number, rng.uniform(0.15, 1.0),
                        server.kill)
            stub.reset()
            wrong = integrity(server.data)
            begun = time.monotonic()
            server.start()
            slowest = max(slowest, time.monotonic() - begun)
            wrong += audit(api, ledger, 60, number)
            assert not wrong, "round %d: %s" % (number, wrong[:10])
            answers_on(api, index_id)
        wrong = audit(api, ledger)
        assert not wrong, wrong[:10]
        assert server.stop() == 0
        wrong = integrity(server.data)
        assert not wrong, wrong
        table("kill -9", ledger, ROUNDS, "; slowest start %.0f ms" % (slowest * 1000))
    finally:
        server.close()
        stub.close()


def kill_during_builds():
    """An index whose build is killed is built after the start; the last export answers meanwhile."""
    rng = random.Random(SEED + 1)
    server = Server("--ingest-workers", "1").start()
    try:
        api = Api(server)
        directory, _, index = api.build({"outages.txt": corpus.DOCUMENTS["outages.txt"]})
        for number in range(max(3, ROUNDS // 4)):
            api.upload(directory["id"], "volume-%d.txt" % number, corpus.bulk(number + 1, 1500))
            api.post("/api/v1/indexes/%s/sync" % index["id"])
            time.sleep(rng.uniform(0, 0.4))
            server.kill()
            wrong = integrity(server.data)
            assert not wrong, wrong
            server.start()
            found = api.retrieve(index["id"], "longest outage Elm Street plant")
            assert "Elm Street" in found[0]["content"], "the last good export is gone"
            done = api.wait_index(index["id"], seconds=120)
            assert done["metadata"]["file_counts"]["succeeded"] == number + 2, done
        names = [f["file_name"] for f in api.find(index["id"])]
        assert len(names) == len(set(names)) == number + 2, names
        print("kill -9 during builds: %d rounds, each build ended ready" % (number + 1), flush=True)
    finally:
        server.close()


def power_cuts():
    """Only what was synced is left; nothing acknowledged is lost."""
    if sys.platform != "linux":
        raise Skipped("the shim is for Linux")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        raise Skipped("there is no C compiler")
    base = Path(tempfile.mkdtemp(prefix="cria-cut-")).resolve()
    shim, data, disk = base / "powercut.so", base / "data", base / "disk"
    subprocess.check_call([compiler, "-std=gnu17", "-O1", "-fPIC", "-shared", "-o", str(shim),
                           str(HERE / "powercut.c"), "-ldl"])
    rng = random.Random(SEED + 2)
    stub, ledger = StubLlm(), Ledger()
    data.mkdir(mode=0o700)
    server = Server(*stub.args, data=data, preload=shim,
                    env={"CRIA_CUT_DATA": str(data), "CRIA_CUT_DISK": str(disk)})
    try:
        server.start()
        api = Api(server)
        index_id = api.build({"outages.txt": corpus.DOCUMENTS["outages.txt"]})[2]["id"]
        assert any(disk.rglob("*")), "the shim saw no fsync"
        for number in range(CUTS):
            write_until(server, ledger, index_id, WRITERS, SEED + 500 + number,
                        rng.uniform(0.3, 1.0), server.kill)
            stub.reset()
            # The power is back: the data folder is what the disk held.
            shutil.rmtree(data)
            shutil.copytree(disk, data)
            data.chmod(0o700)
            wrong = integrity(data)
            assert not wrong, "cut %d: %s" % (number, wrong)
            server.start()
            wrong = audit(api, ledger, 80, number)
            assert not wrong, "cut %d: %d things, among them %s" % (number, len(wrong), wrong[:10])
            answers_on(api, index_id)
        wrong = audit(api, ledger)
        assert not wrong, wrong[:10]
        table("power cuts", ledger, CUTS)
    finally:
        server.close()
        stub.close()
        shutil.rmtree(base, ignore_errors=True)


def full_disk():
    """Writes are refused with 507, reads go on, deletes work, and all heals by itself."""
    if os.geteuid() != 0:
        raise Skipped("mounting a small tmpfs needs root")
    base = Path(tempfile.mkdtemp(prefix="cria-full-"))
    place = base / "small"
    place.mkdir()
    if subprocess.call(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(place)],
                       stderr=subprocess.DEVNULL) != 0:
        shutil.rmtree(base)
        raise Skipped("tmpfs cannot be mounted here")
    server = Server(data=place / "data")
    try:
        server.start()
        api = Api(server)
        index_id = api.build({"outages.txt": corpus.DOCUMENTS["outages.txt"]})[2]["id"]
        session = api.session(index_id)
        turn = api.ask(session, "Which plant had the longest outage?", [])
        kept = []
        for _ in range(200):
            answer = upload(api, 300000)
            if answer.status == 507:
                break
            assert answer.status == 200, answer
            kept.append(answer.json["id"])
        assert answer.status == 507, "40 MB take any number of files"
        assert answer.json["detail"]
        # Another program takes what is left, to the last byte.
        filler = fill(place / "filler")
        begun = time.monotonic()
        for method, path, body in (("POST", BETA + "/directories", {"name": "x" * 5000}),
                                   ("POST", "/api/v1/chat", {"index_ids": [index_id]})):
            statuses = set()
            for _ in range(300):
                answer = server.request(method, path, json_body=body)
                statuses.add(answer.status)
                if answer.status == 507:
                    break
            assert 507 in statuses and statuses <= {200, 507}, statuses
        assert time.monotonic() - begun < 60
        begun = time.monotonic()
        assert server.request("POST", BETA + "/directories", json_body={"name": "x" * 5000}).status \
            in (507, 200)
        assert time.monotonic() - begun < 1, "a refusal takes at most a second"
        reads_go_on(api, index_id, session, turn, kept)
        for one in kept[:3]:
            api.delete("%s/files/%s" % (BETA, one))
        for one in kept[:3]:
            api.refused("GET", "%s/files/%s" % (BETA, one), 404)
        filler.unlink()
        wait_for("healing", lambda: upload(api, 1000).status == 200, 6)
        wait_for("turns again", lambda: server.request("GET", "/ready").status == 200, 6)
        answers_on(api, index_id)
        assert server.is_alive()
        server.restart(hard=True)
        for one in kept[3:]:
            assert api.get("%s/files/%s" % (BETA, one))["id"] == one
        reads_go_on(api, index_id, session, turn, kept[3:])
        answers_on(api, index_id)
        server.stop()
        wrong = integrity(server.data)
        assert not wrong, wrong
        print("full disk: %d files before it was full; reads, deletes and healing seen" % len(kept),
              flush=True)
    finally:
        server.close()
        subprocess.call(["umount", "-l", str(place)])
        shutil.rmtree(base, ignore_errors=True)


BETA = "/api/v1/beta"


def upload(api, size):
    from cria_server import multipart

    kind, body = multipart([("purpose", "user_data"), ("file", os.urandom(size), "f.bin")])
    return api.server.request("POST", BETA + "/files", body=body, headers={"Content-Type": kind})


def fill(path):
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                pass
    return path


def reads_go_on(api, index_id, session, turn, files):
    assert api.get(BETA + "/files")["items"]
    assert "Elm Street" in api.retrieve(index_id, "longest outage")[0]["content"]
    assert len(api.history(session).json["events"]) == len(turn.messages)
    assert Turn(api.resume(session).rest()).stop == turn.stop
    link = api.get("%s/files/%s/content" % (BETA, files[-1]))["url"]
    assert len(api.server.request("GET", link[len(api.server.url):]).body) == 300000


def main():
    wanted = sys.argv[1:]
    passed = failed = skipped = 0
    for test in (kill_loop, kill_during_builds, power_cuts, full_disk):
        if wanted and test.__name__ not in wanted:
            continue
        begun = time.monotonic()
        try:
            test()
            passed += 1
            print("ok %s (%.0f s)" % (test.__name__, time.monotonic() - begun), flush=True)
        except Skipped as reason:
            skipped += 1
            print("skipped: %s: %s" % (test.__name__, reason), flush=True)
        except Exception as problem:  # told with its name; the other tests still run
            failed += 1
            import traceback

            traceback.print_exc(limit=-4)
            print("not ok %s (seed %d): %s: %s" % (
                test.__name__, SEED, type(problem).__name__, str(problem)[:3000]), flush=True)
    print("crash: %d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
