"""Turns with a model: whole conversations against the scripted endpoint."""

import threading
import time

import pytest

import stub_llm
from client import Api, Turn
from cria_server import wait_for

ASK = "Which plant had the longest outage?"


def searches(query="longest outage", **arguments):
    return stub_llm.calls(("retrieve", dict(arguments, query=query)))


def test_text_only(llm, llm_docs, stub):
    stub.play(stub_llm.text("Good day to you."))
    turn = llm.ask(llm.session(llm_docs.id), "Hello", [])
    assert turn.text == "Good day to you."
    assert len(turn.of("text_delta")) >= 1
    assert turn.stop["usage"]["turns"] == 1
    assert turn.stop["usage"]["total_input_tokens"] == 11
    assert turn.stop["usage"]["total_output_tokens"] == 7
    assert stub.headers[0]["authorization"] == "Bearer stub-key"
    assert stub.requests[0]["model"] == stub_llm.MODEL and stub.requests[0]["stream"] is True


def test_tool_call_then_answer(llm, llm_docs, stub):
    stub.play(searches(), stub_llm.text("The Elm Street plant stood still for 61 days [1]."))
    turn = llm.ask(llm.session(llm_docs.id), ASK, [])
    kinds = [e["type"] for e in turn.events if e["type"] != "text_delta"]
    assert kinds == ["user_input", "tool_call", "tool_result", "text", "stop"]
    call, result = turn.of("tool_call")[0], turn.of("tool_result")[0]
    assert call["name"] == "retrieve" and call["arguments"]["query"] == "longest outage"
    assert any("Elm Street" in r["content"] for r in result["result"]["results"])
    assert [c["n"] for c in turn.citations] == [1]
    assert turn.grounding == "answered"
    assert turn.stop["usage"]["turns"] == 2
    assert turn.stop["usage"]["total_input_tokens"] == 20 + 11
    tools = [m for m in stub.requests[1]["messages"] if m["role"] == "tool"]
    assert len(tools) == 1 and "Elm Street" in str(tools[0]["content"])


def test_several_calls_in_one_step(llm, llm_docs, stub):
    stub.play(stub_llm.calls(("retrieve", {"query": "outage"}), ("find_files", {}),
                             ("retrieve", {"query": "harbour master"})),
              stub_llm.text("Elm Street [1]."))
    turn = llm.ask(llm.session(llm_docs.id), ASK, [])
    assert [e["name"] for e in turn.of("tool_call")] == ["retrieve", "find_files", "retrieve"]
    assert len([m for m in stub.requests[1]["messages"] if m["role"] == "tool"]) == 3


def test_every_tool(llm, llm_docs, stub):
    file_id = [f["file_id"] for f in llm.find(llm_docs.id) if f["file_name"] == "outages.txt"][0]
    stub.play(stub_llm.calls(("find_files", {"name_contains": "outage"})),
              stub_llm.calls(("grep_file", {"file": "outages.txt", "pattern": "61 days"})),
              stub_llm.calls(("read_file", {"file": file_id, "offset": 0, "length": 60})),
              stub_llm.text("It was 61 days."))
    turn = llm.ask(llm.session(llm_docs.id), ASK, [])
    found, grepped, read = [e["result"] for e in turn.of("tool_result")]
    assert [f["file_name"] for f in found["items"]] == ["outages.txt"]
    assert grepped["items"][0]["start_char"] > 0 and "61 days" in grepped["items"][0]["content"]
    assert read["content"].startswith("Outage report")


def test_failed_calls_are_results_too(llm, llm_docs, stub):
    stub.play(stub_llm.calls(("no_such_tool", {"x": 1}), ("read_file", {"file": "nothing.txt"}),
                             ("retrieve", {}),
                             ("grep_file", {"file": "outages.txt", "pattern": "(", "regex": True})),
              stub_llm.text("I could not find it."))
    turn = llm.ask(llm.session(llm_docs.id), ASK, [])
    results = turn.of("tool_result")
    assert len(results) == 4
    assert all("error" in r["result"] for r in results), results
    assert not turn.stop["is_error"]


