"""The coverage table: every operation of the contract and the SDK methods that the tests drove.

Reads what the SDK tests wrote to .tests/coverage/. Fails when an operation of tier `stable` or `ga`
that an SDK offers was not called by each of its names. `--write` renews docs/compatibility.md,
without it the file is only compared.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from contract import ROOT, Contract  # noqa: E402

DOCUMENT = ROOT / "docs" / "compatibility.md"
SDKS = ("python", "typescript")

HEAD = """# Compatibility

Cria answers the LlamaCloud Index, Retrieval and Chat API, so that unmodified LlamaCloud SDKs work
when their base URL points to it. `tests/sdk/` installs the released packages and drives them against
a started server; this page is written by `tests/sdk/coverage.py` from what those tests called, and
the tests fail when it is out of date.

| SDK | version | how it is tested |
| --- | --- | --- |
| Python `llama-cloud` | %(python)s | every method, beta and GA spelling, also with `_strict_response_validation=True` |
| TypeScript `@llamaindex/llama-cloud` | %(typescript)s | every method |
| Go `github.com/run-llama/llama-parse-go` | 1.5.1 | a program, run where the module resolves under the user's own settings |
| Java `ai.llamaindex:llama-cloud` | 1.5.1 | a program, run where the artifact resolves under the user's own settings |

## Pointing a client here

| SDK | base URL | key |
| --- | --- | --- |
| Python | `LlamaCloud(base_url=...)` or `LLAMA_CLOUD_BASE_URL` | `api_key=` or `LLAMA_CLOUD_API_KEY` |
| TypeScript | `new LlamaCloud({ baseURL })` or `LLAMA_CLOUD_BASE_URL` | `apiKey` or `LLAMA_CLOUD_API_KEY` |
| Go | `option.WithBaseURL(...)` | `option.WithAPIKey(...)` |
| Java | `LlamaCloudOkHttpClient.builder().baseUrl(...)` | `.apiKey(...)` |

A server without keys takes any key from its own machine; SDKs want one to be set all the same.

## Reading the stream

The SDKs type the chat stream as plain text or not at all, so each has its own way to read it piece by piece:
Python `client.chat.with_streaming_response.stream(...)` and `iter_lines()`; TypeScript
`client.beta.chat.stream(...).asResponse()` and `response.body`; Go `option.WithResponseBodyInto(&response)`
with `response *http.Response`; Java `client.beta().chat().withRawResponse().stream(...)` and `body()`.
Frames are one `id:`, one `event:` and one `data:` line; what follows `data: ` is one JSON object.
Java ends a call after 60 s in total unless its timeout is raised.

## Operations

A method is listed when a test called it with success. `-`: the SDK has no such method.

| operation | tier | Python | TypeScript |
| --- | --- | --- | --- |
"""


def load(name):
    path = ROOT / ".tests" / "coverage" / (name + ".json")
    if not path.exists():
        sys.exit("no coverage of %s: run tests/sdk/%s/run first" % (name, name))
    return json.loads(path.read_text("utf-8"))


def cell(record, op_id):
    called = record["calls"].get(op_id, [])
    offered = record["offered"].get(op_id, [])
    names = [n for n in offered if n in called]
    return "<br>".join("`%s`" % n[len("client."):] for n in names) or "-"


def main():
    contract = Contract()
    records = {name: load(name) for name in SDKS}
    missing, lines, counts = [], [], {}
    for op in contract.operations.values():
        cells = []
        for name in SDKS:
            record = records[name]
            offered = record["offered"].get(op.id, [])
            called = record["calls"].get(op.id, [])
            if op.tier in ("stable", "ga"):
                missing += ["%s: %s (%s)" % (name, n, op.id) for n in offered if n not in called]
            counts.setdefault(name, [0, 0])
            counts[name][0] += len([n for n in offered if n in called])
            counts[name][1] += len(offered)
            cells.append(cell(record, op.id))
        lines.append("| `%s %s` | %s | %s |" % (op.method, op.path, op.tier, " | ".join(cells)))
    versions = {name: records[name]["sdk"].split()[-1] for name in SDKS}
    text = HEAD % versions + "\n".join(lines) + "\n"
    for line in lines:
        print(line)
    for name, (called, offered) in counts.items():
        print("%s: %d of %d methods called" % (records[name]["sdk"], called, offered))
    for one in missing:
        print("not called: " + one)
    failed = 1 if missing else 0
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(text, "utf-8")
    elif not DOCUMENT.exists() or DOCUMENT.read_text("utf-8") != text:
        print("%s is out of date: tests/sdk/coverage.py --write" % DOCUMENT.relative_to(ROOT))
        failed += 1
    print("sdk-coverage: %d passed, %d failed, 0 skipped" % (2 - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
