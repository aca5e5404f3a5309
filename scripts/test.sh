#!/bin/bash
# Sets everything up and runs the tests.
#   bash scripts/test.sh                what takes minutes at most
#   bash scripts/test.sh --all          the slow tests too
#   bash scripts/test.sh --python 3.13  with that Python, in .venv-3.13
#   bash scripts/test.sh --cov          and says how much of the package they ran
#   bash scripts/test.sh ARGUMENTS      anything that pytest takes: -k freeze, tests/network
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh
version="" selection=(-m "not slow")
while [ $# -gt 0 ]; do
    case "$1" in
    --all) selection=() ;;
    --python)
        version="${2:-}"
        if ! [[ "$version" =~ ^3\.[0-9]+$ ]]; then
            echo "error: --python takes a version, as in 3.13, but got '$version'" >&2
            exit 2
        fi
        shift
        ;;
    *) break ;;
    esac
    shift
done
prepare_environment "dev" "$version"
export TF_CPP_MIN_LOG_LEVEL=3
exec python -m pytest -n auto --dist loadfile ${selection[@]+"${selection[@]}"} "$@"
