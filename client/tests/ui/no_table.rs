use orgservice_client::Entity;

#[derive(Entity)]
struct Account {
    name: String,
}

fn main() {}
