use orgservice_client::{Entity, Uuid};

#[derive(Entity)]
#[entity(logical_name = "account")]
struct Account {
    #[entity(primary_id)]
    accountid: Option<Uuid>,
    #[entity(primary_id)]
    parentid: Option<Uuid>,
}

fn main() {}
