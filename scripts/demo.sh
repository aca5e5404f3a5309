#!/bin/bash
# Sets everything up and runs the demo: MNIST 1 against 9, from the images to a verified HLS project;
# with --rtl to Verilog whose LUTs are measured, too.
# Arguments are passed on: bash scripts/demo.sh --rtl --seed 1
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/environment.sh
extras="train,hls,report"
for argument in "$@"; do
    if [ "$argument" = "--rtl" ]; then extras+=",rtl"; fi
done
prepare_environment "$extras"
exec qap run mnist-1v9 "$@"
