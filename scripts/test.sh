#!/bin/bash
# Sets everything up and runs the tests.
#   bash scripts/test.sh            what takes minutes at most
#   bash scripts/test.sh --all      the slow tests too
#   bash scripts/test.sh --cov      and says how much of the package they ran
#   bash scripts/test.sh ARGUMENTS  anything that pytest takes: -k freeze, tests/network
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh
prepare_environment "dev"
export TF_CPP_MIN_LOG_LEVEL=3
if [ "${1:-}" = "--all" ]; then
    shift
    exec python -m pytest -n auto --dist loadfile "$@"
fi
exec python -m pytest -n auto --dist loadfile -m "not slow" "$@"
