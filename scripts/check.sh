#!/bin/bash
# What is checked before any test: style, types, and who imports whom. Needs the dev extra.
#   bash scripts/check.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ruff check .
ruff format --check .
mypy
lint-imports
