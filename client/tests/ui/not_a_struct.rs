use orgservice_client::Entity;

#[derive(Entity)]
#[entity(logical_name = "account")]
enum Account {
    Active,
}

fn main() {}
