# venv.sh - sourced by the run scripts: make_venv NAME PACKAGE... gives a virtual environment under
# .tests/ with these packages, made once and kept; sets PYTHON. pytest_run LABEL ARGS... runs pytest
# and prints the closing line `LABEL: N passed, N failed, N skipped`; its status is pytest's verdict.
# Wants $root, the top of the checkout.

make_venv() {
    venv=$root/.tests/venv-$1
    shift
    PYTHON=$venv/bin/python
    stamp="$venv/.packages"
    if [ ! -x "$PYTHON" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$*" ]; then
        mkdir -p "$root/.tests"
        rm -rf "$venv"
        if ! python3 -m venv "$venv"; then
            echo "python3 cannot make a virtual environment (on Debian: python3-venv)" >&2
            return 1
        fi
        "$PYTHON" -m pip install --quiet --disable-pip-version-check "$@" || {
            rm -rf "$venv"
            return 1
        }
        echo "$*" >"$stamp"
    fi
}

pytest_run() {
    label=$1
    shift
    CRIA_COUNTS=$root/.tests/counts-$label
    export CRIA_COUNTS
    rm -f "$CRIA_COUNTS"
    PYTHONPATH=$root/tests/support${PYTHONPATH:+:$PYTHONPATH}
    PYTHONDONTWRITEBYTECODE=1
    export PYTHONPATH PYTHONDONTWRITEBYTECODE
    status=0
    "$PYTHON" -m pytest -p pytest_counts -p no:cacheprovider "$@" || status=$?
    if [ -s "$CRIA_COUNTS" ]; then
        echo "$label: $(cat "$CRIA_COUNTS")"
    else
        echo "$label: 0 passed, 1 failed, 0 skipped"
        status=1
    fi
    [ "$status" -eq 0 ] || return 1
}
