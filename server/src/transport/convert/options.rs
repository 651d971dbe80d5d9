//! `RequestOptions`: fields and parameters by their SDK names, in one bag.

use std::collections::BTreeMap;

use orgservice::v1;
use uuid::Uuid;

use super::{Depth, Read, Refusal, Within, read_list, scalar::read_optional_guid, value};
use crate::model::{OrganizationRequest, RequestOptions, Value};

/// Reads the options of a call; absent ones are the defaults.
///
/// What has a field travels on under its SDK name (`messages.md` 1.9), so that typed RPCs and
/// Execute meet the same rules. The same option as field and as parameter is refused.
pub(in crate::transport) fn read_options(wire: Option<v1::RequestOptions>) -> Read<RequestOptions> {
    wire.map_or_else(
        || Ok(RequestOptions::default()),
        |wire| read(wire).within("options"),
    )
}

fn read(wire: v1::RequestOptions) -> Read<RequestOptions> {
    let mut options = RequestOptions {
        request_id: read_optional_guid(&wire.request_id).within("request_id")?,
        parameters: value::read_values("parameters", wire.parameters, Depth::full())?,
    };
    let bypass = read_list(
        "bypass_business_logic_execution",
        wire.bypass_business_logic_execution,
        |number| match v1::BypassLogic::try_from(number) {
            Ok(v1::BypassLogic::CustomSync) => Ok("CustomSync"),
            Ok(v1::BypassLogic::CustomAsync) => Ok("CustomAsync"),
            Ok(v1::BypassLogic::Unspecified) => Err(Refusal::new("what to bypass is missing")),
            Err(_) => Err(Refusal::unknown_enum("BypassLogic", number)),
        },
    )?;
    let fields = [
        (
            "SuppressDuplicateDetection",
            wire.suppress_duplicate_detection.map(Value::Boolean),
        ),
        (
            "BypassBusinessLogicExecution",
            (!bypass.is_empty()).then(|| Value::String(bypass.join(","))),
        ),
        (
            "tag",
            (!wire.tag.is_empty()).then_some(Value::String(wire.tag)),
        ),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            insert_once(&mut options.parameters, name, value)?;
        }
    }
    Ok(options)
}

fn insert_once(
    parameters: &mut BTreeMap<String, Value>,
    name: &'static str,
    value: Value,
) -> Read<()> {
    match parameters.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(Refusal::new(
            "the option is given as a field and as a parameter",
        ))
        .of("parameters", name),
    }
}

/// A request id in the options and one in the request of Execute are the same thing; two different
/// ones are refused (GO-2).
pub(in crate::transport) fn reconcile_request_ids(
    request: &mut OrganizationRequest,
    options: &mut RequestOptions,
) -> Read<()> {
    let both: (Option<Uuid>, Option<Uuid>) = (options.request_id, request.request_id);
    if let (Some(a), Some(b)) = both
        && a != b
    {
        return Err(Refusal::new(
            "it differs from the `request_id` of the options",
        ))
        .within("request_id")
        .within("request");
    }
    let id = both.0.or(both.1);
    options.request_id = id;
    request.request_id = id;
    Ok(())
}