def test_arguments_that_are_no_json(llm, llm_docs, stub):
    stub.play(stub_llm.calls(("retrieve", '{"query": "out')), stub_llm.text("No."))
    turn = llm.ask(llm.session(llm_docs.id), ASK, [])
    assert isinstance(turn.of("tool_call")[0]["arguments"], dict)
    assert "error" in turn.of("tool_result")[0]["result"]


def test_other_indexes_stay_out_of_reach(llm, llm_docs, stub):
    _, _, other = llm.build({"secret.txt": b"The vault number is 8131."})
    secret = llm.find(other["id"])[0]["file_id"]
    stub.play(stub_llm.calls(("retrieve", {"query": "vault number", "index_ids": [other["id"]]}),
                             ("read_file", {"file": secret, "index_id": other["id"]}),
                             ("read_file", {"file": "secret.txt"}),
                             ("find_files", {"index_id": other["id"]})),
              stub_llm.text("Nothing."))
    turn = llm.ask(llm.session(llm_docs.id), "What is the vault number?", [])
    assert "8131" not in str(turn.events)
    told = [e["result"] for e in turn.of("tool_result")]
    assert "secret.txt" not in str(told[0]) + str(told[3]) and "error" in told[1] and "error" in told[2]
    assert "8131" not in str(stub.requests)


def test_thinking(llm, llm_docs, stub):
    stub.play(stub_llm.reasoning("Let me look at the plants first.", "It is Elm Street."))
    turn = llm.ask(llm.session(llm_docs.id), ASK, [])
    assert [e["content"] for e in turn.of("thinking")] == ["Let me look at the plants first."]
    assert turn.text == "It is Elm Street."


def test_thinking_before_a_call(llm, llm_docs, stub):
    stub.play(stub_llm.calls(("retrieve", {"query": "outage"}), thinking="Search.", before="Let me see."),
              stub_llm.text("Elm Street [1]."))
    turn = llm.ask(llm.session(llm_docs.id), ASK, [])
    kinds = [e["type"] for e in turn.events if not e["type"].endswith("_delta")]
    assert kinds == ["user_input", "thinking", "text", "tool_call", "tool_result", "text", "stop"]
    assert "citations" not in turn.texts[0] or turn.texts[0]["citations"] == []


def test_invented_markers_are_removed(llm, llm_docs, stub):
    stub.play(searches(), stub_llm.text("Elm Street [1] and Mars [97], [98][1]."))
    turn = llm.ask(llm.session(llm_docs.id), ASK, [])
    assert "[97]" not in turn.text and "[98]" not in turn.text and "[1]" in turn.text
    assert all("[97]" not in e["content"] for e in turn.of("text_delta"))


def test_markers_cut_over_deltas(llm, llm_docs, stub):
    stub.play(searches(), stub_llm.text("Elm Street plant, 61 days [1]. Fine.", size=1))
    turn = llm.ask(llm.session(llm_docs.id), ASK, [])
    assert "[1]" in turn.text and turn.citations


def test_an_answer_without_support_says_so(llm, llm_docs, stub):
    stub.play(searches(), stub_llm.text("The moon is made of 99 cheeses [1]."))
    turn = llm.ask(llm.session(llm_docs.id), ASK, [])
    assert all(c["support"] == "none" for c in turn.citations) or turn.grounding != "answered"


def test_unicode_split_over_deltas(llm, llm_docs, stub):
    words = "Zoë 🦙 灯塔 \u0001 \"quoted\" \\ back\nnew line\tتم"
    stub.play(stub_llm.text(words, size=1))
    turn = llm.ask(llm.session(llm_docs.id), "Say it", [])
    assert "Zoë 🦙 灯塔" in turn.text and "new line" in turn.text


