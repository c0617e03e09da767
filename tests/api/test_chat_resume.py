"""The stream is a durable log: attach again during a turn, after it, after kill -9 and restart."""

import uuid

import pytest

import corpus
import stub_llm
from client import Api, Turn, check_frames, joined
from cria_server import SseReader

ASK = "Which plant had the longest outage?"


def check_rest(whole, seen, rest):
    """`seen` and then `rest` read like the whole turn: nothing twice, nothing missing."""
    check_frames(rest)
    wanted = [f for f in whole if f.type not in ("text_delta", "thinking_delta")]
    got = [f for f in seen + rest if f.type not in ("text_delta", "thinking_delta")]
    assert [f.data for f in got] == [f.data for f in wanted]
    assert [f.id for f in got] == [f.id for f in wanted]
    assert joined(seen + rest) == joined(whole)
    assert joined(seen + rest, "thinking_delta") == joined(whole, "thinking_delta")
    numbers = [int(f.id.rpartition("-")[2]) for f in seen + rest]
    assert numbers == sorted(set(numbers)), "an id twice or out of order"


def test_no_turn_yet(api, docs):
    session = api.session(docs.id)
    assert api.resume(session, expect=204).status == 204
    api.refused("GET", "/api/v1/chat/ses-nothing/messages/stream", 404)


def test_after_every_frame_of_an_ended_turn(api, docs):
    session = api.session(docs.id)
    turn = api.ask(session, ASK, [])
    whole = turn.frames
    check_rest(whole, [], api.resume(session).rest())
    for number, frame in enumerate(whole[:-1], 1):
        check_rest(whole, whole[:number], api.resume(session, frame.id).rest())


def test_after_the_last_frame(api, docs):
    session = api.session(docs.id)
    turn = api.ask(session, ASK, [])
    path = "/api/v1/chat/%s/messages/stream" % session
    got = api.server.open_stream("GET", path, headers={"Last-Event-ID": turn.frames[-1].id})
    if isinstance(got, SseReader):
        assert got.rest() == []
    else:
        assert got.status == 204


@pytest.mark.parametrize("bad", ["x", "-1", "0", "trn-%s-1" % uuid.uuid4(), "é", "x" * 128])
def test_ids_that_are_not_of_the_latest_turn(api, docs, bad):
    session = api.session(docs.id)
    api.ask(session, ASK, [])
    answer = api.call("GET", "/api/v1/chat/%s/messages/stream" % session, (400, 422),
                      headers={"Last-Event-ID": bad.encode("utf-8").decode("latin-1")})
    if answer.status == 422:
        assert answer.json["detail"][0]["loc"][0] == "header"


def test_ids_of_other_turns(api, docs):
    one, two = api.session(docs.id), api.session(docs.id)
    first = api.ask(one, ASK, [])
    foreign = api.ask(two, ASK, [])
    api.resume(one, foreign.frames[0].id, expect=422)
    later = api.ask(one, "Who is the harbour master for this season?", [])
    api.resume(one, first.frames[0].id, expect=422)
    check_rest(later.frames, [], api.resume(one).rest())
    beyond = later.frames[0].id.rpartition("-")[0] + "-99999"
    api.call("GET", "/api/v1/chat/%s/messages/stream" % one, 422, headers={"Last-Event-ID": beyond})


def test_an_empty_last_event_id_is_absent(api, docs):
    session = api.session(docs.id)
    turn = api.ask(session, ASK, [])
    check_rest(turn.frames, [], api.resume(session, "").rest())


def test_during_a_turn(llm, llm_docs, stub):
    session = llm.session(llm_docs.id)
    go = stub.hold()
    stub.play(stub_llm.calls(("retrieve", {"query": "outage"}), thinking="I search."),
              stub_llm.held(go))
    first = llm.open_turn(session, ASK)
    assert first.until("text_delta")
    seen = list(first.frames)
    # Three more readers: from the start, from the middle, from where the first one is.
    readers = [(0, llm.resume(session)), (3, llm.resume(session, seen[2].id)),
               (len(seen), llm.resume(session, seen[-1].id))]
    for begun, reader in readers:
        for frame in seen[begun:]:
            got = reader.next()
            if got.data != frame.data:
                break  # deltas may come joined
    first.close()
    go.set()
    rests = [(begun, reader.rest()) for begun, reader in readers]
    whole = rests[0][1]
    Turn(whole).check_shape()
    for begun, rest in rests:
        check_rest(whole, seen[:begun], rest)
    assert joined(whole).endswith("and the second half.")
    Turn(whole).check_history(llm, session)


def test_many_readers_of_one_turn(llm, llm_docs, stub):
    session = llm.session(llm_docs.id)
    go = stub.hold()
    stub.play(stub_llm.held(go))
    llm.open_turn(session, ASK).close()
    readers = [llm.resume(session) for _ in range(20)]
    for reader in readers:
        assert reader.until("text_delta")
    for reader in readers[::2]:
        reader.close()
    go.set()
    for reader in readers[1::2]:
        assert Turn(reader.rest()).text == "The first half, and the second half."


