#!/bin/bash
# Builds the documentation as a site in site/; a warning is an error.
#   bash scripts/docs.sh            site/index.html
#   bash scripts/docs.sh --serve    on http://127.0.0.1:8000, built anew after each change
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh
prepare_environment "docs"
export NO_MKDOCS_2_WARNING=1
if [ "${1:-}" = "--serve" ]; then
    shift
    exec mkdocs serve "$@"
fi
exec mkdocs build --strict "$@"
