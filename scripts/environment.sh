# Sourced by demo.sh and test.sh: an environment with qap and the extras that were asked for.
#
# Uses the active virtual environment, else .venv in the checkout; with a version of Python, .venv-VERSION
# whatever is active. What is missing is made.
# Installs with the exact versions of constraints.txt, and only when something has changed since.

prepare_environment() { # EXTRAS, as in dev or train,hls,report; [VERSION of Python, as in 3.13]
    local extras="$1" version="${2:-}" stamp wanted
    if [ -n "$version" ]; then
        use_environment ".venv-$version" "python$version"
    elif [ -z "${VIRTUAL_ENV:-}" ]; then
        use_environment .venv python3 python3.13 python3.12 python3.11
    fi
    stamp="$VIRTUAL_ENV/.qap-installed-${extras//,/-}"
    wanted="$(cat pyproject.toml constraints.txt | cksum) $PWD"
    if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
        echo "Installing qap with $extras into $VIRTUAL_ENV (a few minutes the first time) ..." >&2
        python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$extras]"
        echo "$wanted" >"$stamp"
    fi
}

use_environment() { # FOLDER PYTHON...
    [ -x "$1/bin/python" ] || make_environment "$@"
    . "$1/bin/activate"
}

make_environment() { # FOLDER PYTHON...: with the first Python that will do
    local folder="$1" python
    shift
    for python in "$@"; do
        if run_python "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            if run_python "$python" -m venv "$folder"; then
                return
            fi
            rm -rf "$folder"
            echo "error: $python cannot make a virtual environment; its venv module is missing" >&2
            exit 2
        fi
    done
    echo "error: qap needs Python 3.11, 3.12 or 3.13, and found none (tried $*); install one of them" >&2
    exit 2
}

run_python() { # PYTHON ARGUMENT...: pyenv runs one that is not its default only when it is named
    case "$1" in
    python3.*) PYENV_VERSION="${1#python}" "$@" ;;
    *) "$@" ;;
    esac
}