def test_a_late_reader_of_a_long_answer(llm, llm_docs, stub):
    words = " ".join("word%d" % i for i in range(3000))
    stub.play(stub_llm.text(words, size=9))
    session = llm.session(llm_docs.id)
    turn = llm.ask(session, "Say much", [])
    for number in (1, 2, len(turn.frames) // 2, len(turn.frames) - 2):
        rest = llm.resume(session, turn.frames[number].id).rest()
        check_rest(turn.frames, turn.frames[:number + 1], rest)


@pytest.fixture(scope="module")
def killed(request):
    """A server with a model, killed in the middle of turns and started again.

    Gives (api, turns): each turn is (session, frames a reader had, kind).
    """
    from cria_server import Server

    stub = stub_llm.StubLlm()
    server = Server(*stub.args).start()
    api = Api(server)
    _, _, index = api.build(corpus.DOCUMENTS)
    held = []
    turns = {}

    def begin(name, *plays):
        session = api.session(index["id"])
        stub.play(*plays)
        stream = api.open_turn(session, ASK)
        turns[name] = [session, stream]
        return stream

    def hold():
        held.append(stub.hold())
        return held[-1]

    done = begin("ended", stub_llm.calls(("retrieve", {"query": "outage"})),
                 stub_llm.text("Elm Street [1]."))
    done.rest()
    begin("text", stub_llm.calls(("retrieve", {"query": "outage"}), thinking="Search."),
          stub_llm.held(hold())).until("text_delta")
    begin("thinking", stub_llm.Play([stub_llm.chunk({"reasoning_content": "I wonder "}),
                                     ("wait", hold())])).until("thinking_delta")
    begin("silent", stub_llm.Play([("wait", hold())])).until("user_input")
    begin("tool", stub_llm.calls(("retrieve", {"query": "outage"})),
          stub_llm.Play([("wait", hold())])).until("tool_result")
    server.kill()
    for name in turns:
        session, stream = turns[name]
        frames = list(stream.frames)
        stream.close()
        turns[name] = (session, frames)
    stub.reset()
    server.start()
    yield api, turns, stub
    server.close()
    stub.close()


@pytest.mark.parametrize("name", ["ended", "text", "thinking", "silent", "tool"])
def test_across_kill_9_and_restart(killed, name):
    api, turns, stub = killed
    session, seen = turns[name]
    whole = api.resume(session).rest()
    turn = Turn(whole)
    turn.check_shape()
    turn.check_history(api, session)
    turn.check_citations(api)
    assert turn.stop["is_error"] == (name != "ended")
    messages = [f for f in seen if not f.type.endswith("_delta")]
    assert [(f.id, f.data) for f in messages] == [
        (f.id, f.data) for f in whole if not f.type.endswith("_delta")][:len(messages)], \
        "what was shown is still there"
    # Each point at which the reader may have been: the rest fits it.
    for number in range(1, len(seen) + 1):
        if number == len(whole):
            continue
        rest = api.resume(session, seen[number - 1].id).rest()
        check_frames(rest)
        assert joined(seen[:number] + rest) == joined(whole)
        assert joined(seen[:number] + rest, "thinking_delta") == joined(whole, "thinking_delta")
        kept = [f.data for f in seen[:number] + rest if not f.type.endswith("_delta")]
        assert kept == [f.data for f in whole if not f.type.endswith("_delta")]
    if name == "text":
        assert turn.text.startswith("The first half,"), "what was said is kept"


def test_a_session_goes_on_after_the_crash(killed):
    api, turns, stub = killed
    for name in ("text", "silent", "tool"):
        session = turns[name][0]
        stub.play(stub_llm.text("Good again."))
        turn = api.ask(session, "And now?", [])
        assert turn.text == "Good again."
        stops = [e for e in api.history(session).json["events"] if e["type"] == "stop"]
        assert len(stops) == 2


def test_sigterm_during_a_turn(fresh, stub):
    stub.reset()
    server = fresh("--shutdown-grace-ms", "300", *stub.args)
    api = Api(server)
    _, _, index = api.build({"a.txt": b"Some words."})
    session = api.session(index["id"])
    go = stub.hold()
    stub.play(stub_llm.held(go))
    stream = api.open_turn(session, "Hold on", [])
    stream.until("text_delta")
    assert server.stop() == 0
    go.set()
    try:
        frames = stream.rest()
    except (AssertionError, OSError):
        frames = stream.frames
    stream.close()
    server.start()
    whole = api.resume(session).rest()
    turn = Turn(whole)
    turn.check_shape()
    turn.check_history(api, session)
    assert turn.stop["is_error"] and turn.text.startswith("The first half,")
    stops = [f.data for f in frames if f.type == "stop"]
    assert stops in ([], [whole[-1].data])
    stub.reset()


def test_sigterm_lets_a_turn_end(fresh, stub):
    import threading

    stub.reset()
    server = fresh("--shutdown-grace-ms", "10000", *stub.args)
    api = Api(server)
    _, _, index = api.build({"a.txt": b"Some words."})
    session = api.session(index["id"])
    go = stub.hold()
    stub.play(stub_llm.held(go))
    stream = api.open_turn(session, "Hold on", [])
    stream.until("text_delta")
    threading.Timer(0.5, go.set).start()
    server.process.terminate()
    turn = Turn(stream.rest())
    turn.check_shape()
    assert turn.text == "The first half, and the second half." and not turn.stop["is_error"]
    assert server.stop() == 0
    server.start()
    turn.check_history(api, session)
    stub.reset()