def test_a_conversation_is_context(llm, llm_docs, stub):
    session = llm.session(llm_docs.id)
    stub.play(searches(), stub_llm.text("Elm Street [1]."))
    llm.ask(session, ASK, [])
    stub.play(stub_llm.text("Sixty-one days."))
    llm.ask(session, "How long was it?", [])
    sent = stub.requests[-1]["messages"]
    said = [m for m in sent if m["role"] == "user"]
    assert ASK in str(said[0]) and "How long was it?" in str(said[-1])
    assert any(m["role"] == "assistant" and "Elm Street" in str(m["content"]) for m in sent)
    roles = [m["role"] for m in sent]
    assert roles[0] == "system"


def test_no_usage_means_null(llm, llm_docs, stub):
    stub.play(stub_llm.text("Fine.", usage=False))
    turn = llm.ask(llm.session(llm_docs.id), "Hello", [])
    assert turn.stop["usage"]["total_input_tokens"] is None
    assert turn.stop["usage"]["turns"] == 1


@pytest.mark.parametrize("name, play", [
    ("no DONE", stub_llm.text("Whole answer.", done=False)),
    ("one JSON body", stub_llm.whole("Whole answer.")),
    ("no finish reason", stub_llm.Play([stub_llm.chunk({"content": "Whole answer."}), ("done",)])),
    ("comments", stub_llm.Play([("raw", b": ping\n\n: OPENROUTER PROCESSING\r\n\r\n"),
                                stub_llm.chunk({"content": "Whole answer."}),
                                stub_llm.chunk({}, "stop"), ("done",)])),
    ("no space", stub_llm.Play([("raw", b'data:{"choices":[{"index":0,"delta":{"content":"Whole '
                                        b'answer."},"finish_reason":"stop"}]}\r\n\r\n'),
                                ("done",)])),
    ("two DONE", stub_llm.Play(stub_llm.text("Whole answer.").steps
                               + [("done",), ("raw", b"x\n\n")])),
])
def test_odd_but_whole_answers(llm, llm_docs, stub, name, play):
    stub.play(play)
    turn = llm.ask(llm.session(llm_docs.id), "Hello", [])
    assert turn.text == "Whole answer." and not turn.stop["is_error"]


@pytest.mark.parametrize("name, plays", [
    ("refused", [stub_llm.error(400, "scripted refusal")] * 6),
    ("bad key", [stub_llm.error(401, "scripted refusal")]),
    ("broken for good", [stub_llm.error(500)] * 6),
    ("garbage", [stub_llm.garbage()] * 6),
    ("html", [stub_llm.Play([("raw", b"<html>502</html>")], headers={"Content-Type": "text/html"},
                            stream=False)] * 6),
    ("error in the stream", [stub_llm.Play([
        ("raw", b'data: {"error":{"message":"scripted refusal","code":400}}\n\n'), ("done",)])] * 6),
])
def test_failures_end_in_one_error_stop(llm, llm_docs, stub, name, plays):
    session = llm.session(llm_docs.id)
    stub.play(*plays)
    turn = llm.ask(session, "Hello", [])
    assert turn.stop["is_error"] and turn.stop["error"]
    if "refus" in name or "error in" in name:
        assert "scripted refusal" in turn.stop["error"]
    stub.reset()
    stub.play(stub_llm.text("Back again."))
    assert llm.ask(session, "Hello again", []).text == "Back again.", "the session stays usable"


def test_a_cut_answer_keeps_what_was_said(llm, llm_docs, stub):
    go = stub.hold()
    stub.play(stub_llm.cut("Half an answer was ", go))
    stream = llm.open_turn(llm.session(llm_docs.id), "Hello")
    stream.until("text_delta")
    go.set()
    turn = Turn(stream.rest())
    assert turn.stop["is_error"]
    assert turn.text.startswith("Half an answer was")
    assert len(stub.requests) == 1, "no second try after text was shown"


def test_busy_then_well(llm, llm_docs, stub):
    stub.play(stub_llm.error(429, headers={"Retry-After": "0"}), stub_llm.error(500),
              stub_llm.text("Third time lucky."))
    turn = llm.ask(llm.session(llm_docs.id), "Hello", [])
    assert turn.text == "Third time lucky." and not turn.stop["is_error"]
    assert len(stub.requests) == 3


