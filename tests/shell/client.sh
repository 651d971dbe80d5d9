#!/usr/bin/env bash
# The walk-through with a Python client that is generated from proto/. `tests/run` runs it, after it has
# installed the generator into tests/.tools and built the release binaries.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PWD/tests/.tools/bin:$PWD/tests/.tools/python/bin:$PATH

source tests/shell/server.sh

ORGSERVICE_ADDRESS=$ADDRESS "$BINARIES/orgctl" --token-file "$TOKEN_FILE" \
    sample northwind --save-token "$FOLDER/integration.token"

generate_python "$FOLDER/generated"
PYTHONPATH=$FOLDER/generated python3 tests/shell/client.py \
    "${ADDRESS#http://}" "$(<"$FOLDER/integration.token")" 'Nancy Davolio'
