#!/usr/bin/env python3
"""abi.py [--write] LIBRARY - libcria's binary interface beside abi.txt, which is what it was.

In abi.txt: each exported symbol as `nm` tells it, each declaration of the headers, and what the
compiler makes of them: enumerators, sizes of structs, offsets of members (on machines with 64-bit
longs and pointers). A program that was compiled earlier must go on working, so: what is there stays
as it is; an addition is written down with --write, in the commit that makes it.
"""

import difflib
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parents[2] / "sdk" / "include"
BASELINE = HERE / "abi.txt"


def code(name):
    text = (INCLUDE / "cria" / name).read_text("utf-8")
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r"^\s*#.*(?:\\\n.*)*", "", text, flags=re.M)


def members(body):
    """Names of a struct's members; function pointers too."""
    for line in body.split(";"):
        line = " ".join(line.split())
        pointer = re.search(r"\(\*(\w+)\)\(", line)
        if pointer:
            yield pointer.group(1)
        elif line:
            for one in line.split(","):
                yield re.search(r"(\w+)\s*(?:\[[^\]]*\])?$", one.strip()).group(1)


def layout(text):
    """A program that prints what the compiler makes of the headers."""
    lines = []
    for name, body in re.findall(r"\bstruct (\w+) \{(.*?)\n\};", text, flags=re.S):
        lines.append('printf("struct %s size %%zu\\n", sizeof(struct %s));' % (name, name))
        for member in members(body):
            lines.append('printf("struct %s.%s at %%zu, size %%zu\\n", offsetof(struct %s, %s), sizeof(((struct %s *)0)->%s));'
                         % (name, member, name, member, name, member))
    for name, body in re.findall(r"\benum (\w+) \{(.*?)\}", text, flags=re.S):
        for one in re.findall(r"\b(CRIA_\w+)", body):
            lines.append('printf("enum %s %s = %%d\\n", (int)%s);' % (name, one, one))
    return "#include <cria/cria.h>\n#include <stdio.h>\nint main(void) {\n%s\nreturn 0;\n}\n" % "\n".join(lines)


def now(library):
    text = code("cria.h") + code("api.h")
    out = []
    for line in subprocess.check_output(["nm", "-D", "--defined-only", library], text=True).splitlines():
        kind, name = line.split()[1:3]
        if not name.startswith("CRIA_"):
            out.append("symbol %s %s" % ("function" if kind == "T" else "data", name.replace("@@", " ")))
    for declaration in re.findall(r"CRIA_API ([^;]*);", text):
        out.append("declared " + " ".join(declaration.split()))
    if struct.calcsize("l") == 8 and struct.calcsize("P") == 8:
        with tempfile.TemporaryDirectory() as place:
            source, program = Path(place) / "abi.c", Path(place) / "abi"
            source.write_text(layout(text))
            subprocess.check_call(["cc", "-std=c17", "-I", str(INCLUDE), "-o", str(program), str(source)])
            out += subprocess.check_output([str(program)], text=True).splitlines()
    return sorted(out)


def main():
    words = [w for w in sys.argv[1:] if w != "--write"]
    found = now(words[0])
    if "--write" in sys.argv:
        BASELINE.write_text("\n".join(found) + "\n", "utf-8")
        return 0
    known = BASELINE.read_text("utf-8").splitlines()
    if not any(line.startswith("struct ") for line in found):
        known = [line for line in known if not line.startswith(("struct ", "enum "))]
    for line in difflib.unified_diff(known, found, "abi.txt", "the library", lineterm="", n=0):
        print(line)
    return 0 if known == found else 1


if __name__ == "__main__":
    sys.exit(main())
