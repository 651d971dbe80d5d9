use orgservice_client::Entity;

#[derive(Entity)]
#[entity(logical_name = "account")]
struct Account {
    name: String,
    #[entity(column = "name")]
    title: String,
}

fn main() {}
