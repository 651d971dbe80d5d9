# Sourced by the walk-throughs: starts the release server on a free port with an empty store, and stops it
# and removes the store at the end.
#
# Sets BINARIES, FOLDER, ADDRESS (http://host:port), TOKEN_FILE and COMMAND, all read from what the server prints.

BINARIES=$(realpath "${CARGO_TARGET_DIR:-target}")/release
FOLDER=$(mktemp -d)
mkfifo "$FOLDER/printed"
"$BINARIES/orgservice-server" --listen 127.0.0.1:0 --data-directory "$FOLDER/orgservice-data" \
    >"$FOLDER/printed" 2>"$FOLDER/log" &
SERVER=$!

finish() {
    local outcome=$?
    kill "$SERVER" 2>/dev/null && wait "$SERVER" || true
    if ((outcome != 0)); then
        printf '\nthe log of the server:\n'
        tail -n 50 "$FOLDER/log"
    fi
    rm -rf "$FOLDER"
    exit "$outcome"
}
trap finish EXIT

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# What a server says before it serves: address, place of the token, one command to paste.
ADDRESS='' TOKEN_FILE='' COMMAND=''
exec 3<"$FOLDER/printed"
while [[ -z $COMMAND ]] && IFS= read -r -t 60 -u 3 line; do
    printf '%s\n' "$line"
    case $line in
    *' listens on '*) ADDRESS=${line##* listens on } ;;
    *' token is in '*) TOKEN_FILE=${line##* token is in } ;;
    *ORGSERVICE_ADDRESS=*) COMMAND=${line#"${line%%[![:space:]]*}"} ;;
    esac
done
[[ -n $ADDRESS && -n $TOKEN_FILE && -n $COMMAND ]] || fail 'the server did not say how to reach it'

# Python modules from proto/, in the folder that is named.
generate_python() {
    mkdir "$1"
    python3 -m grpc_tools.protoc --proto_path=proto --python_out="$1" --grpc_python_out="$1" \
        orgservice/v1/types.proto orgservice/v1/organization_service.proto
}
