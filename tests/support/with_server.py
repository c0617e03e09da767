"""Run a program beside a fresh server: `with_server.py [--listen A:P] -- PROGRAM ARGS...`.

The program finds in its environment CRIA_TEST_URL (no keys, answers are extractive),
CRIA_TEST_LLM_URL (the same with the scripted model; say `scenario:slow` or `scenario:error` in a
prompt), CRIA_TEST_KEYED_URL with CRIA_TEST_KEY, CRIA_TEST_READ_KEY and CRIA_TEST_OTHER_PROJECT, and
CRIA_TEST_PROXY_URL, a proxy before the first one that takes faults (see fault_proxy.py). The exit
code is the program's.
"""

import os
import subprocess
import sys

from cria_server import Server
from fault_proxy import FaultProxy
from stub_llm import StubLlm


def main(arguments):
    cut = arguments.index("--")
    options, program = arguments[:cut], arguments[cut + 1:]
    listen = options[options.index("--listen") + 1] if "--listen" in options else "127.0.0.1:0"
    stub = StubLlm()
    with Server(listen=listen) as plain, Server(*stub.args) as modelled, Server() as keyed:
        other = keyed.make_project("other")
        proxy = FaultProxy(plain.host, plain.port)
        env = dict(
            os.environ,
            CRIA_TEST_URL=plain.url,
            CRIA_TEST_LLM_URL=modelled.url,
            CRIA_TEST_KEYED_URL=keyed.url,
            CRIA_TEST_KEY=keyed.make_key("test"),
            CRIA_TEST_READ_KEY=keyed.make_key("read", "--read-only"),
            CRIA_TEST_OTHER_PROJECT=other,
            CRIA_TEST_PROXY_URL=proxy.url,
        )
        code = subprocess.call(program, env=env)
        for server in (plain, modelled, keyed):
            if not server.is_alive():
                sys.stderr.write("a server died:\n" + server.log()[-4000:])
                code = code or 1
        proxy.close()
        stub.close()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