def test_no_endless_loop(llm, llm_docs, stub):
    stub.play(*[searches("query %d" % i) for i in range(40)])
    turn = llm.ask(llm.session(llm_docs.id), ASK, [])
    assert len(stub.requests) <= 12
    assert turn.stop["usage"]["turns"] <= 12


def test_a_dead_endpoint(fresh):
    server = fresh("--llm-url", "http://127.0.0.1:9/v1", "--llm-model", "m")
    api = Api(server)
    _, _, index = api.build({"a.txt": b"Some words."})
    turn = api.ask(api.session(index["id"]), "Hello", [])
    assert turn.stop["is_error"] and turn.stop["error"]


# ------------------------------------------------------ while a turn is running
@pytest.fixture
def running(llm, llm_docs, stub):
    """A turn that stands still after its first delta, until `go` is set."""
    session = llm.session(llm_docs.id)
    go = stub.hold()
    stub.play(stub_llm.held(go))
    stream = llm.open_turn(session, "Hold on")
    assert stream.until("text_delta")
    yield session, stream, go
    go.set()


def test_one_turn_per_session(llm, llm_docs, stub, running):
    session, stream, go = running
    answer = llm.open_turn(session, "Me too", expect=409)
    assert answer.headers["x-should-retry"] == "false"
    other = llm.session(llm_docs.id)
    stub.play(stub_llm.text("Other sessions run."))
    assert llm.ask(other, "Hello", []).text == "Other sessions run."
    go.set()
    turn = llm.finish(stream, session, "Hold on")
    assert turn.text == "The first half, and the second half."
    events = llm.history(session).json["events"]
    assert [e["type"] for e in events] == ["user_input", "text", "stop"]


def test_get_during_a_turn(llm, running):
    session, stream, go = running
    shown = llm.history(session).json
    assert [e["type"] for e in shown["events"]] == ["user_input"]
    assert shown["job_metadata"] is None
    go.set()
    llm.finish(stream, session, "Hold on")


def test_headers_leave_before_the_model_works(llm, llm_docs, stub):
    go = stub.hold()
    stub.play(stub_llm.Play([("wait", go)] + stub_llm.text("Late.").steps))
    begun = time.monotonic()
    session = llm.session(llm_docs.id)
    stream = llm.open_turn(session, "Hello")
    assert stream.next().type == "user_input"
    assert time.monotonic() - begun < 2
    go.set()
    llm.finish(stream, session, "Hello")


def test_cancel(llm, running, stub):
    session, stream, go = running
    summary = llm.cancel(session)
    assert summary["job_metadata"]["is_error"] and summary["job_metadata"]["error"] == "cancelled"
    turn = llm.finish(stream, session, "Hold on")
    assert turn.stop["error"] == "cancelled" and turn.text.startswith("The first half,")
    before = llm.history(session).body
    llm.cancel(session)
    assert llm.history(session).body == before, "cancelling twice changes nothing"
    go.set()
    stub.reset()
    stub.play(stub_llm.text("Free again."))
    assert llm.ask(session, "Hello", []).text == "Free again."


def test_cancel_of_nothing(llm, llm_docs):
    session = llm.session(llm_docs.id)
    assert llm.cancel(session) == llm.summary(session)
    assert llm.history(session).json["events"] == []


def test_cancel_before_the_first_token(llm, llm_docs, stub):
    go = stub.hold()
    stub.play(stub_llm.Play([("wait", go)]))
    session = llm.session(llm_docs.id)
    stream = llm.open_turn(session, "Hello")
    stream.next()
    llm.cancel(session)
    turn = llm.finish(stream, session, "Hello")
    assert turn.stop["error"] == "cancelled"


