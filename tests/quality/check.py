"""Search quality against the least that is accepted; bench/quality measures.

The small collection beside this file is always asked. CRIA_SHARED_DATA names the folder of the public
collections (../shared/data beside the checkout); without it those are skipped. The limits lie a
little under what docs/search.md tells.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("CRIA_BIN_DIR") or ROOT / "build-dev" / "bin").parent
SHARED = Path(os.environ.get("CRIA_SHARED_DATA") or ROOT.parent / "shared" / "data")

# table: {collection: {column: at least}}
SMALL = {"Documents": {"small": {"nDCG@10": 0.98, "MRR@10": 0.975, "R@100": 1,
                                 "nDCG@10 with a slip": 0.965}}}
PUBLIC = {
    "Documents": {
        "cranfield": {"nDCG@10": 0.54, "R@100": 0.76, "nDCG@10 with a slip": 0.525},
        "medline": {"nDCG@10": 0.755, "R@100": 0.82, "nDCG@10 with a slip": 0.74},
        "adi": {"nDCG@10": 0.49, "R@100": 0.95, "nDCG@10 with a slip": 0.48},
        "anthropic-docs": {"nDCG@10": 0.795, "R@100": 0.96, "nDCG@10 with a slip": 0.79},
        "xquad-en": {"nDCG@10": 0.975, "R@100": 0.995, "nDCG@10 with a slip": 0.966},
        "xquad-de": {"nDCG@10": 0.968, "R@100": 0.99, "nDCG@10 with a slip": 0.962},
        "xquad-es": {"nDCG@10": 0.97, "R@100": 0.99, "nDCG@10 with a slip": 0.961},
        "xquad-zh": {"nDCG@10": 0.965, "R@100": 0.99},
        "xquad-ar": {"nDCG@10": 0.95, "R@100": 0.99},
        "covid-qa": {"nDCG@10": 0.845, "R@100": 0.99, "nDCG@10 with a slip": 0.83},
    },
    "Passages": {
        "chunk-eval": {"hit@5": 0.95, "answer in 5": 0.93, "answer in 10": 0.96},
        "covid-qa": {"hit@5": 0.795, "answer in 5": 0.78, "answer in 10": 0.85},
    },
    "Answers without a model": {
        "xquad-en": {"first sentence": 0.765, "one of three": 0.915},
        "xquad-de": {"first sentence": 0.72, "one of three": 0.875},
    },
}
# Questions that are answered, strong or weak, with the article of their answer withheld: at most.
WITHHELD = {"xquad-en": 0.09, "xquad-de": 0.09}
# What is asked together with others may lose: (column alone, column together, at most).
TOGETHER = {"xquad-en, cut in ten": ("R@1 alone", "R@1 together", 0.01),
            "xquad-de, half English": ("nDCG@10 alone", "nDCG@10 together", 0.008),
            "xquad-de, 3/4 English": ("nDCG@10 alone", "nDCG@10 together", 0.012)}


def measure(folder, sets):
    """{table: {collection: {column: figure}}}"""
    done = subprocess.run([BUILD / "tests" / "quality", str(folder), *sets], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, timeout=1500, check=True)
    print(done.stdout, end="")
    tables, title, head = {}, None, None
    for line in done.stdout.splitlines():
        fields = [field.strip() for field in line.strip("|").split("|")]
        if line and not line.startswith("|"):
            title, head = line, None
        elif line and head is None:
            head = fields
        elif line and not fields[0].startswith("---"):
            # "plain" stands behind each figure that it is the baseline of
            row = {name: value for name, value in zip(head, fields) if name != "plain"}
            tables.setdefault(title, {})[fields[0]] = row
    return tables


def check_least(tables, limits):
    checks = []
    for title, sets in limits.items():
        for name, least in sets.items():
            row = tables.get(title, {}).get(name, {})
            for column, limit in least.items():
                found = row.get(column, "missing")
                good = found not in ("missing", "-") and float(found) >= limit
                checks.append(("%s: %s %s, at least %s" % (name, column, found, limit), good))
    return checks


def check_public(tables):
    checks = check_least(tables, PUBLIC)
    for name, most in WITHHELD.items():
        row = tables.get("Answers without a model", {}).get(name, {})
        sum_of = float(row.get("withheld: strong", 1)) + float(row.get("withheld: weak", 1))
        checks.append(("%s: withheld and answered %.3f, at most %s" % (name, sum_of, most),
                       sum_of <= most))
    for name, (alone, together, most) in TOGETHER.items():
        row = tables.get("Together", {}).get(name, {})
        loss = float(row.get(alone, 1)) - float(row.get(together, 0))
        checks.append(("%s: %s loses %.3f, at most %s" % (name, alone, loss, most),
                       loss <= most + 1e-9))
    return checks


def main():
    checks = check_least(measure(ROOT / "tests" / "quality", ["small"]), SMALL)
    skipped = 0
    if (SHARED / "xquad-en").exists():
        sets = [name if name in PUBLIC["Answers without a model"] else name + ":documents"
                for name in PUBLIC["Documents"] if name != "covid-qa"] + ["covid-qa", "chunk-eval"]
        checks += check_public(measure(SHARED, sets))
    else:
        print("skipped: the collections of %s are not here (CRIA_SHARED_DATA)" % SHARED)
        skipped = 1
    failed = [what for what, good in checks if not good]
    for what in failed:
        print("not ok: " + what)
    print("quality: %d passed, %d failed, %d skipped" % (len(checks) - len(failed), len(failed),
                                                         skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
