//! GZ-6: the JSON that people write by hand, pinned for every kind of Value; and the numbers of the
//! product's operators (GQ-6).

use std::collections::BTreeSet;

use orgservice::v1::{
    AliasedValue, BooleanManagedProperty, ColumnSet, Entity, EntityCollection, EntityReference,
    EntityReferenceCollection, Money, OptionSetValueCollection, OrganizationRequest,
    OrganizationResponse, OrganizationServiceFault, PrincipalAccess, Query, QueryByAttribute,
    Relationship, Value, ValueList, query, value::Kind,
};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

fn descriptor() -> MessageDescriptor {
    let pool = DescriptorPool::decode(orgservice::FILE_DESCRIPTOR_SET).expect("the contract");
    pool.get_message_by_name("orgservice.v1.Value")
        .expect("Value")
}

/// One value of every kind.
fn every_kind() -> Vec<Value> {
    let contact = EntityReference {
        logical_name: "contact".to_owned(),
        id: "e6fa5509-2582-e811-a95e-000d3af40ae7".to_owned(),
        ..EntityReference::default()
    };
    let account = Entity {
        logical_name: "account".to_owned(),
        attributes: [("name".to_owned(), "Contoso".into())].into(),
        ..Entity::default()
    };
    let aliased = AliasedValue {
        entity_logical_name: "contact".to_owned(),
        attribute_logical_name: "fullname".to_owned(),
        value: Some(Box::new("Ann".into())),
    };
    let question = query::Query::QueryByAttribute(QueryByAttribute {
        entity_name: "account".to_owned(),
        attributes: vec!["name".to_owned()],
        values: vec!["Contoso".into()],
        ..QueryByAttribute::default()
    });
    let request = OrganizationRequest {
        request_name: "WhoAmI".to_owned(),
        ..OrganizationRequest::default()
    };
    let response = OrganizationResponse {
        response_name: "RetrieveVersion".to_owned(),
        results: [("Version".to_owned(), "9.2".into())].into(),
    };
    let fault = OrganizationServiceFault {
        error_code: -2_147_220_960,
        error_name: "PrivilegeDenied".to_owned(),
        faulted_request_index: Some(0),
        ..OrganizationServiceFault::default()
    };
    let time = prost_types::Timestamp {
        seconds: 1_483_228_800,
        nanos: 500_000_000,
    };
    vec![
        Value::null(),
        true.into(),
        500.into(),
        9_007_199_254_740_993_i64.into(),
        47.6.into(),
        Kind::DecimalValue("12.50".to_owned()).into(),
        Money {
            value: "5000.00".to_owned(),
        }
        .into(),
        "Contoso".into(),
        time.into(),
        Kind::GuidValue("4026be43-6b69-e111-8f65-78e7d1620f5e".to_owned()).into(),
        Kind::OptionSetValue(1).into(),
        OptionSetValueCollection { values: vec![1, 3] }.into(),
        contact.clone().into(),
        EntityReferenceCollection {
            entity_references: vec![contact.clone()],
        }
        .into(),
        account.clone().into(),
        EntityCollection {
            entities: vec![account],
            entity_name: "account".to_owned(),
            ..EntityCollection::default()
        }
        .into(),
        aliased.into(),
        Kind::BytesValue(vec![0, 1, 254, 255].into()).into(),
        Kind::BooleanManagedProperty(BooleanManagedProperty {
            value: true,
            ..BooleanManagedProperty::default()
        })
        .into(),
        PrincipalAccess {
            principal: Some(contact),
            access_rights: vec![1, 2],
        }
        .into(),
        ValueList {
            values: vec![1.into(), "two".into()],
        }
        .into(),
        ColumnSet {
            all_columns: false,
            columns: vec!["name".to_owned()],
        }
        .into(),
        Relationship {
            schema_name: "contact_customer_accounts".to_owned(),
            primary_entity_role: 0,
        }
        .into(),
        Query::from(question).into(),
        request.into(),
        response.into(),
        fault.into(),
    ]
}

