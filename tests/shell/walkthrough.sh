#!/usr/bin/env bash
# README's first ten minutes with orgctl and grpcurl, against the release server with an empty store:
# start, load a sample, act on behalf of a sales representative, an allowed call, a refused one, and its
# explanation. `tests/run` runs it, after it has installed grpcurl and built the release binaries.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PWD/tests/.tools/bin:$PWD/tests/.tools/python/bin:$PATH

source tests/shell/server.sh

headline() { printf '\n# %s\n' "$*"; }

# Whether a text contains all of the others; shows it either way.
contains() {
    local text=$1 part
    printf '%s\n' "$text"
    shift
    for part in "$@"; do
        [[ $text == *"$part"* ]] || fail "no \`$part\` in the answer"
    done
}

# The text at a path of JSON, such as `entity.attributes.name.stringValue`.
at() {
    python3 -c '
import functools, json, sys
print(functools.reduce(lambda part, key: part[key], sys.argv[1].split("."), json.load(sys.stdin)))' "$1"
}

# A call that has to be refused: its exit code, and its words on both streams.
refused() {
    local expected=$1 code=0
    shift
    words=$("$@" 2>&1) || code=$?
    ((code == expected)) || fail "exit code $code and not $expected: $words"
}

call() {
    grpcurl -plaintext "$@"
}

ctl=$BINARIES/orgctl
host=${ADDRESS#http://}
organization=orgservice.v1.OrganizationService
export ORGSERVICE_ADDRESS=$ADDRESS

headline 'the printed command, as printed'
contains "$(eval "$COMMAND")" 'administrator'

headline 'the token file is readable by its owner alone'
contains "$(ls -l "$TOKEN_FILE")" '-rw-------'

headline 'the sample'
integration=$FOLDER/integration.token
"$ctl" --token-file "$TOKEN_FILE" sample northwind --save-token "$integration"
contains "$(ls -l "$integration")" '-rw-------'

headline 'the application user, for itself and on behalf of a sales representative'
contains "$("$ctl" --token-file "$integration" who-am-i)" 'Northwind Integration'
for_nancy=("$ctl" --token-file "$integration" --as 'Nancy Davolio')
contains "$("${for_nancy[@]}" who-am-i)" 'Nancy Davolio'
nancy=$("${for_nancy[@]}" --output json who-am-i | at userId)

headline 'an allowed call'
account=$("${for_nancy[@]}" create account name='Shell Traders' numberofemployees:int=3 | tail -n 1)
contains "$("${for_nancy[@]}" retrieve account "$account" --columns name,ownerid)" 'Shell Traders' 'Nancy Davolio'

headline 'a refused call'
refused 1 "${for_nancy[@]}" delete account "$account"
contains "$words" 'PrivilegeDenied' 'prvDeleteAccount'

headline 'its explanation'
contains "$("${for_nancy[@]}" explain --request Delete account "$account")" \
    'refused: PrivilegeDenied' 'prvDeleteAccount' 'Nancy Davolio' 'Northwind Integration' '○' '◔'
contains "$("${for_nancy[@]}" --ascii explain account contact)" 'account' 'contact'

headline 'the contract, by reflection'
contains "$(call "$host" list)" "$organization" orgservice.v1.AdminService grpc.health.v1.Health
contains "$(call "$host" describe orgservice.v1.Value | head -n 40)" 'oneof kind' 'money_value'
contains "$(call "$host" grpc.health.v1.Health/Check)" 'SERVING'

headline 'the same with grpcurl'
token="authorization: Bearer $(<"$integration")"
caller="caller-id: $nancy"
contains "$(call -H "$token" -H "$caller" "$host" "$organization/WhoAmI")" "\"userId\": \"$nancy\""
created=$(call -H "$token" -H "$caller" -d '{"target": {"logicalName": "account", "attributes": {
    "name": {"stringValue": "Curl Traders"},
    "creditonhold": {"booleanValue": false},
    "numberofemployees": {"integerValue": 500},
    "revenue": {"moneyValue": {"value": "5000000.00"}},
    "accountcategorycode": {"optionSetValue": 1}}}}' "$host" "$organization/Create" | at id)
target="\"target\": {\"logicalName\": \"account\", \"id\": \"$created\"}"
row=$(call -H "$token" -H "$caller" -d "{$target, \"columnSet\": {\"allColumns\": true}}" \
    "$host" "$organization/Retrieve")
contains "$row" 'Curl Traders' 'createdonbehalfby'
[[ $(at entity.attributes.createdby.entityReference.id <<<"$row") == "$nancy" ]] ||
    fail 'the record was not created in the name of the representative'
contains "$(call -H "$token" -H "$caller" -d '{"query": {"queryExpression": {
    "entityName": "account", "columnSet": {"columns": ["name"]},
    "criteria": {"conditions": [{"attributeName": "name", "operator": "CONDITION_OPERATOR_ENDS_WITH",
        "values": [{"stringValue": "Traders"}]}]},
    "orders": [{"attributeName": "name"}]}}}' "$host" "$organization/RetrieveMultiple")" \
    'Curl Traders' 'Shell Traders'

headline 'refusals, with their details readable'
# 64 and the number of the status.
refused 71 call -H "$token" -H "$caller" -d "{$target}" "$host" "$organization/Delete"
contains "$words" 'Code: PermissionDenied' 'google.rpc.ErrorInfo' 'PRIVILEGE_DENIED' \
    '"privilege": "prvDeleteAccount"' '"principalRole": "impersonator"' 'OrganizationServiceFault' \
    '-2147220960'
refused 80 call "$host" "$organization/WhoAmI"
contains "$words" 'Code: Unauthenticated' 'REQUEST_IS_NOT_AUTHENTICATED'
refused 67 call -H "$token" -H 'caller-id: nobody' "$host" "$organization/WhoAmI"
contains "$words" 'Code: InvalidArgument' 'caller-id'

headline 'Execute, the generic door'
contains "$(call -H "$token" -H "$caller" -d '{"request": {"requestName": "RetrieveVersion"}}' \
    "$host" "$organization/Execute")" 'Version'

headline 'the end: the server stops by itself when it is asked to'
kill "$SERVER"
wait "$SERVER" || fail "the server ended with $?"
