"""Run the README's own examples as they are written there.

A block is a fenced code block after a line `<!-- test:curl -->`, `<!-- test:python -->` or
`<!-- test:typescript -->`; all blocks of one kind are one program, in their order. They are run
against a fresh server on the README's address with no key, in a folder that has `samples/` of the
repository. What the README has not got is skipped with that reason.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from cria_server import ROOT, Server  # noqa: E402

ADDRESS = "127.0.0.1:8484"
BLOCK = re.compile(r"<!--\s*test:([a-z]+)\s*-->\s*\n```[^\n]*\n(.*?)\n```", re.S)
SECONDS = 180


def port_is_free():
    host, port = ADDRESS.split(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return False
    return True


def command(kind, text, folder):
    """How to run a block, or the reason why it cannot be."""
    if kind == "curl":
        if not shutil.which("curl"):
            return "there is no curl"
        (folder / "block.sh").write_text(text + "\n", "utf-8")
        return ["sh", "-eu", "block.sh"]
    if kind == "python":
        python = ROOT / ".tests" / "venv-sdk-python" / "bin" / "python"
        if not python.exists():
            return "tests/sdk/python/run has not installed the SDK"
        (folder / "block.py").write_text(text + "\n", "utf-8")
        return [str(python), "block.py"]
    if kind == "typescript":
        modules = ROOT / ".tests" / "sdk-typescript" / "node_modules"
        if not modules.exists():
            return "tests/sdk/typescript/run has not installed the SDK"
        os.symlink(modules, folder / "node_modules")
        (folder / "block.mjs").write_text(text + "\n", "utf-8")
        return ["node", "block.mjs"]
    return "no test runs blocks of this kind"


def run(kind, text):
    """None when it went well, else what is wrong; ("skip", reason) when it was not run."""
    folder = Path(tempfile.mkdtemp(prefix="cria-readme-"))
    try:
        os.symlink(ROOT / "samples", folder / "samples")
        line = command(kind, text, folder)
        if isinstance(line, str):
            return ("skip", line)
        with Server(listen=ADDRESS):
            env = dict(os.environ, LLAMA_CLOUD_API_KEY="any", CRIA_URL="http://" + ADDRESS)
            done = subprocess.run(line, cwd=folder, env=env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
        out = done.stdout.decode("utf-8", "replace")
        if done.returncode != 0:
            return "exit %d\n%s" % (done.returncode, out[-3000:])
        if not re.search(r"ses-[0-9a-f-]{36}", out):
            return "it printed no session id:\n" + out[-3000:]
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    readme = ROOT / "README.md"
    text = readme.read_text("utf-8") if readme.exists() else ""
    blocks = {}
    for kind, body in BLOCK.findall(text):
        blocks.setdefault(kind, []).append(body)
    passed = failed = skipped = 0
    known = ["curl", "python", "typescript"]
    for kind in known + sorted(set(blocks) - set(known)):
        if kind not in blocks:
            print("skipped: README.md has no block marked test:%s" % kind)
            skipped += 1
        elif not port_is_free():
            print("skipped: %s: %s is in use" % (kind, ADDRESS))
            skipped += 1
        else:
            problem = run(kind, "\n".join(blocks[kind]))
            if isinstance(problem, tuple):
                print("skipped: %s: %s" % (kind, problem[1]))
                skipped += 1
            elif problem:
                print("failed: the README's %s example: %s" % (kind, problem))
                failed += 1
            else:
                print("ok: the README's %s example" % kind)
                passed += 1
    print("readme: %d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
