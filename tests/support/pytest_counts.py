"""A pytest plugin: writes `N passed, N failed, N skipped` to the file CRIA_COUNTS names."""

import os


def pytest_terminal_summary(terminalreporter):
    path = os.environ.get("CRIA_COUNTS")
    if not path:
        return
    stats = terminalreporter.stats
    failed = len(stats.get("failed", [])) + len(stats.get("error", []))
    with open(path, "w", encoding="ascii") as out:
        out.write("%d passed, %d failed, %d skipped\n"
                  % (len(stats.get("passed", [])), failed, len(stats.get("skipped", []))))
