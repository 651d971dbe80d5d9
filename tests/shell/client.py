"""A client in another language, made from proto/ alone: acts on behalf of another user, reads a refusal
without matching strings, and asks for its explanation.

Arguments: the address (host:port), the token of the application user, and the name of the user to act for.
"""

import sys

import grpc
from google.protobuf import struct_pb2
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from orgservice.v1 import organization_service_pb2 as service
from orgservice.v1 import organization_service_pb2_grpc as services
from orgservice.v1 import types_pb2 as types


def expect(what, found, expected):
    """Says what was found, and ends the program when it is not what it has to be."""
    print(f"{what}: {found}")
    if found != expected:
        sys.exit(f"FAILED: {what} is {found!r} and has to be {expected!r}")


def details(error):
    """The details of a failed call, by the name of their message."""
    by_name = {
        "google.rpc.ErrorInfo": error_details_pb2.ErrorInfo,
        "orgservice.v1.OrganizationServiceFault": types.OrganizationServiceFault,
    }
    found = {}
    for detail in rpc_status.from_call(error).details:
        kind = by_name.get(detail.type_url.rpartition("/")[2])
        if kind is not None:
            message = kind()
            detail.Unpack(message)
            found[kind.DESCRIPTOR.name] = message
    return found


def text(value):
    return types.Value(string_value=value)


def find_user(organization, metadata, name):
    """The id of the one user of that full name."""
    condition = types.ConditionExpression(
        attribute_name="fullname",
        operator=types.CONDITION_OPERATOR_EQUAL,
        values=[text(name)],
    )
    query = types.QueryExpression(
        entity_name="systemuser",
        column_set=types.ColumnSet(columns=["fullname"]),
        criteria=types.FilterExpression(conditions=[condition]),
    )
    answer = organization.RetrieveMultiple(
        service.RetrieveMultipleRequest(query=types.Query(query_expression=query)),
        metadata=metadata,
    )
    users = answer.entity_collection.entities
    expect(f"users called {name}", len(users), 1)
    return users[0].id


def main(address, token, name):
    organization = services.OrganizationServiceStub(grpc.insecure_channel(address))
    myself = [("authorization", f"Bearer {token}")]

    me = organization.WhoAmI(service.WhoAmIRequest(), metadata=myself)
    other = find_user(organization, myself, name)
    expect("acting for oneself", me.user_id != other, True)

    # Whom a call is for travels beside the message, never inside.
    for_other = myself + [("caller-id", other)]
    answer, call = organization.WhoAmI.with_call(service.WhoAmIRequest(), metadata=for_other)
    expect("the call runs for", answer.user_id, other)
    expect("effective-user-id", dict(call.initial_metadata())["effective-user-id"], other)

    account = types.Entity(
        logical_name="account",
        attributes={
            "name": text("Python Traders"),
            "numberofemployees": types.Value(integer_value=3),
            "revenue": types.Value(money_value=types.Money(value="1250.50")),
            "telephone1": text("555-0100"),
        },
    )
    account.id = organization.Create(
        service.CreateRequest(target=account), metadata=for_other
    ).id
    target = types.EntityReference(logical_name="account", id=account.id)
    every_column = types.ColumnSet(all_columns=True)

    def retrieve():
        request = service.RetrieveRequest(target=target, column_set=every_column)
        return organization.Retrieve(request, metadata=for_other).entity.attributes

    row = retrieve()
    expect("name", row["name"].string_value, "Python Traders")
    expect("revenue", float(row["revenue"].money_value.value), 1250.5)
    expect("owner", row["ownerid"].entity_reference.id, other)
    expect("created by", row["createdby"].entity_reference.id, other)
    expect("on behalf by", row["createdonbehalfby"].entity_reference.id, me.user_id)

    cleared = types.Value(null_value=struct_pb2.NULL_VALUE)
    change = types.Entity(
        logical_name="account", id=account.id, attributes={"telephone1": cleared}
    )
    organization.Update(service.UpdateRequest(target=change), metadata=for_other)
    expect("telephone1 is there", "telephone1" in retrieve(), False)

    try:
        organization.Delete(service.DeleteRequest(target=target), metadata=for_other)
        sys.exit("FAILED: a sales representative deleted an account")
    except grpc.RpcError as error:
        refusal = error
    expect("status", refusal.code(), grpc.StatusCode.PERMISSION_DENIED)
    found = details(refusal)
    info, fault = found["ErrorInfo"], found["OrganizationServiceFault"]
    expect("reason", (info.domain, info.reason), ("orgservice", "PRIVILEGE_DENIED"))
    expect("privilege", info.metadata["privilege"], "prvDeleteAccount")
    expect("table", info.metadata["table"], "account")
    expect("who lacks it", info.metadata["principalRole"], "impersonator")
    expect("error code", (fault.error_name, fault.error_code), ("PrivilegeDenied", -2147220960))

    question = service.ExplainAccessRequest(
        request=types.OrganizationRequest(
            request_name="Delete",
            parameters={"Target": types.Value(entity_reference=target)},
        )
    )
    explanation = organization.ExplainAccess(question, metadata=for_other)
    expect("explained as allowed", explanation.allowed, False)
    expect("explained by the same fault", explanation.fault.message, fault.message)
    lacking = [it for it in explanation.requirements if not it.granted]
    expect("what is lacking", [it.privilege for it in lacking], ["prvDeleteAccount"])
    expect(
        "the matrices",
        (explanation.authenticated.user_id, explanation.impersonated.user_id),
        (me.user_id, other),
    )
    [row] = [row for row in explanation.effective.rows if row.table_name == "account"]
    expect(
        "effective Create and Delete",
        (types.PrivilegeDepth.Name(row.create), types.PrivilegeDepth.Name(row.delete)),
        ("PRIVILEGE_DEPTH_BASIC", "PRIVILEGE_DEPTH_UNSPECIFIED"),
    )


main(*sys.argv[1:])
