# Sourced by demo.sh and test.sh: an environment with qap and the extras that were asked for.
#
# Uses the active virtual environment, else .venv in the checkout, which is made when there is none.
# Installs with the exact versions of constraints.txt, and only when something has changed since.

prepare_environment() { # EXTRAS, as in dev or train,hls,report
    local extras="$1" stamp wanted
    if [ -z "${VIRTUAL_ENV:-}" ]; then
        [ -x .venv/bin/python ] || make_environment
        . .venv/bin/activate
    fi
    stamp="$VIRTUAL_ENV/.qap-installed-${extras//,/-}"
    wanted="$(cat pyproject.toml constraints.txt | cksum) $PWD"
    if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
        echo "Installing qap[$extras] into $VIRTUAL_ENV (a few minutes the first time) ..." >&2
        python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$extras]"
        echo "$wanted" >"$stamp"
    fi
}

make_environment() {
    local python
    for python in python3 python3.13 python3.12 python3.11; do
        if command -v "$python" >/dev/null &&
            "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; then
            if "$python" -m venv .venv; then
                return
            fi
            rm -rf .venv
            echo "error: $python cannot make a virtual environment; its venv module is missing" >&2
            exit 2
        fi
    done
    echo "error: qap needs Python 3.11, 3.12 or 3.13, and found none of them" >&2
    exit 2
}
