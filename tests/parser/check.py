"""Real documents through the parser programs: each must give the phrases its row of index.tsv names.

The documents are nobody's on this project, so they are not in the repository; CRIA_SHARED_DATA names
their folder (../shared/data beside the checkout). The samples of the repository are always checked.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("CRIA_BIN_DIR") or ROOT / "build-dev" / "bin")
SHARED = Path(os.environ.get("CRIA_SHARED_DATA") or ROOT.parent / "shared" / "data")
FORMATS = {"pdf", "docx", "html", "md", "txt", "csv", "json"}

SAMPLES = {
    "operating-handbook.pdf": ["no train runs above High Larches", "founded in 1987 by 212 households"],
    "maintenance-report-2025.docx": ["railcar"],
    "visitor-faq.html": ["?"],
    "board-minutes-2026-03.md": ["# "],
    "fares.txt": ["fare"],
    "timetable.csv": ["Alderbrook"],
}
# What must not come out, or must come out as a refusal, whatever else does.
HIDDEN = {"galaxy_gaming_10k.html": ["0.6112 0.7098"]}
REFUSED = {"medical_report_scan.pdf": "has no text"}


def fold(text):
    return re.sub(r"\s+", " ", text)


def parse(path):
    program = "cria-pdf" if path.suffix == ".pdf" else "cria-parse"
    done = subprocess.run([BIN / program, "--text", path], capture_output=True, timeout=60)
    return done.returncode, fold(done.stdout.decode("utf-8")), done.stderr.decode("utf-8", "replace")


def check(path, phrases, hidden=(), refusal=None):
    code, text, said = parse(path)
    if refusal:
        return [] if code != 0 and refusal in said else ["%s was not refused: %s" % (path.name, said)]
    if code != 0:
        return ["%s: exit %d: %s" % (path.name, code, said.strip())]
    wrong = ["%s lacks %r" % (path.name, p) for p in phrases if fold(p) not in text]
    return wrong + ["%s shows %r" % (path.name, p) for p in hidden if fold(p) in text]


def main():
    cases = [(ROOT / "samples" / name, phrases) for name, phrases in SAMPLES.items()]
    skipped = 0
    index = SHARED / "documents" / "index.tsv"
    if index.exists():
        for line in index.read_text("utf-8").splitlines()[1:]:
            row = line.split("\t")
            if row[1] in FORMATS:
                cases.append((index.parent / row[0], [p for p in row[5].split(" || ") if p]))
    else:
        skipped = 1
        print("skipped: the documents of %s are not here (CRIA_SHARED_DATA)" % index.parent)
    failed = 0
    for path, phrases in cases:
        wrong = check(path, phrases, HIDDEN.get(path.name, ()), REFUSED.get(path.name))
        failed += bool(wrong)
        for one in wrong:
            print("not ok: " + one)
    print("parser: %d passed, %d failed, %d skipped" % (len(cases) - failed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
