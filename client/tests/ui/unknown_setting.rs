use orgservice_client::Entity;

#[derive(Entity)]
#[entity(logical_name = "account")]
struct Account {
    #[entity(colum = "name")]
    title: String,
}

fn main() {}
