use orgservice_client::Entity;

#[derive(Entity)]
#[entity(logical_name = "account")]
struct Account {
    #[entity(lookup = "contact")]
    primarycontactid: String,
}

fn main() {}
