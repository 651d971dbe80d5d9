#![allow(clippy::unwrap_used, missing_docs)]
use std::sync::Arc;
use orgservice_server::{caller::Caller, metadata::DefinitionsBuilder, model::*, operations::bootstrap::BootstrapOptions, organization::*, storage::{EmbeddedStore, engine::MemoryEngine}};
use orgservice_security::UserId;
fn main() {
    let store = EmbeddedStore::open(Box::new(MemoryEngine::new())).unwrap();
    let org = Organization::open(Arc::new(store), OrganizationOptions::new(DefinitionsBuilder::system().build().unwrap(), "memory")).unwrap();
    let t = std::time::Instant::now();
    let b = org.bootstrap(&BootstrapOptions{organization_name:"Contoso".into(), administrator_name:"admin".into()}).unwrap().unwrap();
    println!("bootstrap {:?} {:?}", b, t.elapsed());
    let id = org.authenticate(&b.token).unwrap();
    let caller = org.resolve_caller(&id, &Default::default()).unwrap();
    let o = CallOptions::default();
    println!("{:?}", org.execute(&caller, OrganizationRequest::new("WhoAmI"), &o));
    let r = org.execute(&caller, OrganizationRequest::new("Create").with("Target", Entity::new("account").with("name","Contoso").with("revenue", Value::Integer(500))), &o);
    println!("{r:?}");
    let id = match &r.unwrap().results["id"] { Value::Guid(g) => *g, _ => panic!() };
    println!("{:#?}", org.execute(&caller, OrganizationRequest::new("Retrieve").with("Target", EntityReference::new("account", id)).with("ColumnSet", Value::ColumnSet(ColumnSet::all())), &o));
    let u = org.execute(&caller, OrganizationRequest::new("Create").with("Target", Entity::new("systemuser").with("domainname","ann").with("firstname","Ann").with("lastname","Lee")), &o);
    println!("{u:?}");
    let uid = match &u.unwrap().results["id"] { Value::Guid(g) => *g, _ => panic!() };
    println!("{:?}", org.execute(&Caller::direct(UserId(uid)), OrganizationRequest::new("WhoAmI"), &o));
    println!("{:?}", org.execute(&Caller::on_behalf_of(caller.authenticated.unwrap(), UserId(uid)), OrganizationRequest::new("Retrieve").with("Target", EntityReference::new("account", id)), &o));
    println!("{:?}", org.execute(&caller, OrganizationRequest::new("Assign").with("Target", EntityReference::new("account", id)).with("Assignee", EntityReference::new("systemuser", uid)), &o));
    println!("{:?}", org.execute(&caller, OrganizationRequest::new("Delete").with("Target", EntityReference::new("account", id)), &o));
}