def test_delete_stops_the_turn(llm, running):
    session, stream, go = running
    llm.delete("/api/v1/chat/" + session)
    frames = stream.rest()
    assert frames[-1].type == "stop" and frames[-1].json["is_error"]
    llm.refused("GET", "/api/v1/chat/" + session, 404)


def test_leaving_does_not_cancel(llm, running):
    session, stream, go = running
    stream.close()
    time.sleep(0.1)  # a server that cancels on disconnect would have done so by now
    go.set()
    job = wait_for("the end", lambda: llm.summary(session)["job_metadata"], 10)
    assert not job["is_error"]
    assert llm.history(session).json["events"][1]["content"] == "The first half, and the second half."


def test_a_setting_makes_leaving_cancel(fresh, stub):
    stub.reset()
    server = fresh("--cancel-on-disconnect", "true", *stub.args)
    api = Api(server)
    _, _, index = api.build({"a.txt": b"Some words."})
    go = stub.hold()
    stub.play(stub_llm.held(go))
    session = api.session(index["id"])
    stream = api.open_turn(session, "Hold on", [])
    stream.until("text_delta")
    stream.close()
    job = wait_for("the end", lambda: api.summary(session)["job_metadata"], 10)
    assert job["is_error"] and job["error"] == "cancelled"
    stub.reset()


def test_keep_alives(fresh, stub):
    stub.reset()
    server = fresh("--keep-alive-ms", "50", *stub.args)
    api = Api(server)
    _, _, index = api.build({"a.txt": b"Some words."})
    session = api.session(index["id"])
    go = stub.hold()
    stub.play(stub_llm.held(go))
    stream = api.open_turn(session, "Hold on", [])
    threading.Timer(0.6, go.set).start()
    api.finish(stream, session, "Hold on")
    assert len(stream.comments) >= 3
    assert set(stream.comments) == {": keep-alive"}
    # One line without a blank line after it: what follows is another comment or a frame.
    for before, after in zip(stream.raw_lines, stream.raw_lines[1:]):
        if before.startswith(":"):
            assert after.startswith(":") or after.startswith("id: "), (before, after)


def test_turns_at_once_are_limited(fresh, stub):
    stub.reset()
    server = fresh("--max-turns", "2", *stub.args)
    api = Api(server)
    _, _, index = api.build({"a.txt": b"Some words."})
    go = stub.hold()
    stub.play(*[stub_llm.held(go) for _ in range(2)])
    sessions = [api.session(index["id"]) for _ in range(3)]
    streams = [api.open_turn(s, "Hold on", []) for s in sessions[:2]]
    for stream in streams:
        stream.until("text_delta")
    before = api.history(sessions[2]).body
    answer = api.open_turn(sessions[2], "Me too", [], expect=429)
    assert answer.headers.get("retry-after") or answer.headers.get("retry-after-ms")
    assert api.history(sessions[2]).body == before
    go.set()
    for stream, session in zip(streams, sessions):
        api.finish(stream, session, "Hold on")
    assert not api.ask(sessions[2], "Now me", []).stop["is_error"]
    stub.reset()


def test_a_turn_has_a_deadline(fresh, stub):
    stub.reset()
    server = fresh("--turn-deadline-ms", "1000", *stub.args)
    api = Api(server)
    _, _, index = api.build({"a.txt": b"Some words."})
    go = stub.hold()
    stub.play(stub_llm.held(go))
    session = api.session(index["id"])
    begun = time.monotonic()
    turn = api.ask(session, "Hold on", [])
    assert turn.stop["is_error"] and 0.8 < time.monotonic() - begun < 6
    assert turn.text.startswith("The first half,")
    stub.reset()


def test_the_provider_key_is_in_no_log_and_no_error(llm_server, llm, llm_docs, stub):
    stub.play(stub_llm.error(401, "Incorrect API key provided: stub-key"))
    turn = llm.ask(llm.session(llm_docs.id), "Hello", [])
    assert turn.stop["is_error"]
    assert "stub-key" not in turn.stop["error"]
    assert "stub-key" not in llm_server.log()
