#!/usr/bin/env bash
# Runs the blocks of README.md as they stand, against the release server with an empty store. `tests/run`
# runs it, after it has installed grpcurl and the generator for Python and built the release binaries.
set -euo pipefail
cd "$(dirname "$0")/../.."
project=$PWD
PATH=$project/tests/.tools/bin:$project/tests/.tools/python/bin:$PATH

source tests/shell/server.sh
generate_python "$FOLDER/generated"

# README speaks of the folder in which the server was started.
cd "$FOLDER"
export ORGSERVICE_ADDRESS=$ADDRESS PATH=$BINARIES:$PATH PYTHONPATH=$FOLDER/generated
python3 "$project/tests/shell/readme.py" sh | bash
ORGSERVICE_TOKEN=$(<integration.token)
export ORGSERVICE_TOKEN
python3 "$project/tests/shell/readme.py" python | bash
