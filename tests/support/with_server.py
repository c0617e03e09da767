"""Run a program beside a fresh server: `with_server.py [--listen A:P] -- PROGRAM ARGS...`.

The program finds in its environment CRIA_TEST_URL (no keys, answers are extractive),
CRIA_TEST_LLM_URL (the same with the scripted model; say `scenario:slow` or `scenario:error` in a
prompt), CRIA_TEST_KEYED_URL with CRIA_TEST_KEY, CRIA_TEST_READ_KEY and CRIA_TEST_OTHER_PROJECT, and
CRIA_TEST_PROXY_URL, a proxy before the first one that takes faults (see fault_proxy.py). Where there is
openssl, CRIA_TEST_TLS_URL is the same with TLS, by a certificate of its own, CRIA_TEST_CA. The exit code is
the program's.
"""

import os
import shutil
import subprocess
import sys
import tempfile

from cria_server import Server
from fault_proxy import FaultProxy
from stub_llm import StubLlm


def make_certificate(folder):
    """A PEM file with a certificate for 127.0.0.1 that signs itself, and its key; None without openssl."""
    if not shutil.which("openssl"):
        return None
    file = os.path.join(folder, "own.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=cria test", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", file + ".key", "-out", file], check=True, capture_output=True)
    with open(file) as certificate, open(file + ".key") as key, open(file + ".both", "w") as both:
        both.write(key.read() + certificate.read())
    return file


def main(arguments):
    cut = arguments.index("--")
    options, program = arguments[:cut], arguments[cut + 1:]
    listen = options[options.index("--listen") + 1] if "--listen" in options else "127.0.0.1:0"
    stub = StubLlm()
    with tempfile.TemporaryDirectory() as folder, Server(listen=listen) as plain, Server(*stub.args) as modelled, Server() as keyed:
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
        certificate = make_certificate(folder)
        secure = FaultProxy(plain.host, plain.port, certificate + ".both") if certificate else None
        if secure:
            env.update(CRIA_TEST_TLS_URL=secure.url, CRIA_TEST_CA=certificate)
        code = subprocess.call(program, env=env)
        for server in (plain, modelled, keyed):
            if not server.is_alive():
                sys.stderr.write("a server died:\n" + server.log()[-4000:])
                code = code or 1
        proxy.close()
        if secure:
            secure.close()
        stub.close()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