#[test]
fn gz_6_the_json_of_every_kind() {
    let descriptor = descriptor();
    let mut kinds = BTreeSet::new();
    let mut lines = Vec::new();
    for value in every_kind() {
        let message = DynamicMessage::decode(descriptor.clone(), &*value.encode_to_vec());
        let message = message.expect("a Value");
        kinds.extend(message.fields().map(|(field, _)| field.name().to_owned()));
        let json = serde_json::to_string(&message).expect("JSON");
        let mut reader = serde_json::Deserializer::from_str(&json);
        let again = DynamicMessage::deserialize(descriptor.clone(), &mut reader).expect(&json);
        let again = Value::decode(&*again.encode_to_vec()).expect("a Value");
        assert_eq!(again, value, "{json} reads back");
        lines.push(json);
    }
    let declared: BTreeSet<String> = descriptor
        .fields()
        .map(|field| field.name().to_owned())
        .collect();
    assert_eq!(kinds, declared, "every kind is pinned");
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"nullValue":null}
    {"booleanValue":true}
    {"integerValue":500}
    {"bigIntValue":"9007199254740993"}
    {"doubleValue":47.6}
    {"decimalValue":"12.50"}
    {"moneyValue":{"value":"5000.00"}}
    {"stringValue":"Contoso"}
    {"dateTimeValue":"2017-01-01T00:00:00.500Z"}
    {"guidValue":"4026be43-6b69-e111-8f65-78e7d1620f5e"}
    {"optionSetValue":1}
    {"optionSetValues":{"values":[1,3]}}
    {"entityReference":{"logicalName":"contact","id":"e6fa5509-2582-e811-a95e-000d3af40ae7"}}
    {"entityReferences":{"entityReferences":[{"logicalName":"contact","id":"e6fa5509-2582-e811-a95e-000d3af40ae7"}]}}
    {"entity":{"logicalName":"account","attributes":{"name":{"stringValue":"Contoso"}}}}
    {"entities":{"entityName":"account","entities":[{"logicalName":"account","attributes":{"name":{"stringValue":"Contoso"}}}]}}
    {"aliasedValue":{"entityLogicalName":"contact","attributeLogicalName":"fullname","value":{"stringValue":"Ann"}}}
    {"bytesValue":"AAH+/w=="}
    {"booleanManagedProperty":{"value":true}}
    {"principalAccess":{"principal":{"logicalName":"contact","id":"e6fa5509-2582-e811-a95e-000d3af40ae7"},"accessRights":["ACCESS_RIGHT_READ","ACCESS_RIGHT_WRITE"]}}
    {"list":{"values":[{"integerValue":1},{"stringValue":"two"}]}}
    {"columnSet":{"columns":["name"]}}
    {"relationship":{"schemaName":"contact_customer_accounts"}}
    {"query":{"queryByAttribute":{"entityName":"account","attributes":["name"],"values":[{"stringValue":"Contoso"}]}}}
    {"organizationRequest":{"requestName":"WhoAmI"}}
    {"organizationResponse":{"responseName":"RetrieveVersion","results":{"Version":{"stringValue":"9.2"}}}}
    {"fault":{"errorCode":-2147220960,"errorName":"PrivilegeDenied","faultedRequestIndex":0}}
    "#);
}

/// The spellings of `grpc.md` 4 and 5 that people use beside the canonical ones.
#[test]
fn other_spellings_are_read() {
    let descriptor = descriptor();
    for (json, expected) in [
        (r#"{"nullValue":null}"#, Value::null()),
        (r#"{"nullValue":"NULL_VALUE"}"#, Value::null()),
        (r#"{"bigIntValue":12}"#, 12_i64.into()),
        (r#"{"bigIntValue":"12"}"#, 12_i64.into()),
        (r#"{"string_value":"Contoso"}"#, "Contoso".into()),
    ] {
        let mut reader = serde_json::Deserializer::from_str(json);
        let message = DynamicMessage::deserialize(descriptor.clone(), &mut reader).expect(json);
        let value = Value::decode(&*message.encode_to_vec()).expect("a Value");
        assert_eq!(value, expected, "{json}");
    }
}

/// The product's ConditionOperator, in the order of its numbers from 0.
const OPERATORS: &str = "Equal NotEqual GreaterThan LessThan GreaterEqual LessEqual Like NotLike In \
    NotIn Between NotBetween Null NotNull Yesterday Today Tomorrow Last7Days Next7Days LastWeek \
    ThisWeek NextWeek LastMonth ThisMonth NextMonth On OnOrBefore OnOrAfter LastYear ThisYear \
    NextYear LastXHours NextXHours LastXDays NextXDays LastXWeeks NextXWeeks LastXMonths NextXMonths \
    LastXYears NextXYears EqualUserId NotEqualUserId EqualBusinessId NotEqualBusinessId ChildOf Mask \
    NotMask MasksSelect Contains DoesNotContain EqualUserLanguage NotOn OlderThanXMonths BeginsWith \
    DoesNotBeginWith EndsWith DoesNotEndWith ThisFiscalYear ThisFiscalPeriod NextFiscalYear \
    NextFiscalPeriod LastFiscalYear LastFiscalPeriod LastXFiscalYears LastXFiscalPeriods \
    NextXFiscalYears NextXFiscalPeriods InFiscalYear InFiscalPeriod InFiscalPeriodAndYear \
    InOrBeforeFiscalPeriodAndYear InOrAfterFiscalPeriodAndYear EqualUserTeams EqualUserOrUserTeams \
    Above Under NotUnder AboveOrEqual UnderOrEqual EqualUserOrUserHierarchy \
    EqualUserOrUserHierarchyAndTeams OlderThanXYears OlderThanXWeeks OlderThanXDays OlderThanXHours \
    OlderThanXMinutes ContainValues DoesNotContainValues";

#[test]
fn gq_6_operators_have_the_products_number_plus_one() {
    let pool = DescriptorPool::decode(orgservice::FILE_DESCRIPTOR_SET).expect("the contract");
    let declared = pool
        .get_enum_by_name("orgservice.v1.ConditionOperator")
        .expect("operators");
    // CONDITION_OPERATOR_LAST_X_DAYS and LastXDays are one name.
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    let prefix = plain("CONDITION_OPERATOR_");
    let mut numbered: Vec<(i32, String)> = declared
        .values()
        .map(|value| (value.number(), plain(value.name()).replacen(&prefix, "", 1)))
        .collect();
    numbered.sort();
    let expected: Vec<(i32, String)> = std::iter::once("unspecified")
        .chain(OPERATORS.split_whitespace())
        .map(plain)
        .zip(0..)
        .map(|(name, number)| (number, name))
        .collect();
    assert_eq!(numbered, expected);
    let numbers = [
        ("equal", 1),
        ("beginswith", 55),
        ("doesnotcontainvalues", 89),
    ];
    for (name, number) in numbers {
        assert!(numbered.contains(&(number, name.to_owned())), "{name}");
    }
}
